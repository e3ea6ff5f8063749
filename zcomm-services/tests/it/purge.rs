//! What a purge removes, and what it must leave: the caller's data, with what opens it.

use std::fs;
use std::os::unix::fs::symlink;

use crate::custom::project;

#[tokio::test]
async fn what_a_strange_link_leads_to_is_not_removed() {
    let (folder, manager) = project();
    let precious = tempfile::tempdir().unwrap();
    fs::write(precious.path().join("file"), "dear").unwrap();
    let services = folder.path().join(".zcomm/services");
    fs::create_dir_all(&services).unwrap();
    symlink(precious.path(), services.join("naps")).unwrap();

    let error = manager.purge("naps").await.unwrap_err();

    assert_eq!(error.code(), "foreign_link");
    assert_eq!(
        manager.purgeable("naps").unwrap_err().code(),
        "foreign_link"
    );
    let left = fs::read_to_string(precious.path().join("file")).unwrap();
    assert_eq!(left, "dear");
}

#[tokio::test]
async fn a_link_to_nothing_is_removed() {
    let (folder, manager) = project();
    let services = folder.path().join(".zcomm/services");
    fs::create_dir_all(&services).unwrap();
    symlink("/no/such/folder", services.join("naps")).unwrap();

    let purged = manager.purge("naps").await.unwrap();

    assert_eq!(purged.removed.len(), 1);
    assert!(fs::symlink_metadata(services.join("naps")).is_err());
}

#[tokio::test]
async fn data_of_the_callers_own_below_what_would_go_keeps_it_all() {
    let (folder, manager) = project();
    let home = folder.path().join(".zcomm/services/naps");
    let data = home.join("mine");
    fs::create_dir_all(&data).unwrap();
    fs::write(home.join("data-dir"), data.to_str().unwrap()).unwrap();

    let error = manager.purge("naps").await.unwrap_err();

    assert_eq!(error.code(), "data_inside");
    assert!(data.is_dir());
}

#[tokio::test]
async fn the_password_stays_as_long_as_the_data_that_it_opens() {
    let (folder, manager) = project();
    let data = tempfile::tempdir().unwrap();
    let home = folder.path().join(".zcomm/services/naps");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("data-dir"), data.path().to_str().unwrap()).unwrap();
    fs::write(home.join("password"), "s3cr3t").unwrap();
    fs::write(home.join("server.log"), "words").unwrap();

    let purged = manager.purge("naps").await.unwrap();

    assert_eq!(purged.kept.as_deref(), Some(data.path()));
    assert!(!home.join("server.log").exists());
    assert_eq!(fs::read_to_string(home.join("password")).unwrap(), "s3cr3t");
}
