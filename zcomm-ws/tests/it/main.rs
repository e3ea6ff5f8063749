//! The crate's black-box tests, in one binary.

mod admission;
mod bifrost;
mod frame_properties;
mod frame_rules;
mod handshake_properties;
mod peer;
mod server;
mod stream;
