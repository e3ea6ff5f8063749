//! The PostgreSQL driver against real servers: made, started, asked, stopped, refused.
//!
//! They need `postgres`, `initdb` and `psql` (`apt-get install postgresql`) and fail without them.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, too"
)]

mod conformance;
mod life;
mod needs_docker;
mod probe;
mod support;
