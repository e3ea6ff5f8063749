//! A build without compression: it says so, where it is asked for.

use zcomm_ws::Error;
use zcomm_ws::client::{Client, ClientError};
use zcomm_ws::server::Server;

use crate::serving::config;

#[tokio::test]
async fn a_build_without_compression_does_not_start_where_it_is_asked_for() {
    let mut config = config();
    config.compression = true;

    let error = Server::builder().config(config).bind().await.unwrap_err();

    assert!(matches!(error, Error::CompressionMissing), "{error:?}");
    assert!(error.to_string().contains("feature `compression`"));
}

#[tokio::test]
async fn a_client_without_compression_opens_nothing_where_it_is_asked_for() {
    let client = Client::builder("ws://127.0.0.1:1").compression();

    let error = client.connect().await.unwrap_err();

    assert!(
        matches!(error, ClientError::CompressionMissing),
        "{error:?}"
    );
}
