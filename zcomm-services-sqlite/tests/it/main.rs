//! SQLite as a store: the suite that every store runs, and what is SQLite's own.

#![allow(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

mod conformance;
mod deadline;
mod file;
mod foreign;
mod support;
