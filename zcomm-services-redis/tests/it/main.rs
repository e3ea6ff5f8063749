//! The Redis driver against real servers: started, found, adopted, refused, stopped.
//!
//! They need `redis-server` (`apt-get install redis-server`) and fail without it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and a test's child process speaks through its output"
)]

mod adopt;
mod conformance;
mod host;
mod life;
mod needs_docker;
mod refuse;
mod support;
