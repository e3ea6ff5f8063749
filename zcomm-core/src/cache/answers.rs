//! The synchronous look-up that a connection makes before it parses a command.

use std::sync::Arc;

use bytes::Bytes;

use crate::command::Command;
use crate::identity::Scope;

/// An answer that is still current, and the command that it answered.
///
/// The command is there so that the front can ask the policy again: a remembered answer is never a way around it.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The whole reply object, without an id.
    pub answer: Bytes,
    /// What it answers.
    pub command: Arc<Command>,
}

/// Answers that are known by the very bytes of the message that asked for them.
///
/// The front of a connection asks before anything is parsed, so an implementation neither blocks nor allocates more
/// than it must. It gives back only what it would also give through the cache layer: kept for exactly this scope,
/// not expired, and of the model's current generation.
pub trait AnswerCache: Send + Sync {
    /// The current answer to this message (its id cut out) for callers of this scope.
    fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered>;
}
