//! How far a connection's life has got. Sends nothing and closes nothing.

/// Where a connection stands: derived from [`ConnectionState`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The handshake runs.
    Connecting,
    /// Messages may go both ways.
    Open,
    /// One side sent CLOSE.
    Closing,
    /// Both sides sent CLOSE, or the transport is gone.
    Closed,
}

/// What was sent and received of the closing handshake, and hence what may still be sent.
///
/// ```
/// use zcomm_ws::frame::{ConnectionState, Phase};
///
/// let mut state = ConnectionState::new();
/// assert_eq!(state.phase(), Phase::Connecting);
///
/// state.open();
/// assert!(state.is_open());
/// assert!(state.can_send());
///
/// assert!(state.send_close());
/// assert!(!state.is_open());
/// assert!(!state.can_send()); // no data after CLOSE, RFC 6455 §5.5.1
/// assert!(!state.send_close()); // and no second one
///
/// state.close_received();
/// assert_eq!(state.phase(), Phase::Closed);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnectionState {
    opened: bool,
    close_sent: bool,
    close_received: bool,
    lost: bool,
}

impl ConnectionState {
    /// A connection whose handshake is not done.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that the handshake succeeded.
    pub fn open(&mut self) {
        self.opened = true;
    }

    /// Notes that a CLOSE is sent now; false if none may be sent, since one was, or there is no connection.
    #[must_use = "a second CLOSE must not be sent"]
    pub fn send_close(&mut self) -> bool {
        let may = self.opened && !self.close_sent && !self.lost;
        self.close_sent |= may;
        may
    }

    /// Notes the peer's CLOSE. If none was sent yet, one has to be now: see [`send_close`](Self::send_close).
    pub fn close_received(&mut self) {
        self.close_received = true;
    }

    /// Notes that the transport ended, with or without a CLOSE.
    pub fn transport_lost(&mut self) {
        self.lost = true;
    }

    /// Whether messages go both ways.
    pub fn is_open(&self) -> bool {
        self.phase() == Phase::Open
    }

    /// Whether messages, pings and pongs may be sent: not before the handshake, not after CLOSE in either direction.
    pub fn can_send(&self) -> bool {
        self.is_open()
    }

    /// Whether what arrives still counts: messages that the peer sent before it saw our CLOSE do.
    pub fn can_receive(&self) -> bool {
        self.opened && !self.close_received && !self.lost
    }

    /// Whether both CLOSEs went their ways: a clean end, after which a server shuts TCP down first.
    pub fn is_clean(&self) -> bool {
        self.close_sent && self.close_received
    }

    /// Where the connection stands.
    pub fn phase(&self) -> Phase {
        if self.lost || self.is_clean() {
            Phase::Closed
        } else if !self.opened {
            Phase::Connecting
        } else if self.close_sent || self.close_received {
            Phase::Closing
        } else {
            Phase::Open
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_received_close_is_answered_once_and_stops_data() {
        let mut state = ConnectionState::new();
        state.open();

        state.close_received();

        assert_eq!(state.phase(), Phase::Closing);
        assert!(!state.can_send());
        assert!(state.send_close());
        assert!(!state.send_close());
        assert!(state.is_clean());
    }

    #[test]
    fn messages_still_arrive_after_our_own_close() {
        let mut state = ConnectionState::new();
        state.open();

        assert!(state.send_close());

        assert!(state.can_receive());
        state.close_received();
        assert!(!state.can_receive());
    }

    #[test]
    fn a_lost_transport_closes_from_every_phase() {
        let mut state = ConnectionState::new();

        state.transport_lost();

        assert_eq!(state.phase(), Phase::Closed);
        state.open();
        assert!(!state.send_close());
        assert!(!state.is_clean());
    }
}
