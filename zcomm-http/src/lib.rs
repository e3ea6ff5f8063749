//! The HTTP client of zcomm: requests with deadlines, retries, a circuit breaker, and errors that say what failed.
//!
//! ```no_run
//! # async fn example() -> Result<(), zcomm_http::Error> {
//! use serde_json::{Value, json};
//! use zcomm_http::HttpClient;
//!
//! let client = HttpClient::builder().build()?;
//! let users: Value = client.get("https://api.example.com/users").query([("page", 2)]).send().await?.json().await?;
//! // Nothing instead of an error, for those who look no further:
//! let saved = client.http_post("https://api.example.com/users", &json!({"name": "Ada"})).ok().await;
//! # Ok(()) }
//! ```
//!
//! A status of 400 and above is an answer. What kept an answer from coming is an [`Error`], which names the phase, the
//! host and the attempt. By default a call may take 30 seconds in all, opening a connection ten of them, and a body may
//! pause for 15; [`HttpClientBuilder`] names every other default.
//!
//! The client is a stack of [`layers`] over a [`Transport`]; this crate registers one for `http`
//! and `https`, on reqwest and hyper.

pub mod layers;
#[cfg(feature = "test-util")]
pub mod mock;

mod address;
mod call;
mod client;
mod error;
mod multipart;
mod params;
mod redact;
mod request;
mod response;
mod settings;
mod transport;

use std::sync::Arc;

use zcomm_core::{Plugin, Settings, Transport};

pub use client::{HttpClient, HttpClientBuilder};
pub use error::{Error, Format, Limit, Place};
pub use layers::{Breaker, Credential, HostLimit, Retry, Signer};
pub use multipart::{Form, Part};
pub use params::Params;
pub use redact::Redacted;
pub use request::RequestBuilder;
pub use response::Response;
pub use transport::{ReqwestTransport, ReqwestTransportBuilder};

fn make_transport(settings: &Settings) -> Result<Arc<dyn Transport>, zcomm_core::Error> {
    Ok(Arc::new(transport::DeferredTransport::new(settings)))
}

/// What this crate brings to a program: the transport for `http` and `https`.
pub const PLUGIN: Plugin = Plugin::new("http", env!("CARGO_PKG_NAME"))
    .aliases(&["https"])
    .keys(settings::KEYS)
    .transport(make_transport);
zcomm_core::inventory::submit!(PLUGIN);
