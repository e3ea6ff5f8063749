//! What is read from where, in folders of the test's own.

use std::fs;

use tempfile::TempDir;
use zcomm_core::settings::{KEYS, WEBSOCKET_KEYS};

use super::*;

struct Home {
    folder: TempDir,
}

impl Home {
    /// A home whose configuration folder has this machine file, and a project in it.
    fn new(machine: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("config/zcomm");
        fs::create_dir_all(&config).unwrap();
        fs::create_dir(folder.path().join("project")).unwrap();
        if let Some(yaml) = machine {
            fs::write(config.join("machine.yaml"), yaml).unwrap();
        }
        Self { folder }
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn read(&self, more: &[(&str, &str)]) -> Result<Sources, Unreadable> {
        let config = self.folder.path().join("config").display().to_string();
        // The folder is named for each system's rule.
        let mut variables = vec![
            ("XDG_CONFIG_HOME".to_owned(), config.clone()),
            ("APPDATA".to_owned(), config),
        ];
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        variables.extend(more);
        Sources::read_with(&self.project(), variables)
    }
}

#[cfg(not(target_os = "macos"))]
#[test]
fn files_and_variables_become_layers() {
    let home = Home::new(Some("title: machine\nlogger_path: logs\n"));
    fs::write(
        home.project().join(ZENV),
        "WEBSOCKET_PORT=1\nWEBSOCKET_TOKEN_FILE=t\n",
    )
    .unwrap();
    fs::write(home.project().join("t"), "s3cr3t\n").unwrap();

    let sources = home.read(&[("WEBSOCKET_PORT", "2")]).unwrap();
    let settings = sources
        .loader(KEYS.iter().chain(WEBSOCKET_KEYS))
        .load()
        .unwrap();

    assert_eq!(settings.text("title"), Some("machine"));
    assert_eq!(settings.port("websocket.port"), Some(1));
    assert_eq!(
        settings.secret("websocket.token").unwrap().expose(),
        "s3cr3t"
    );
    let logs = home.folder.path().join("config/zcomm/logs");
    assert_eq!(settings.path("logger_path"), Some(logs.as_path()));
    assert!(!format!("{sources:?}").contains("s3cr3t"));
}

#[test]
fn a_named_machine_file_is_taken_instead() {
    let home = Home::new(Some("title: machine\n"));
    let named = home.folder.path().join("named.yaml");
    fs::write(&named, "title: named\n").unwrap();

    let sources = home
        .read(&[("ZCOMM_CONFIG", &named.display().to_string())])
        .unwrap();

    assert_eq!(sources.machine_file(), Some(named.as_path()));
    assert_eq!(
        sources.loader(KEYS).load().unwrap().text("title"),
        Some("named")
    );
}

#[test]
fn a_named_machine_file_that_is_missing_is_an_error() {
    let home = Home::new(Some("title: machine\n"));
    let named = home.folder.path().join("gone.yaml");

    let error = home
        .read(&[("ZCOMM_CONFIG", &named.display().to_string())])
        .unwrap_err();

    assert!(matches!(&error, Unreadable::NoMachineFile { path } if *path == named));
    assert_eq!(error.code(), "no_machine_file");
}

#[test]
fn a_file_that_is_there_and_cannot_be_read_is_an_error() {
    let home = Home::new(None);
    fs::create_dir(home.project().join(ZENV)).unwrap();

    let error = home.read(&[]).unwrap_err();

    assert!(matches!(error, Unreadable::File { path, .. } if path.ends_with(ZENV)));
}

#[test]
fn a_project_without_a_file_of_its_own_is_fine() {
    let sources = Home::new(None).read(&[]).unwrap();

    assert_eq!(sources.zenv_file(), None);
    assert_eq!(sources.warnings(), []);
}

#[cfg(unix)]
#[test]
fn a_project_file_that_others_may_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new(None);
    let zenv = home.project().join(ZENV);
    fs::write(&zenv, "A=1\n").unwrap();
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o644, true)] {
        fs::set_permissions(&zenv, fs::Permissions::from_mode(mode)).unwrap();

        let sources = home.read(&[]).unwrap();

        let modes: Vec<u32> = sources.warnings().iter().map(|file| file.mode).collect();
        assert_eq!(modes, if warned { vec![mode] } else { vec![] });
    }
    assert!(
        home.read(&[]).unwrap().warnings()[0]
            .to_string()
            .contains("(mode 644): chmod 600 ")
    );
}

#[test]
fn the_environment_of_the_process_is_read_and_not_changed() {
    let home = Home::new(None);
    fs::write(home.project().join(ZENV), "PATH=nowhere\n").unwrap();
    let before = std::env::var("PATH").unwrap();
    let variables = environment();

    let sources = Sources::read_with(&home.project(), variables).unwrap();
    let settings = sources.loader(KEYS).load().unwrap();

    assert_eq!(settings.var("PATH"), Some("nowhere"));
    assert_eq!(std::env::var("PATH").unwrap(), before);
}
