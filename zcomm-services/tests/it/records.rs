//! Records that this project did not write: copied along, fetched from somewhere, or written by others.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};
use zcomm_services::{Error, Manager};

use crate::custom::project;

/// A record that would count, but for what a test changes: that this program runs in place of a server.
fn record(folder: &Path) -> Value {
    let root = folder.canonicalize().unwrap().join(".zcomm");
    json!({
        "project": root, "source": "container", "host": "127.0.0.1", "port": 1,
        "user": null, "database": null,
        "folder": root.join("services/naps"), "data_dir": root.join("services/naps/data"),
        "throw_away": false, "version": null, "extra_args": [], "detached": true,
        "owner": null, "process": null, "guard": null,
    })
}

/// Makes the folder of records, and the one in it.
fn write(folder: &Path, record: &Value) {
    let run = folder.join(".zcomm/run");
    fs::create_dir_all(&run).unwrap();
    let file = run.join("naps.json");
    fs::write(&file, record.to_string()).unwrap();
    fs::set_permissions(&run, PermissionsExt::from_mode(0o700)).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
}

async fn refusal(manager: &Manager) -> Error {
    manager.status("naps").await.unwrap_err()
}

#[tokio::test]
async fn a_command_that_a_record_names_is_not_run() {
    let (folder, manager) = project();
    let (script, ran) = (folder.path().join("engine"), folder.path().join("ran"));
    fs::write(
        &script,
        format!("#!/bin/sh\ntouch {}\necho true\n", ran.display()),
    )
    .unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let mut evil = record(folder.path());
    evil["container"] = json!({"engine": script, "name": "x", "volume": null});
    write(folder.path(), &evil);

    let error = refusal(&manager).await;

    assert_eq!(error.code(), "damaged_record");
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_record_that_others_may_write_is_refused() {
    let (folder, manager) = project();
    write(folder.path(), &record(folder.path()));
    let run = folder.path().join(".zcomm/run");

    fs::set_permissions(run.join("naps.json"), PermissionsExt::from_mode(0o622)).unwrap();
    let of_file = refusal(&manager).await;
    fs::set_permissions(run.join("naps.json"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::set_permissions(&run, PermissionsExt::from_mode(0o777)).unwrap();
    let of_folder = refusal(&manager).await;
    let of_start = manager.stop("naps").await.unwrap_err();

    assert_eq!(of_file.code(), "untrusted");
    assert_eq!(of_folder.code(), "untrusted");
    assert_eq!(of_start.code(), "untrusted");
}

/// A log is shown of a service whose record counts: it tells whether one does.
async fn counts(change: impl FnOnce(&mut Value)) -> bool {
    let (folder, manager) = project();
    let mut record = record(folder.path());
    let throw_away = folder.path().join("zcomm-naps-1");
    fs::create_dir_all(&throw_away).unwrap();
    fs::write(throw_away.join("server.log"), "of the record\n").unwrap();
    record["folder"] = json!(throw_away);
    record["throw_away"] = json!(true);
    change(&mut record);
    write(folder.path(), &record);

    manager.logs("naps", 1).await.is_ok()
}

#[tokio::test]
async fn only_a_record_of_this_project_that_names_what_it_would_name_counts() {
    assert!(counts(|_| {}).await);
    assert!(!counts(|record| record["project"] = json!("/elsewhere/.zcomm")).await);
    assert!(!counts(|record| drop(record.as_object_mut().unwrap().remove("project"))).await);
    assert!(!counts(|record| record["host"] = json!("192.0.2.1")).await);
    assert!(!counts(|record| record["throw_away"] = json!(false)).await);
    let foreign = json!({"by": "systemd", "name": "ssh.service"});
    assert!(!counts(|record| record["unit"] = foreign).await);
    let container = json!({"engine": "docker", "name": "theirs", "volume": null});
    assert!(!counts(|record| record["container"] = container).await);
}
