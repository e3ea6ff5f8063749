//! The manager with a driver that is made up: what does not depend on any one service.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, too"
)]

mod custom;
mod purge;
mod records;
