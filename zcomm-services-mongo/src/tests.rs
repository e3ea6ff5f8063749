//! The suite of `zcomm-services`, run against a server of MongoDB's protocol. It lives here because it speaks to the
//! server by this crate's own few messages.

use async_trait::async_trait;
use zcomm_core::service::{ConnectionInfo, Endpoint};

use crate::bson::Document;
use crate::session::log_in;
use crate::wire::Client;

async fn client(at: &Endpoint) -> Client {
    let mut client = Client::connect(&at.host, at.port)
        .await
        .expect("it listens");
    log_in(&mut client, at)
        .await
        .expect("the password is right");
    client
}

async fn put(at: &ConnectionInfo, value: &str) {
    let mut client = client(&at.endpoint).await;
    let row = Document::new().text("name", value);
    // What is answered is on the disk then: a server that is killed keeps it.
    let lasting = Document::new().number("w", 1).flag("j", true);
    let insert = Document::new()
        .text("insert", "colours")
        .list("documents", &row)
        .document("writeConcern", &lasting);
    client.ask(insert, "suite").await.expect("it is written");
}

async fn fetch(at: &ConnectionInfo) -> Option<String> {
    let mut client = client(&at.endpoint).await;
    let find = Document::new().text("find", "colours");
    let found = client.ask(find, "suite").await.expect("it is read");
    let batch = found.fields("cursor")?.fields("firstBatch")?;
    Some(batch.fields("0")?.text("name")?.to_owned())
}

mod needs_mongo {
    use zcomm_services::conformance::Subject;

    use super::*;

    struct AsProcess;

    #[async_trait]
    impl Subject for AsProcess {
        type Driver = crate::Mongo;
        const PLUGIN: zcomm_core::Plugin = crate::PLUGIN;

        fn settings() -> Vec<(String, String)> {
            let program = std::env::var("ZCOMM_MONGOD").ok();
            let row = |path| ("mongodb.program".to_owned(), path);
            program.map(row).into_iter().collect()
        }

        async fn put(at: &ConnectionInfo, value: &str) {
            put(at, value).await;
        }

        async fn fetch(at: &ConnectionInfo) -> Option<String> {
            fetch(at).await
        }
    }

    zcomm_services::conformance!(AsProcess);
}

mod needs_docker {
    use zcomm_services::conformance::Subject;
    use zcomm_services::{Source, StartOptions};

    use super::*;

    struct AsContainer;

    #[async_trait]
    impl Subject for AsContainer {
        type Driver = crate::Mongo;
        const PLUGIN: zcomm_core::Plugin = crate::PLUGIN;
        const SOURCE: Source = Source::Container;

        fn options() -> StartOptions {
            let mut options = StartOptions::new();
            options.image = std::env::var("ZCOMM_TEST_MONGO_IMAGE").ok();
            options
        }

        async fn put(at: &ConnectionInfo, value: &str) {
            put(at, value).await;
        }

        async fn fetch(at: &ConnectionInfo) -> Option<String> {
            fetch(at).await
        }
    }

    zcomm_services::conformance!(AsContainer);
}
