//! What is to be started, settled from wishes, settings and driver. Starts nothing.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use zcomm_core::Settings;
use zcomm_core::service::{DriverInfo, Endpoint, Login};

use crate::{Error, Port, StartOptions};

/// The settings that every driver may bring under its own name: `redis.port`, `redis.data_dir`,
/// `redis.password`; `postgresql.user` and `postgresql.database`, too.
#[derive(Clone, Copy)]
pub(crate) struct Configured<'a> {
    pub(crate) about: &'a DriverInfo,
    pub(crate) settings: &'a Settings,
}

impl Configured<'_> {
    fn row(&self, key: &str) -> Option<String> {
        let path = format!("{}.{key}", self.about.name);
        self.settings.knows(&path).then_some(path)
    }

    pub(crate) fn port(&self) -> Port {
        let set = self.row("port").and_then(|path| self.settings.port(&path));
        Port::from(set.unwrap_or(self.about.default_port))
    }

    pub(crate) fn data_dir(&self) -> Option<PathBuf> {
        self.settings
            .path(&self.row("data_dir")?)
            .map(Path::to_owned)
    }

    /// The container's image, where the settings name one.
    pub(crate) fn image(&self) -> Option<String> {
        self.settings.text(&self.row("image")?).map(str::to_owned)
    }

    /// Where the service is looked for when nothing is known of it; port 0 if any is allowed.
    pub(crate) fn endpoint(&self, options: &StartOptions) -> Endpoint {
        let wish = match options.port {
            Port::Default => self.port(),
            wish => wish,
        };
        let Port::At(port) = wish else {
            return self.login(options, Endpoint::local(0));
        };
        self.login(options, Endpoint::local(port))
    }

    fn login(&self, options: &StartOptions, mut endpoint: Endpoint) -> Endpoint {
        if let Login::User {
            user,
            database: default,
        } = self.about.login
        {
            let set = |key: &str| self.settings.text(&self.row(key)?).map(str::to_owned);
            let user = options
                .user
                .clone()
                .or_else(|| set("user"))
                .unwrap_or_else(|| user.to_owned());
            let database = options.database.clone().or_else(|| set("database"));
            endpoint.database = Some(database.unwrap_or_else(|| default.to_owned()));
            endpoint.user = Some(user);
        }
        if self.about.login != Login::Open {
            let row = self.row("password");
            endpoint.password = row.and_then(|path| self.settings.secret(&path).cloned());
        }
        endpoint
    }
}

/// A port that nobody listens on. Somebody may before we do; whoever asks starts again then.
pub(crate) fn free_port() -> Result<u16, Error> {
    let found = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|held| held.local_addr());
    let address = found.map_err(Error::io("find a free port at", Path::new("127.0.0.1")))?;
    Ok(address.port())
}

#[cfg(test)]
mod tests {
    use zcomm_core::settings::Key;

    use super::*;

    const ABOUT: DriverInfo = DriverInfo::new("naps", "Naps", 7777);
    const KEYS: &[Key] = &[Key::port("naps.port").default("7070")];

    #[track_caller]
    fn check(keys: &'static [Key], wish: Port, expected: u16) {
        let settings = Settings::defaults(keys);
        let configured = Configured {
            about: &ABOUT,
            settings: &settings,
        };

        let endpoint = configured.endpoint(&StartOptions::new().port(wish));

        assert_eq!(endpoint.port, expected);
    }

    #[test]
    fn a_wish_beats_the_settings_and_they_beat_the_driver() {
        check(KEYS, Port::At(1), 1);
        check(KEYS, Port::Default, 7070);
        check(&[], Port::Default, 7777);
        check(KEYS, Port::AnyFree, 0);
    }
}
