//! Streams of bytes for the decoder, and what comes out of it in an owned form. Asserts nothing.

use zcomm_ws::frame::{
    Decoder, Event, FrameError, FrameHeader, Limits, MessageRef, Opcode, Role, unmask,
};

/// An event that outlives the buffer it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message(MessageRef::Text(text)) => Self::Text(text.to_owned()),
            Event::Message(MessageRef::Binary(bytes)) => Self::Binary(bytes.to_vec()),
            Event::Ping(payload) => Self::Ping(payload.to_vec()),
            Event::Pong(payload) => Self::Pong(payload.to_vec()),
            Event::Close(close) => Self::Close(close.code.into(), close.reason.to_owned()),
        }
    }
}

/// What a decoder made of a whole stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) seen: Vec<Seen>,
    pub(crate) error: Option<FrameError>,
    /// The most memory that was held after any step.
    pub(crate) peak: usize,
    /// What was held at the end.
    pub(crate) rest: usize,
    pub(crate) idle: bool,
}

/// Feeds a stream in pieces of the given sizes, taken in turns, until it ends or fails.
pub(crate) fn decode(role: Role, limits: Limits, bytes: &[u8], sizes: &[usize]) -> Outcome {
    let mut decoder = Decoder::new(role, limits);
    let mut outcome = Outcome {
        seen: Vec::new(),
        error: None,
        peak: 0,
        rest: 0,
        idle: true,
    };
    let mut sizes = sizes.iter().cycle();
    let mut rest = bytes;
    while !rest.is_empty() && outcome.error.is_none() {
        let size = sizes
            .next()
            .map_or(rest.len(), |size| (*size).clamp(1, rest.len()));
        let (piece, later) = rest.split_at(size);
        rest = later;
        feed(&mut decoder, &mut piece.to_vec(), &mut outcome);
    }
    outcome.rest = decoder.memory();
    outcome.idle = decoder.is_idle();
    outcome
}

fn feed(decoder: &mut Decoder, buffer: &mut [u8], outcome: &mut Outcome) {
    let mut at = 0;
    loop {
        let step = decoder
            .decode(&mut buffer[at..])
            .map(|step| (step.consumed, step.event.map(Seen::from)));
        outcome.peak = outcome.peak.max(decoder.memory());
        match step {
            Ok((consumed, Some(event))) => {
                at += consumed;
                outcome.seen.push(event);
            }
            Ok((consumed, None)) => {
                assert_eq!(
                    at + consumed,
                    buffer.len(),
                    "no event, so everything is consumed"
                );
                return;
            }
            Err(error) => {
                outcome.error = Some(error);
                return;
            }
        }
    }
}

/// A masked frame, as a client sends it.
pub(crate) fn frame(opcode: u8, fin: bool, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xfa, 0x21, 0x3d];
    let header = FrameHeader::new(Opcode::from_bits(opcode), payload.len() as u64)
        .with_fin(fin)
        .with_mask(Some(key));
    let mut bytes = header.encode().as_bytes().to_vec();
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    unmask(&mut bytes[start..], key, 0);
    bytes
}
