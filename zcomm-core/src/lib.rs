//! The seams of zcomm: what its crates share, and nothing that does I/O.

mod secret;
pub mod settings;

pub use secret::{Secret, SecretDigest};
