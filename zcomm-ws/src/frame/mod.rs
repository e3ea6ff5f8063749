//! RFC 6455 without sockets: bytes in, events out, and back. Opens nothing, waits for nothing, knows no clock.
//!
//! An engine needs three of these types: a [`Decoder`] turns what a socket read into borrowed [`Event`]s,
//! [`encode_frame`] appends answers to one output buffer, and a [`ConnectionState`] says what may still be sent.
//!
//! ```
//! use zcomm_ws::frame::{encode_frame, Decoder, Event, Limits, MessageRef, Opcode, Role};
//!
//! let mut decoder = Decoder::new(Role::Server, Limits::default());
//! let mut output = Vec::new();
//! // The masked "Hello" of RFC 6455 §5.7, as a client sends it.
//! let mut input = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//!
//! let mut at = 0;
//! loop {
//!     let decoded = decoder.decode(&mut input[at..])?;
//!     at += decoded.consumed;
//!     match decoded.event {
//!         Some(Event::Message(MessageRef::Text(text))) => encode_frame(&mut output, Opcode::Text, text.as_bytes()),
//!         Some(_) => {}
//!         None => break,
//!     }
//! }
//! assert_eq!(output, b"\x81\x05Hello");
//! # Ok::<(), zcomm_ws::frame::FrameError>(())
//! ```
//!
//! The other types are the steps in between, usable alone: [`FrameHeader`], [`FrameParser`], [`unmask`],
//! [`Assembler`], [`FrameBuilder`], [`Fragmenter`], [`Heartbeat`], [`HandshakeRequest`], [`HandshakeResponse`].
//!
//! # Where the recipe errs
//!
//! The names and examples follow the WebSocket recipe that zcomm's users know. It is wrong or silent in these
//! points, and this module follows the RFC instead:
//!
//! * After sending CLOSE the recipe may still send. RFC 6455 §5.5.1 forbids data after CLOSE, and a second CLOSE has
//!   no meaning: [`ConnectionState`] keeps two flags, *sent* and *received*.
//! * The recipe reads a code from every CLOSE. An empty one is legal: it is reported as 1005
//!   ([`CloseCode::NoStatus`]). 1005, 1006 and 1015 are never sent (§7.4.1).
//! * A close reason of any length is taken. A control frame holds 125 bytes, two of them are the code: a reason is at
//!   most 123 bytes, and [`FrameBuilder::close`] cuts it at a character.
//! * Its fragmenter makes nothing out of an empty message. It is one empty frame ([`Fragmenter`]).
//! * Each ping there resets the clock, so a peer that never answers stays alive as long as pings are sent more often
//!   than the timeout. [`Heartbeat`] counts from the oldest unanswered one, and knows no time `0` that means "never".
//! * "Text frames must be valid UTF-8": the message must; a frame may end inside a character (§5.6).
//! * Its parser accepts anything that has a header's shape. [`FrameParser`] refuses what §5.2 and §5.5 forbid.
//! * Its echo pattern copies a client's payload without unmasking it, and takes each frame for a message.
//! * A handshake is not valid because it has *some* accept key: [`HandshakeResponse::verify`] recomputes it.
//! * It closes a silent peer with 1001 and shuts down with 1000; zcomm uses 4003 and 1001.

mod assembler;
mod builder;
mod close;
mod decoder;
#[cfg_attr(
    not(feature = "compression"),
    allow(
        dead_code,
        unreachable_pub,
        reason = "nothing is agreed on without the feature, so most of it is never called"
    )
)]
mod deflate;
mod error;
mod fragmenter;
mod handshake;
mod header;
mod heartbeat;
mod limits;
mod mask;
mod message;
mod opcode;
mod parser;
mod pong;
mod role;
pub(crate) mod spare;
mod state;
mod text;

pub use assembler::Assembler;
pub use builder::{FrameBuilder, encode_close, encode_frame, encode_header};
pub use close::{CloseCode, CloseRef, MAX_REASON};
pub use decoder::{Decoded, Decoder, Event};
#[cfg(feature = "server")]
pub(crate) use deflate::frame_once;
#[cfg(feature = "compression")]
pub use deflate::{DeflateConfig, DeflateParams, Deflater, Inflater, deflate_once};
#[cfg(not(feature = "compression"))]
#[allow(
    unused_imports,
    reason = "which of them is used depends on the other features"
)]
pub(crate) use deflate::{DeflateParams, Deflater, Inflater};
pub use error::FrameError;
pub use fragmenter::{Fragment, Fragmenter, Fragments};
pub use handshake::{HandshakeError, HandshakeRequest, HandshakeResponse, accept_key};
pub use header::{EncodedHeader, FrameHeader, MAX_CONTROL_PAYLOAD, MAX_HEADER};
pub use heartbeat::Heartbeat;
pub use limits::Limits;
pub use mask::{MaskingKeys, unmask};
pub use message::{Message, MessageKind, MessageRef};
pub use opcode::Opcode;
pub use parser::{FrameParser, FramePart, Parsed};
pub use pong::PendingPong;
pub use role::Role;
pub use state::{ConnectionState, Phase};
