//! Where a project's services keep what they keep: data, configuration, logs, records. Decides no contents.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink,
};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zcomm_core::Secret;
use zcomm_core::service::StartPlan;

use crate::container::Container;
use crate::process::Unprivileged;
use crate::{Error, password, trust};

/// The mark without which a folder is never removed.
const THROW_AWAY: &str = "throw-away";
/// The note of a container whose volume holds the data.
const CONTAINER: &str = "container.json";
/// The password that belongs to the data.
const PASSWORD: &str = "password";
/// The note of a data folder of the caller's own, to which the password belongs.
const DATA_DIR: &str = "data-dir";
/// Where root's projects keep what must be reached by other accounts.
const ELSEWHERE: &str = "/var/lib/zcomm";
/// A tmpfs with less room than this is no place for a database.
const ENOUGH: u64 = 256 * 1024 * 1024;

/// Which container of which project holds the data.
#[derive(Serialize, Deserialize)]
struct ContainerNote {
    project: PathBuf,
    container: Container,
}

/// The folder `.zcomm` of a project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    pub(crate) fn of(project_dir: &Path) -> Self {
        // A record outlives the working directory of whoever wrote it, and is found by whatever name the folder has.
        let absolute = std::path::absolute(project_dir).unwrap_or_else(|_| project_dir.to_owned());
        Self {
            root: canonical(&absolute).join(".zcomm"),
        }
    }

    /// Makes what all services share.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        make(&self.root, 0o755)?;
        let run = self.root.join("run");
        make(&run, 0o700)?;
        trust::only_ours(
            &run,
            &fs::symlink_metadata(&run).map_err(Error::io("look at", &run))?,
        )?;
        let ignore = self.root.join(".gitignore");
        if ignore.exists() {
            return Ok(());
        }
        fs::write(&ignore, "*\n").map_err(Error::io("write", &ignore))
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn exists(&self) -> bool {
        self.root.join("run").is_dir()
    }

    pub(crate) fn record(&self, service: &str) -> PathBuf {
        self.root.join("run").join(format!("{service}.json"))
    }

    pub(crate) fn lock(&self, service: &str) -> PathBuf {
        self.root.join("run").join(format!("{service}.lock"))
    }

    /// The folder of a service whose data is to stay.
    ///
    /// A project of root's may lie where other accounts cannot go. Then the folder is a link to one below
    /// `/var/lib/zcomm`, and the server is given the place it leads to.
    pub(crate) fn home(
        &self,
        service: &'static str,
        account: Option<&Unprivileged>,
    ) -> Result<PathBuf, Error> {
        let services = self.root.join("services");
        make(&services, 0o755)?;
        let home = self.kept(service);
        self.settle_link(service)?;
        let hidden = account.is_some_and(|account| account.stopped_at(&services).is_some());
        let is_link = fs::symlink_metadata(&home).is_ok_and(|found| found.is_symlink());
        if hidden && (is_link || !home.exists()) {
            // What the link leads to may have been removed since.
            let elsewhere = self.elsewhere(service);
            make(&elsewhere, folder_mode(account))?;
            if !is_link {
                symlink(&elsewhere, &home).map_err(Error::io("link", &home))?;
            }
        }
        make(&home, folder_mode(account))?;
        home.canonicalize().map_err(Error::io("find", &home))
    }

    /// The same folder, to be looked at only; it need not be there.
    pub(crate) fn kept(&self, service: &str) -> PathBuf {
        self.root.join("services").join(service)
    }

    /// The folder that [`kept`](Self::kept) is, or as a link leads to; nothing where it leads nowhere.
    ///
    /// Refuses one that is not this project's own: whatever a link leads to may be somebody's data.
    pub(crate) fn own_place(&self, service: &'static str) -> Result<Option<PathBuf>, Error> {
        let kept = self.kept(service);
        let Ok(real) = kept.canonicalize() else {
            return Ok(None);
        };
        let elsewhere = self.elsewhere(service).canonicalize();
        if real == kept || elsewhere.is_ok_and(|elsewhere| elsewhere == real) {
            return Ok(Some(real));
        }
        Err(Error::ForeignLink {
            service,
            link: kept,
            leads_to: real,
        })
    }

    /// Whether a record may name `folder` as that of a service whose data is to stay.
    pub(crate) fn is_home(&self, folder: &Path, service: &str) -> bool {
        let (kept, elsewhere) = (self.kept(service), self.elsewhere(service));
        let strange = fs::read_link(&kept).is_ok_and(|target| target != elsewhere);
        let real = || kept.canonicalize().is_ok_and(|real| real == folder);
        !strange && (folder == kept || folder == elsewhere || real())
    }

    /// Removes the link that a copy of another project of root's brought along; refuses any other strange link.
    fn settle_link(&self, service: &'static str) -> Result<(), Error> {
        let kept = self.kept(service);
        match fs::read_link(&kept) {
            Ok(target) if target == self.elsewhere(service) => Ok(()),
            Ok(target) if target.starts_with(ELSEWHERE) => {
                fs::remove_file(&kept).map_err(Error::io("remove", &kept))
            }
            Ok(leads_to) => Err(Error::ForeignLink {
                service,
                link: kept,
                leads_to,
            }),
            Err(_) => Ok(()),
        }
    }

    /// The project's own place for a service where the project lies where the service's account cannot go.
    fn elsewhere(&self, service: &str) -> PathBuf {
        let digest = Secret::new(self.root.to_string_lossy()).digest().to_hex();
        Path::new(ELSEWHERE).join(&digest[..16]).join(service)
    }
}

