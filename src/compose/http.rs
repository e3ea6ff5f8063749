//! The HTTP client over every transport that is registered. Opens nothing.

use zcomm_http::{HttpClient, HttpClientBuilder};

use crate::comm::Inner;

/// A client that is not built yet, with the settings' deadlines, and with a cache where they ask for one.
pub(crate) fn builder(comm: &Inner) -> HttpClientBuilder {
    let builder = HttpClient::builder().settings(&comm.settings);
    let transports = comm.transports.iter().cloned();
    let builder = transports.fold(builder, HttpClientBuilder::transport);
    #[cfg(feature = "cache")]
    if comm.settings.flag("http.cache") {
        return builder.layer(super::cache(comm).http_layer());
    }
    builder
}

/// A client with the settings' deadlines.
pub(crate) fn client(comm: &Inner) -> HttpClient {
    builder(comm)
        .build()
        .expect("nothing was given to the builder that could be wrong")
}
