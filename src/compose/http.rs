//! The HTTP client over every transport that is registered. Opens nothing.

use std::sync::Arc;

use zcomm_http::{HttpClient, HttpClientBuilder};

use crate::core::{Settings, Transport};

/// A client that is not built yet, with the settings' deadlines.
pub(crate) fn builder(transports: &[Arc<dyn Transport>], settings: &Settings) -> HttpClientBuilder {
    let builder = HttpClient::builder().settings(settings);
    transports
        .iter()
        .cloned()
        .fold(builder, HttpClientBuilder::transport)
}

/// A client with the settings' deadlines.
pub(crate) fn client(transports: &[Arc<dyn Transport>], settings: &Settings) -> HttpClient {
    builder(transports, settings)
        .build()
        .expect("nothing was given to the builder that could be wrong")
}
