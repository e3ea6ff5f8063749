//! The account that a server runs under when we are root. Changes nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zcomm_core::service::Account;

/// An account other than ours, for a child process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unprivileged {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Unprivileged {
    /// The account that root's child is to run under; nobody else can change accounts, so for them there is none.
    pub(crate) fn for_child(wish: &Account) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let table = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let named = match wish {
            Account::Named(name) => row(&table, name),
            _ => None,
        };
        // The numbers that every system has given to `nobody` for decades, should the table lack it.
        named.or_else(|| row(&table, "nobody")).or_else(|| {
            Some(Self {
                name: "nobody".to_owned(),
                uid: 65534,
                gid: 65534,
            })
        })
    }

    /// The first folder on the way to `path` that this account may not enter.
    pub(crate) fn stopped_at(&self, path: &Path) -> Option<PathBuf> {
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        let closed = way.into_iter().find(|folder| {
            fs::metadata(folder).is_ok_and(|found| found.is_dir() && !self.may_enter(&found))
        });
        closed.map(Path::to_owned)
    }

    fn may_enter(&self, folder: &fs::Metadata) -> bool {
        let bit = if folder.uid() == self.uid {
            0o100
        } else if folder.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & bit != 0
    }
}

fn row(table: &str, name: &str) -> Option<Unprivileged> {
    let rows = table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let fields = rows
        .into_iter()
        .find(|fields| fields.first() == Some(&name))?;
    Some(Unprivileged {
        name: name.to_owned(),
        uid: fields.get(2)?.parse().ok()?,
        gid: fields.get(3)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_rows_of_the_table() {
        let table =
            "root:x:0:0:root:/root:/bin/sh\nredis:x:102:105::/var/lib/redis:/usr/sbin/nologin\n";

        let redis = row(table, "redis").unwrap();

        assert_eq!((redis.uid, redis.gid), (102, 105));
        assert_eq!(row(table, "red"), None);
    }

    #[test]
    fn the_folder_that_stops_an_account_is_found() {
        let open = tempfile::tempdir().unwrap();
        let closed = open.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(
            open.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o755),
        )
        .unwrap();
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let stranger = Unprivileged {
            name: "stranger".into(),
            uid: 4_000_000,
            gid: 4_000_000,
        };

        assert_eq!(stranger.stopped_at(&closed.join("data")), Some(closed));
        assert_eq!(stranger.stopped_at(open.path()), None);
    }
}
