//! The crate's black-box tests, in one binary.

mod frame_properties;
mod frame_rules;
mod handshake_properties;
mod stream;