/// The name of a folder for throw-away data, in memory where the system can. Makes nothing yet.
pub(crate) fn throw_away(service: &str) -> Result<PathBuf, Error> {
    let random = password::generate()?.digest().to_hex();
    Ok(memory().join(format!("zcomm-{service}-{}", &random[..16])))
}

/// Whether a record may name `folder` as that of a service whose data is thrown away.
pub(crate) fn is_throw_away(folder: &Path, service: &str) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let ours = |found: fs::Metadata| found.uid() == rustix::process::geteuid().as_raw();
    // One that is gone already has nothing that could be read or removed.
    name.starts_with(&format!("zcomm-{service}-"))
        && fs::symlink_metadata(folder).map_or(true, |found| found.is_dir() && ours(found))
}

/// Makes that folder, with the mark without which it would never be removed.
pub(crate) fn make_throw_away(folder: &Path, account: Option<&Unprivileged>) -> Result<(), Error> {
    let mark = folder.join(THROW_AWAY);
    if mark.is_file() {
        return Ok(());
    }
    // It must be new: in a folder that everybody may write to, somebody else could have made it.
    DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(Error::io("create", folder))?;
    fs::write(&mark, "").map_err(Error::io("write", &mark))?;
    set_mode(folder, folder_mode(account))
}

/// Removes a folder that was made to be thrown away; leaves any other.
pub(crate) fn discard(folder: &Path) -> Result<(), Error> {
    if !folder.join(THROW_AWAY).is_file() {
        return Ok(());
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// A folder that the account owns, as that of the data. One that is there already stays whose it is.
pub(crate) fn own(folder: &Path, account: Option<&Unprivileged>) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    make(folder, 0o700)?;
    let Some(account) = account else {
        return Ok(());
    };
    lchown(folder, Some(account.uid), Some(account.gid)).map_err(Error::io("hand over", folder))
}

/// Writes a file that only `account`, else we, may read. Whatever was there under that name is replaced.
pub(crate) fn secret_file(
    path: &Path,
    text: &str,
    account: Option<&Unprivileged>,
) -> Result<(), Error> {
    let fresh = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = create_new(&fresh)?;
        file.write_all(text.as_bytes())?;
        if let Some(account) = account {
            fchown(&file, Some(account.uid), Some(account.gid))?;
        }
        fs::rename(&fresh, path)
    };
    write().map_err(Error::io("write", path))
}

/// The log of the service in `folder`, opened for its output.
pub(crate) fn open_log(folder: &Path) -> Result<File, Error> {
    let path = log(folder);
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path);
    file.map_err(Error::io("open", &path))
}

/// Where the output of the service in `folder` goes.
pub(crate) fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// Keeps the password of a plan before its server runs, unless another one is kept: that one stays until the server
/// has answered to the new one.
pub(crate) fn keep_first_password(plan: &StartPlan) -> Result<(), Error> {
    match &plan.endpoint.password {
        Some(password) if !is_other_password(plan) => keep_password(&plan.folder, password),
        _ => Ok(()),
    }
}

/// Keeps the password that belongs to the data of `folder`.
pub(crate) fn keep_password(folder: &Path, password: &Secret) -> Result<(), Error> {
    secret_file(&password_file(folder), password.expose(), None)
}

/// The password that belongs to the data of `folder`, if there is one that we may read.
pub(crate) fn known_password(folder: &Path) -> Option<Secret> {
    kept_password(folder).ok().flatten()
}

/// The same, where one that cannot be read must not count as none: another would take its place.
pub(crate) fn kept_password(folder: &Path) -> Result<Option<Secret>, Error> {
    let file = password_file(folder);
    match fs::read_to_string(&file) {
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &file)(error)),
    }
}

/// Whether the plan has another password than the one that is kept, which may be the only one that the data knows.
pub(crate) fn is_other_password(plan: &StartPlan) -> bool {
    let kept = known_password(&plan.folder);
    let planned = plan.endpoint.password.as_ref();
    kept.zip(planned)
        .is_some_and(|(kept, planned)| kept.expose() != planned.expose())
}

/// Where the password of the data of `folder` is kept.
pub(crate) fn password_file(folder: &Path) -> PathBuf {
    folder.join(PASSWORD)
}

/// Notes that the data that belongs to `folder` is in one of the caller's own.
pub(crate) fn keep_data_dir(folder: &Path, data_dir: &Path) -> Result<(), Error> {
    secret_file(&folder.join(DATA_DIR), &data_dir.to_string_lossy(), None)
}

