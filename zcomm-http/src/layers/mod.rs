//! The layers of the client's stack, each a tower layer that stands alone; `HttpClientBuilder` puts them in order.
//!
//! ```text
//! trace               logs and measures each call
//!   total             its whole time, body included
//!     redirect        each hop is a request of its own from here on
//!       credential    as whom it goes out, if there is a layer that wants to know
//!         …           the application's layers; a cache belongs here
//!           breaker   leaves a host alone that failed too often
//!             retry   each attempt is a request of its own from here on
//!               host_limit
//!                 attempt    counts, and ends an attempt that takes too long
//!                   sign
//!                     transport
//! ```

pub mod attempt;
pub mod breaker;
pub mod credential;
pub mod host_limit;
pub mod redirect;
pub mod retry;
pub mod sign;
pub mod total;
pub mod trace;

pub(crate) mod again;

mod hosts;

use std::time::Duration;

/// Longer than any call: what stands for "no limit", and what can still be added to the time that it is.
pub(crate) const FOREVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

pub use attempt::AttemptLayer;
pub use breaker::{Breaker, BreakerLayer};
pub use credential::CredentialLayer;
pub use host_limit::{HostLimit, HostLimitLayer};
pub use redirect::RedirectLayer;
pub use retry::{Retry, RetryLayer};
pub use sign::{SignLayer, Signer};
pub use total::TotalLayer;
pub use trace::TraceLayer;
pub use zcomm_core::Credential;
