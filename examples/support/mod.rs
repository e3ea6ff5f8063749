//! What the HTTP examples share: a server to talk to, so that they run anywhere.

pub(crate) mod echo;
pub(crate) mod target;
