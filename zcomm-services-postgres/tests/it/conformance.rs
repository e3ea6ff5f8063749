//! The suite of `zcomm-services`, run against PostgreSQL as a process and as a container.

use async_trait::async_trait;
use zcomm_core::service::ConnectionInfo;

use crate::support::psql;

async fn put(at: &ConnectionInfo, value: &str) {
    let query = format!(
        "DROP TABLE IF EXISTS colours; CREATE TABLE colours AS SELECT '{value}'::text AS name"
    );
    let said = psql(at.connection_string.expose(), &query);
    assert!(said.contains("SELECT 1"), "{said}");
}

async fn fetch(at: &ConnectionInfo) -> Option<String> {
    let said = psql(at.connection_string.expose(), "SELECT name FROM colours");
    (!said.contains("does not exist")).then_some(said)
}

mod process {
    use zcomm_services::conformance::Subject;

    use super::*;

    struct AsProcess;

    #[async_trait]
    impl Subject for AsProcess {
        type Driver = zcomm_services_postgres::Postgres;
        const PLUGIN: zcomm_core::Plugin = zcomm_services_postgres::PLUGIN;

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
        type Driver = zcomm_services_postgres::Postgres;
        const PLUGIN: zcomm_core::Plugin = zcomm_services_postgres::PLUGIN;
        const SOURCE: Source = Source::Container;

        fn options() -> StartOptions {
            let mut options = StartOptions::new();
            options.image = std::env::var("ZCOMM_TEST_POSTGRES_IMAGE").ok();
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
