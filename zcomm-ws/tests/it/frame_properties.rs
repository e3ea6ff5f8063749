//! What holds for any bytes, cut anywhere: no panic, bounded memory, the same events.

use std::num::NonZeroUsize;

use proptest::collection::vec;
use proptest::prelude::*;
use zcomm_ws::frame::{Fragmenter, FrameBuilder, Limits, Message, Role};

use crate::stream::{Seen, decode, frame};

/// A control frame that a read cut is held besides the message; 125 bytes grow a vector to at most 256.
const CONTROL_MEMORY: usize = 256;

fn small_limits() -> Limits {
    Limits::default().message_size(600).fragments(4)
}

/// How a stream is cut.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1_usize..4, 1_usize..40, 1_usize..400], 1..6)
}

/// Text bytes, with now and then a byte that text cannot have.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zäé€😀]{0,40}".prop_map(String::into_bytes),
        2 => vec(Just(b'x'), 100..300),
        1 => vec(any::<u8>(), 0..130),
    ]
}

/// Frames as peers send them, mostly right.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        6 => Just(0x1), 4 => Just(0x2), 6 => Just(0x0), 2 => Just(0x9), 1 => Just(0xA), 1 => Just(0x8), 1 => 0_u8..16
    ];
    let one = (opcode, prop::bool::weighted(0.6), payload())
        .prop_map(|(opcode, fin, payload)| frame(opcode, fin || opcode >= 0x8, &payload));
    vec(one, 0..12).prop_map(|frames| frames.concat())
}

/// The same, with one byte that is not as it was.
fn damaged_frames() -> impl Strategy<Value = Vec<u8>> {
    (frames(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, at, wrong)| {
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= wrong;
        }
        bytes
    })
}

fn streams() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![2 => frames(), 2 => damaged_frames(), 1 => vec(any::<u8>(), 0..2000)]
}

fn roles() -> impl Strategy<Value = Role> {
    prop_oneof![4 => Just(Role::Server), 1 => Just(Role::Client)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn memory_stays_below_the_limit(role in roles(), bytes in streams(), sizes in sizes()) {
        let limits = small_limits();

        let outcome = decode(role, limits, &bytes, &sizes);

        prop_assert!(outcome.peak <= limits.max_message_size + CONTROL_MEMORY, "{} bytes", outcome.peak);
        if outcome.idle || outcome.error.is_some() {
            prop_assert!(outcome.rest <= CONTROL_MEMORY);
        }
    }

    #[test]
    fn events_do_not_depend_on_where_the_stream_is_cut(
        role in roles(), bytes in streams(), first in sizes(), second in sizes()
    ) {
        let whole = decode(role, small_limits(), &bytes, &[]);

        for sizes in [&[1][..], &first, &second] {
            let cut = decode(role, small_limits(), &bytes, sizes);

            prop_assert_eq!(&cut.seen, &whole.seen);
            prop_assert_eq!(cut.error, whole.error);
        }
    }
}

proptest! {
    // Fewer: each of them moves more bytes than all streams above.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_a_builder_writes_a_decoder_reads(
        texts in vec("\\PC{0,300}", 0..8), binary in vec(any::<u8>(), 0..20_000), size in 1_usize..2000, cut in sizes()
    ) {
        let fragmenter = Fragmenter::new(NonZeroUsize::new(size.max(binary.len() / 100)).unwrap());
        let mut messages: Vec<Message> = texts.into_iter().map(Message::from).collect();
        messages.push(Message::from(binary));
        for (sender, receiver) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
            let mut builder = FrameBuilder::new(sender);
            for fragment in messages.iter().flat_map(|message| fragmenter.fragments(message)) {
                builder.fragment(&fragment).unwrap();
            }

            let outcome = decode(receiver, Limits::default(), builder.as_bytes(), &cut);

            let expected: Vec<Seen> = messages.iter().map(|message| match message.clone() {
                Message::Text(text) => Seen::Text(text),
                Message::Binary(bytes) => Seen::Binary(bytes),
            }).collect();
            prop_assert_eq!(outcome.seen, expected);
            prop_assert_eq!(outcome.error, None);
        }
    }
}
