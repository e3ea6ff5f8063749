//! The cache as its users meet it: layers around services of a test, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

mod bounds;
mod commands;
mod http;
mod kept;
mod loads;
mod stack;
