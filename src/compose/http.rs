//! The HTTP client over every transport that is registered. Opens nothing.

use std::sync::Arc;

use zcomm_http::{HttpClient, HttpClientBuilder};

use crate::core::{Settings, Transport};

/// A client with the settings' deadlines.
pub(crate) fn client(transports: &[Arc<dyn Transport>], settings: &Settings) -> HttpClient {
    let builder = HttpClient::builder().settings(settings);
    let builder = transports
        .iter()
        .cloned()
        .fold(builder, HttpClientBuilder::transport);
    builder
        .build()
        .expect("nothing was given to the builder that could be wrong")
}
