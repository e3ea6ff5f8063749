//! The suite of the core, against a file and against memory.

use zcomm_core::data::conformance;
use zcomm_services_sqlite::{Config, SqliteStore};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_answers_as_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    let files = std::sync::atomic::AtomicU32::new(0);
    let open = async || {
        let number = files.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut config = Config::file(folder.path().join(format!("{number}.db")));
        config.synchronous = zcomm_services_sqlite::Synchronous::Normal;
        SqliteStore::open(&config).unwrap()
    };

    let report = conformance::check(open).await;

    assert!(report.unwrap_or_else(|failure| panic!("{failure}")).cases > 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_answers_as_the_reference() {
    let open = async || SqliteStore::open(&Config::memory()).unwrap();

    let report = conformance::check(open).await;

    assert!(report.unwrap_or_else(|failure| panic!("{failure}")).cases > 1000);
}
