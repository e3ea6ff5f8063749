//! What holds for compressed messages of any bytes, cut anywhere: no panic, bounded memory, the same messages.

use proptest::collection::vec;
use proptest::prelude::*;
use zcomm_ws::frame::{
    Decoder, DeflateConfig, DeflateParams, Event, FrameHeader, Inflater, Limits, Message, Opcode,
    Role, deflate_once,
};

const LIMIT: usize = 600;
/// A control frame that a read cut is held besides the message.
const CONTROL_MEMORY: usize = 256;

/// What was made of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    messages: Vec<Message>,
    failed: bool,
}

/// Decodes a stream that comes in pieces of these sizes, and looks at the memory after each.
fn decode(bytes: &[u8], sizes: &[usize], agreed: &DeflateParams) -> Result<Outcome, TestCaseError> {
    let limits = Limits::default().message_size(LIMIT);
    let inflater = Inflater::new(Role::Client, agreed);
    let mut decoder = Decoder::new(Role::Client, limits).with_inflater(inflater);
    let mut messages = Vec::new();
    let (mut rest, mut sizes) = (bytes, sizes.iter().copied().cycle());
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.len().min(sizes.next().unwrap_or(usize::MAX)));
        rest = behind;
        let (mut piece, mut at) = (piece.to_vec(), 0);
        loop {
            let Ok(decoded) = decoder.decode(&mut piece[at..]) else {
                let failed = true;
                return Ok(Outcome { messages, failed });
            };
            at += decoded.consumed;
            match decoded.event {
                Some(Event::Message(message)) => messages.push(message.to_message()),
                Some(_) => {}
                None => break,
            }
        }
        let memory = decoder.memory();
        prop_assert!(memory <= LIMIT + CONTROL_MEMORY, "{memory} bytes");
    }
    let failed = false;
    Ok(Outcome { messages, failed })
}

/// A payload, compressed where that makes it smaller, and whether it was.
fn deflated(payload: &[u8]) -> (Vec<u8>, bool) {
    let mut deflated = Vec::new();
    if deflate_once(15, &[payload], &mut deflated) {
        (deflated, true)
    } else {
        (payload.to_vec(), false)
    }
}

/// Frames of compressed and other messages, mostly right, and some of nothing but noise.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        4 => "[a-zäé€]{0,4}".prop_map(|text| deflated(text.repeat(60).as_bytes())),
        1 => Just(deflated(&[b'0'; 100_000])),
        2 => vec(any::<u8>(), 0..60).prop_map(|noise| (noise, true)),
        1 => vec(Just(b'x'), 0..60).prop_map(|plain| (plain, false)),
    ];
    let opcode = prop_oneof![4 => Just(Opcode::Text), 4 => Just(Opcode::Binary), 2 => Just(Opcode::Continuation)];
    let one =
        (opcode, prop::bool::weighted(0.8), payload).prop_map(|(opcode, fin, (payload, rsv1))| {
            let header = FrameHeader::new(opcode, payload.len() as u64)
                .with_fin(fin)
                .with_rsv1(rsv1 && opcode != Opcode::Continuation);
            [header.encode().as_bytes(), &payload].concat()
        });
    vec(one, 0..8).prop_map(|frames| frames.concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1_usize..4, 1_usize..40, 1_usize..400], 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn messages_do_not_depend_on_where_the_stream_is_cut(
        bytes in frames(), cut in sizes(), remembers in any::<bool>()
    ) {
        let mut agreed = DeflateParams::default();
        agreed.server_no_context_takeover = !remembers;

        let whole = decode(&bytes, &[], &agreed)?;
        for sizes in [&[1][..], &cut] {
            prop_assert_eq!(&decode(&bytes, sizes, &agreed)?, &whole);
        }
    }

    #[test]
    fn an_offer_of_any_text_is_answered_with_one_that_a_client_takes_or_not_at_all(
        offer in "(permessage-deflate(; ?(server|client)_(no_context_takeover|max_window_bits(=\"?[0-9]{1,2}\"?)?)){0,3}|\\PC{0,60})",
        remembers in any::<bool>()
    ) {
        let config = DeflateConfig::default().with_context_takeover(remembers);

        if let Some((agreed, answer)) = config.accept([offer.as_str()]) {
            prop_assert!((8..=15).contains(&agreed.server_max_window_bits));
            prop_assert!((8..=15).contains(&agreed.client_max_window_bits));
            prop_assert_eq!(config.confirm([answer.as_str()]), Ok(Some(agreed)));
        }
    }
}
