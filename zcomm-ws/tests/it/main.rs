//! The crate's black-box tests, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

mod admission;
mod answers;
mod bifrost;
mod client;
#[cfg(feature = "compression")]
mod compression;
#[cfg(feature = "compression")]
mod deflate_properties;
mod fragments;
mod frame_properties;
mod frame_rules;
mod handshake_properties;
mod hostile_frames;
mod hostile_handshake;
mod hub;
mod life;
mod peer;
mod probes;
mod proxies;
mod server;
mod services;
mod serving;
mod stream;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "compression"))]
mod without_compression;
#[cfg(not(feature = "tls"))]
mod without_tls;
#[cfg(target_os = "linux")]
mod workers;
