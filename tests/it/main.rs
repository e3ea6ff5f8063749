//! The facade and the program as their users meet them, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, and says where"
)]

mod cache;
mod data_program;
mod examples;
mod facade;
mod hostile_life;
mod http_program;
mod isolation;
mod level2;
mod needs_postgres;
mod needs_redis;
mod program;
mod run;
mod serve;
mod settings;
mod soak;
mod sockets;
mod terminal;
mod told;
mod tutorial;
mod wrong_settings;
