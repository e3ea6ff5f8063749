//! The layers of the client's stack, each a tower layer that stands alone; `HttpClientBuilder` puts them in order.

pub mod attempt;
pub mod breaker;
pub mod credential;
pub mod host_limit;
pub mod redirect;
pub mod retry;
pub mod sign;
pub mod total;
pub mod trace;

mod hosts;

pub use attempt::AttemptLayer;
pub use breaker::{Breaker, BreakerLayer};
pub use credential::{Credential, CredentialLayer};
pub use host_limit::{HostLimit, HostLimitLayer};
pub use redirect::RedirectLayer;
pub use retry::{Retry, RetryLayer};
pub use sign::{SignLayer, Signer};
pub use total::TotalLayer;
pub use trace::TraceLayer;
