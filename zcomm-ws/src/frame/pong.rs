//! The pong that is owed to the peer. Sends nothing.

/// Remembers the newest ping that could not be answered at once.
///
/// A pong has its ping's payload and goes ahead of data. While the peer doesn't read, later pings replace earlier ones
/// (RFC 6455 §5.5.3): a flood of pings costs the memory of one. After CLOSE none is sent:
/// [`ConnectionState::can_send`](super::ConnectionState::can_send) says so.
///
/// ```
/// use zcomm_ws::frame::PendingPong;
///
/// let mut pending = PendingPong::new();
/// pending.owe(b"first");
/// pending.owe(b"second");
/// assert_eq!(pending.take().as_deref(), Some(&b"second"[..]));
/// assert_eq!(pending.take(), None);
/// ```
#[derive(Debug, Default)]
pub struct PendingPong {
    payload: Option<Box<[u8]>>,
}

impl PendingPong {
    /// Nothing owed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Owes a pong of this payload, and none that was owed before.
    pub fn owe(&mut self, payload: &[u8]) {
        self.payload = Some(payload.into());
    }

    /// Whether a pong is owed.
    pub fn is_owed(&self) -> bool {
        self.payload.is_some()
    }

    /// The payload of the pong to send now, if one is owed.
    #[must_use = "what was taken is no longer owed"]
    pub fn take(&mut self) -> Option<Box<[u8]>> {
        self.payload.take()
    }
}
