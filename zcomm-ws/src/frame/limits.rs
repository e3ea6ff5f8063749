//! How much one message may cost the receiver. Counts nothing itself.

/// What each fragment of a fragmented message is charged, in bytes, besides its payload.
///
/// Without it a message could be a million empty fragments and still be small.
pub(super) const FRAGMENT_CHARGE: usize = 100;

/// Bounds for received messages.
///
/// ```
/// use zcomm_ws::frame::Limits;
///
/// let limits = Limits::default().message_size(16 << 20).fragments(100_000);
/// assert_eq!(limits.max_message_size, 16 << 20);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest message in bytes; in a fragmented one, each fragment counts 100 bytes more. Default: 1 MiB.
    pub max_message_size: usize,
    /// The most fragments one message may have. Default: 4096.
    pub max_fragments: u32,
}

impl Limits {
    /// Sets the largest message in bytes.
    #[must_use]
    pub fn message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Sets the most fragments of one message.
    #[must_use]
    pub fn fragments(mut self, count: u32) -> Self {
        self.max_fragments = count;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_size: 1 << 20,
            max_fragments: 4096,
        }
    }
}
