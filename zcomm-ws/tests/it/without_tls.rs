//! A build without TLS: whoever asks for it learns what is missing.

use zcomm_ws::server::Server;

use crate::serving::config;

#[tokio::test]
async fn asking_for_tls_names_the_feature_that_has_it() {
    let mut config = config();
    config.ssl_enabled = true;

    let error = Server::builder().config(config).bind().await.unwrap_err();

    assert_eq!(error.code(), "tls_missing");
    assert!(error.to_string().contains("feature `tls`"), "{error}");
}
