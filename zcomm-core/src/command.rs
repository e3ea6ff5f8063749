//! What a message asks for once it is resolved. Made by a protocol, read by policies, caches and handlers.

use crate::action::Action;

/// What a message asks for, parsed once. Requests carry it as the extension `Arc<Command>`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {
    /// An event that names no rows.
    Event(String),
}

impl Command {
    /// What a policy has to know of it.
    pub fn action(&self) -> Action<'_> {
        match self {
            Self::Event(name) => Action::Event(name),
        }
    }
}