/// The caller's own folder whose data belongs to `folder`, if there was one.
pub(crate) fn known_data_dir(folder: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(folder.join(DATA_DIR)).ok()?;
    Some(PathBuf::from(text))
}

/// What is in `folder`, but for the password and the note of the data that it opens.
pub(crate) fn without_password(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = || -> io::Result<Vec<PathBuf>> {
        let all: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
        let others = all?.into_iter().filter(|entry| {
            let name = entry.file_name();
            name != PASSWORD && name != DATA_DIR
        });
        Ok(others.map(|entry| entry.path()).collect())
    };
    list().map_err(Error::io("list", folder))
}

/// Notes which container's volume holds the data that belongs to `folder`.
pub(crate) fn keep_container(
    folder: &Path,
    container: &Container,
    project: &Path,
) -> Result<(), Error> {
    let note = ContainerNote {
        project: project.to_owned(),
        container: container.clone(),
    };
    let json = serde_json::to_string(&note).expect("it holds texts only");
    secret_file(&folder.join(CONTAINER), &json, None)
}

/// The container whose volume holds the data of a service of `project`, if one does.
///
/// What a copy of another project brought along is that one's, and not believed.
pub(crate) fn known_container(project: &Project, service: &str) -> Option<Container> {
    let file = project.kept(service).join(CONTAINER);
    let note: ContainerNote = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
    let ours = note.project == project.root() && note.container.is_of(service, project.root());
    ours.then_some(note.container)
}

/// Others may pass through, and not look, where a server runs under another account.
fn folder_mode(account: Option<&Unprivileged>) -> u32 {
    if account.is_some() { 0o711 } else { 0o700 }
}

/// The one name of a path of which the end may not be there yet.
fn canonical(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn make(folder: &Path, mode: u32) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    set_mode(folder, mode)
}

fn set_mode(folder: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the mode of", folder))
}

/// `/dev/shm`, if it is in memory and has room; else the folder for temporary files.
fn memory() -> PathBuf {
    let shm = Path::new("/dev/shm");
    let roomy =
        rustix::fs::statvfs(shm).is_ok_and(|found| found.f_bavail * found.f_frsize >= ENOUGH);
    let usable = roomy && rustix::fs::access(shm, rustix::fs::Access::WRITE_OK).is_ok();
    if usable {
        shm.to_owned()
    } else {
        std::env::temp_dir()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_a_copy_brought_along_goes_and_any_other_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::of(folder.path());
        let kept = project.kept("naps");
        fs::create_dir_all(kept.parent().unwrap()).unwrap();

        symlink("/var/lib/zcomm/0123456789abcdef/naps", &kept).unwrap();
        let home = project.home("naps", None).unwrap();
        fs::remove_dir(&home).unwrap();
        symlink(folder.path(), &kept).unwrap();
        let strange = project.home("naps", None).unwrap_err();

        assert_eq!(home, kept);
        assert_eq!(strange.code(), "foreign_link");
    }

    #[test]
    fn the_note_of_another_projects_container_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("here"), folder.path().join("there"));
        let (here, there) = (Project::of(&here), Project::of(&there));
        let plan = StartPlan::new(zcomm_core::service::Endpoint::local(1), here.kept("naps"));
        let engine = serde_json::from_str("\"docker\"").unwrap();
        let container = Container::named(engine, "naps", here.root(), &plan.persistent());
        for project in [&here, &there] {
            let kept = project.kept("naps");
            fs::create_dir_all(&kept).unwrap();
            keep_container(&kept, &container, here.root()).unwrap();
        }

        assert_eq!(known_container(&here, "naps"), Some(container.clone()));
        assert_eq!(known_container(&there, "naps"), None);
        keep_container(&there.kept("naps"), &container, there.root()).unwrap();
        assert_eq!(known_container(&there, "naps"), None);
    }

    #[test]
    fn only_a_marked_folder_is_discarded() {
        let precious = tempfile::tempdir().unwrap();
        let scratch = throw_away("made-up").unwrap();
        make_throw_away(&scratch, None).unwrap();
        fs::write(scratch.join("dump"), "x").unwrap();

        discard(precious.path()).unwrap();
        discard(&scratch).unwrap();

        assert!(precious.path().is_dir());
        assert!(!scratch.exists());
    }

    #[test]
    fn a_secret_file_replaces_a_link_and_not_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "precious").unwrap();
        symlink(&target, &link).unwrap();

        secret_file(&link, "s3cr3t", None).unwrap();

        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
        assert_eq!(fs::read_to_string(&link).unwrap(), "s3cr3t");
        assert_eq!(
            fs::metadata(&link).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_password_stays_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = password::generate().unwrap();

        keep_password(folder.path(), &fresh).unwrap();

        let known = known_password(folder.path()).unwrap();
        assert_eq!(known.expose(), fresh.expose());
    }
}
