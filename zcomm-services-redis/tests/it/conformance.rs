//! The suite of `zcomm-services`, run against Redis as a process and as a container.

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zcomm_core::service::ConnectionInfo;

/// What the server answers to one line.
async fn say(at: &ConnectionInfo, line: &str) -> String {
    let at = &at.endpoint;
    let mut stream = TcpStream::connect((at.host.as_str(), at.port))
        .await
        .unwrap();
    let password = at
        .password
        .as_ref()
        .map_or("", |password| password.expose());
    let words = format!("AUTH {password}\r\n{line}\r\nQUIT\r\n");
    stream.write_all(words.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let answer = answer
        .strip_prefix("+OK\r\n")
        .expect("the password is right");
    answer.trim_end_matches("+OK\r\n").to_owned()
}

async fn put(at: &ConnectionInfo, value: &str) {
    // What is answered is on the disk then: a server that is killed keeps it.
    assert_eq!(say(at, "CONFIG SET appendfsync always").await, "");
    say(at, &format!("SET colour {value}")).await;
}

async fn fetch(at: &ConnectionInfo) -> Option<String> {
    let answer = say(at, "GET colour").await;
    answer.lines().nth(1).map(str::to_owned)
}

mod process {
    use zcomm_services::conformance::Subject;

    use super::*;

    struct AsProcess;

    #[async_trait]
    impl Subject for AsProcess {
        type Driver = zcomm_services_redis::Redis;
        const PLUGIN: zcomm_core::Plugin = zcomm_services_redis::PLUGIN;

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
        type Driver = zcomm_services_redis::Redis;
        const PLUGIN: zcomm_core::Plugin = zcomm_services_redis::PLUGIN;
        const SOURCE: Source = Source::Container;

        fn options() -> StartOptions {
            let mut options = StartOptions::new();
            options.image = std::env::var("ZCOMM_TEST_REDIS_IMAGE").ok();
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
