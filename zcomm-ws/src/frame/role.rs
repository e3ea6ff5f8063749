//! Which end of a connection this is. Nothing else: the rules that follow from it are where they apply.

/// The end of the connection that this process plays.
///
/// A server receives masked frames and sends unmasked ones, a client the reverse (RFC 6455 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// This end opened the connection.
    Client,
    /// This end accepted the connection.
    Server,
}

impl Role {
    /// Whether the frames that arrive at this end must be masked.
    pub fn receives_masked(self) -> bool {
        self == Self::Server
    }

    /// Whether the frames that leave this end must be masked.
    pub fn sends_masked(self) -> bool {
        self == Self::Client
    }
}
