//! Tests of compression: bytes in, bytes out. None of them opens a socket.

use super::*;
use crate::frame::{
    Assembler, Decoder, Event, FrameBuilder, FrameError, FrameHeader, HandshakeError, Limits,
    Message, MessageRef, Opcode, Role,
};

/// Bytes that no compressor makes smaller, always the same ones.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(next).collect()
}

fn agreed(takeover: bool, bits: u8) -> DeflateParams {
    DeflateParams {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    }
}

fn decoder(agreed: &DeflateParams, limit: usize) -> Decoder {
    let limits = Limits::default().message_size(limit);
    Decoder::new(Role::Client, limits).with_inflater(Inflater::new(Role::Client, agreed))
}

/// Everything that a client makes of these bytes.
fn messages(decoder: &mut Decoder, bytes: &[u8]) -> Result<Vec<Message>, FrameError> {
    let (mut input, mut at, mut found) = (bytes.to_vec(), 0, Vec::new());
    loop {
        let decoded = decoder.decode(&mut input[at..])?;
        at += decoded.consumed;
        match decoded.event {
            Some(Event::Message(message)) => found.push(message.to_message()),
            Some(_) => {}
            None => return Ok(found),
        }
    }
}

#[test]
fn messages_of_any_size_survive_in_every_window_and_mode() {
    let text = "zcomm speaks WebSocket, and this line comes again and again. ".repeat(2000);
    for takeover in [false, true] {
        for bits in 8..=15 {
            let agreed = agreed(takeover, bits);
            let mut deflater = Deflater::new(Role::Server, &agreed).with_threshold(0);
            let mut inflater = Inflater::new(Role::Client, &agreed);
            for length in [0, 1, 125, 126, 255, 256, 4096, 8192, 65_536, 100_000] {
                for message in [&text.as_bytes()[..length], &noise(length)] {
                    let mut payload = Vec::new();

                    let deflated = deflater.deflate(&[message], &mut payload);

                    if deflated {
                        let inflated = inflater.inflate(&payload, length);
                        assert_eq!(inflated.as_deref(), Ok(message), "{length} in {agreed:?}");
                    } else {
                        assert!(payload.is_empty(), "{length} in {agreed:?}");
                        assert!(!takeover || length == 0, "{length} in {agreed:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_window_of_eight_bits_is_never_looked_beyond() {
    let block = noise(100);
    let repeat_after = |distance: usize| {
        let mut message = block.clone();
        message.extend(noise(1000)[200..200 + distance - block.len()].iter());
        message.extend(&block);
        let mut payload = Vec::new();
        Deflater::new(Role::Server, &agreed(true, 8))
            .with_threshold(0)
            .deflate(&[&message], &mut payload);
        message.len() - payload.len().min(message.len())
    };

    // Near enough, the second block is a reference; at 257 the peer has forgotten the first.
    assert!(repeat_after(200) > 80);
    for distance in 257..300 {
        assert_eq!(repeat_after(distance), 0, "distance {distance}");
    }
}

#[test]
fn with_context_the_second_message_refers_to_the_first() {
    let message = noise(1000);
    let sizes = |takeover| {
        let mut deflater = Deflater::new(Role::Server, &agreed(takeover, 15));
        [(); 2].map(|()| {
            let mut payload = Vec::new();
            deflater.deflate(&[&message], &mut payload);
            payload.len()
        })
    };

    let [first, second] = sizes(true);
    assert!(first >= 1000 && second < 50, "{first}, then {second}");
    // Without it noise is noise, and goes as it is.
    assert_eq!(sizes(false), [0, 0]);
}

#[test]
fn a_message_from_a_fresh_state_fits_between_others_if_the_compressor_forgets() {
    let agreed = agreed(true, 15);
    let (mut deflater, mut inflater) = (
        Deflater::new(Role::Server, &agreed),
        Inflater::new(Role::Client, &agreed),
    );
    let own = "what this connection is told, and nobody else. ".repeat(20);
    let everyones = "what everybody is told. ".repeat(20);
    let mut stream = Vec::new();

    for round in 0..3 {
        let mut payload = Vec::new();
        assert!(deflater.deflate(&[own.as_bytes()], &mut payload));
        stream.push((payload, &own));
        let mut payload = Vec::new();
        assert!(deflate_once(15, &[everyones.as_bytes()], &mut payload));
        deflater.reset();
        stream.push((payload, &everyones));
        assert_eq!(stream.len(), 2 * round + 2);
    }

    for (payload, message) in stream {
        let inflated = inflater.inflate(&payload, 10_000).unwrap();
        assert_eq!(String::from_utf8(inflated).unwrap(), *message);
    }
}

#[test]
fn the_examples_of_rfc_7692_mean_hello() {
    for (payload, what) in [
        (&b"\xf2\x48\xcd\xc9\xc9\x07\x00"[..], "one block, 7.2.3.1"),
        (
            b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
            "not compressed, 7.2.3.3",
        ),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "a last block, 7.2.3.4"),
        (
            b"\xf3\x48\xcd\xc9\xc9\x07\x00",
            "the same without its last byte",
        ),
        (
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
            "two blocks, 7.2.3.5",
        ),
    ] {
        let mut inflater = Inflater::new(Role::Client, &DeflateParams::default());
        for time in ["first", "second"] {
            let inflated = inflater.inflate(payload, 5);
            assert_eq!(
                inflated.as_deref(),
                Ok(&b"Hello"[..]),
                "{what}, {time} time"
            );
        }
    }
}

#[test]
fn a_bomb_ends_at_the_limit_and_not_behind_it() {
    let mut bomb = Vec::new();
    assert!(deflate_once(15, &[&vec![0; 8 << 20]], &mut bomb));
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let mut made = 0;
    let mut inflater = Inflater::new(Role::Server, &DeflateParams::default());

    let error = inflater.inflate(&bomb, 1 << 20).unwrap_err();
    let pushed = Inflater::new(Role::Server, &DeflateParams::default()).push(&bomb, &mut |piece| {
        made += piece.len();
        Err(FrameError::MessageTooBig { size: 0, limit: 0 })
    });

    assert!(
        matches!(error, FrameError::MessageTooBig { size, limit } if size <= (1 << 20) + 8192 && limit == 1 << 20),
        "{error:?}"
    );
    assert!(pushed.is_err() && made <= 8192, "{made} bytes at once");
}

#[test]
fn a_bomb_in_frames_costs_no_more_memory_than_the_limit() {
    let mut bomb = Vec::new();
    assert!(deflate_once(15, &[&vec![0; 8 << 20]], &mut bomb));
    let mut assembler = Assembler::new(Limits::default().message_size(1 << 20))
        .with_inflater(Inflater::new(Role::Server, &DeflateParams::default()));
    let header = FrameHeader::new(Opcode::Binary, bomb.len() as u64).with_rsv1(true);
    assembler.start_frame(&header).unwrap();

    let errors = bomb.chunks(100).find_map(|some| assembler.push(some).err());

    assert!(
        matches!(errors, Some(FrameError::MessageTooBig { .. })),
        "{errors:?}"
    );
    assert!(
        assembler.memory() <= 1 << 20,
        "{} bytes",
        assembler.memory()
    );
    assert_eq!(
        errors.map(|error| error.close_code()),
        Some(crate::frame::CloseCode::MessageTooBig)
    );
}

#[test]
fn compressed_messages_are_the_same_however_the_bytes_are_split() {
    let text = "Τὸ Πᾶν, and again: τὸ πᾶν. ".repeat(50);
    let agreed = agreed(true, 15);
    let mut builder =
        FrameBuilder::new(Role::Server).with_deflater(Deflater::new(Role::Server, &agreed));
    builder.text(&text).unwrap().ping("between").unwrap();
    builder.text("short").unwrap().text(&text).unwrap();
    let bytes = builder.build();
    assert!(bytes.len() < text.len());
    let expected = [&*text, "short", &*text].map(Message::text);

    for size in [1, 2, 3, 7, 64, 1000, usize::MAX] {
        let (mut decoder, mut found) = (decoder(&agreed, 1 << 20), Vec::new());
        for piece in bytes.chunks(size) {
            found.extend(messages(&mut decoder, piece).unwrap());
        }
        assert_eq!(found, expected, "pieces of {size}");
        assert_eq!(decoder.memory(), 0);
    }
}

#[test]
fn a_compressed_message_may_be_fragmented_and_only_its_first_frame_is_marked() {
    let mut payload = Vec::new();
    assert!(deflate_once(
        15,
        &["fragment ".repeat(100).as_bytes()],
        &mut payload
    ));
    let (first, second) = payload.split_at(payload.len() / 2);
    let frame = |opcode, fin, rsv1, payload: &[u8]| {
        let header = FrameHeader::new(opcode, payload.len() as u64);
        let header = header.with_fin(fin).with_rsv1(rsv1).encode();
        [header.as_bytes(), payload].concat()
    };
    let start = frame(Opcode::Text, false, true, first);
    let agreed = agreed(false, 15);

    let good = [
        &start[..],
        &frame(Opcode::Continuation, true, false, second),
    ]
    .concat();
    let bad = [&start[..], &frame(Opcode::Continuation, true, true, second)].concat();

    assert_eq!(
        messages(&mut decoder(&agreed, 1100), &good),
        Ok(vec![Message::text("fragment ".repeat(100))])
    );
    assert_eq!(
        messages(&mut decoder(&agreed, 1000), &bad),
        Err(FrameError::ReservedBits { bits: 0b100 })
    );
    // Each fragment is charged a hundred bytes, of what comes out as well.
    let error = messages(&mut decoder(&agreed, 900), &good).unwrap_err();
    assert!(
        matches!(
            error,
            FrameError::MessageTooBig {
                limit: 700 | 800,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn what_cannot_be_inflated_or_is_no_text_closes_with_1007() {
    let agreed = agreed(false, 15);
    let frame = |payload: &[u8]| {
        let header = FrameHeader::new(Opcode::Text, payload.len() as u64).with_rsv1(true);
        [header.encode().as_bytes(), payload].concat()
    };
    let mut no_text = Vec::new();
    assert!(deflate_once(15, &[&[0xff; 300]], &mut no_text));

    // A block of the reserved type, and one that refers to what never was.
    for (payload, expected) in [
        (&b"\x06\x00"[..], FrameError::InvalidDeflate),
        (b"\x02\x04\x00", FrameError::InvalidDeflate),
        (&no_text, FrameError::InvalidUtf8),
    ] {
        let error = messages(&mut decoder(&agreed, 1000), &frame(payload)).unwrap_err();
        assert_eq!(error, expected, "{payload:x?}");
        assert_eq!(error.close_code(), crate::frame::CloseCode::InvalidData);
    }
}

#[test]
fn a_marked_frame_needs_an_agreement() {
    let mut input = *b"\xc1\x01\x00";

    let mut decoder = Decoder::new(Role::Client, Limits::default());
    let error = decoder.decode(&mut input);

    assert_eq!(error, Err(FrameError::ReservedBits { bits: 0b100 }));
}

#[test]
fn the_end_of_a_stream_inside_a_message_is_not_the_messages_end() {
    // A last block, and then another stream that says the same.
    let twice = [
        &b"\xf3\x48\xcd\xc9\xc9\x07\x00"[..],
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",
    ]
    .concat();
    let mut inflater = Inflater::new(Role::Client, &DeflateParams::default());

    assert_eq!(
        inflater.inflate(&twice, 100).as_deref(),
        Ok(&b"HelloHello"[..])
    );
}

#[track_caller]
fn check_answer(takeover: bool, offers: &str, expected: Option<&str>) {
    let config = DeflateConfig::default().with_context_takeover(takeover);
    let answer = config.accept(offers.split(','));
    assert_eq!(
        answer.map(|(_, answer)| answer).as_deref(),
        expected,
        "{offers}"
    );
}

#[test]
fn a_server_answers_the_first_offer_that_it_understands() {
    const PLAIN: &str = "permessage-deflate";
    check_answer(true, PLAIN, Some(PLAIN));
    check_answer(
        true,
        "permessage-deflate; client_max_window_bits",
        Some(PLAIN),
    );
    check_answer(
        true,
        "permessage-deflate;client_max_window_bits=\"10\" ; server_max_window_bits = 15",
        Some("permessage-deflate; server_max_window_bits=15; client_max_window_bits=10"),
    );
    check_answer(
        true,
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
    );
    check_answer(
        false,
        "permessage-deflate; server_max_window_bits=9",
        Some(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
        ),
    );
    for refused in [
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=+9",
        "server_max_window_bits=",
        "client_max_window_bits=0",
        "client_max_window_bits; client_max_window_bits=9",
        "server_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "mystery",
        "",
    ] {
        let offers = format!("permessage-deflate; {refused}");
        check_answer(true, &offers, None);
        check_answer(true, &format!("{offers}, {PLAIN}"), Some(PLAIN));
    }
    check_answer(true, "permessage-bzip2, Permessage-deflate", None);
}

#[test]
fn a_client_takes_only_an_answer_to_what_it_offered() {
    let forgetful = DeflateConfig::default();
    let config = forgetful.with_context_takeover(true);
    assert_eq!(config.offer(), "permessage-deflate; client_max_window_bits");

    let agreed = config.confirm(["permessage-deflate; client_max_window_bits=9"]);
    assert_eq!(agreed.unwrap().unwrap().client_max_window_bits, 9);
    assert_eq!(config.confirm([]), Ok(None));

    let mismatch = |config: DeflateConfig, answers: &[&str]| {
        let confirmed = config.confirm(answers.iter().copied());
        assert!(
            matches!(confirmed, Err(HandshakeError::ExtensionMismatch { .. })),
            "{answers:?}"
        );
    };
    mismatch(config, &["permessage-deflate; client_max_window_bits"]);
    mismatch(config, &["permessage-deflate; server_max_window_bits=16"]);
    mismatch(config, &["permessage-deflate", "permessage-deflate"]);
    mismatch(forgetful, &["permessage-deflate"]);
}

#[test]
fn what_one_end_deflates_the_other_inflates_after_any_agreement() {
    let text = "an agreement is one only if both ends read it alike. ".repeat(30);
    for (client_takeover, server_takeover) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let client = DeflateConfig::default().with_context_takeover(client_takeover);
        let server = DeflateConfig::default().with_context_takeover(server_takeover);
        let (at_server, answer) = server.accept([client.offer().as_str()]).unwrap();
        let at_client = client.confirm([answer.as_str()]).unwrap().unwrap();
        for (from, to) in [(Role::Client, Role::Server), (Role::Server, Role::Client)] {
            let ends = |role| {
                if role == Role::Client {
                    &at_client
                } else {
                    &at_server
                }
            };
            let mut deflater = Deflater::new(from, ends(from));
            let mut inflater = Inflater::new(to, ends(to));
            for _ in 0..3 {
                let mut payload = Vec::new();
                assert!(deflater.deflate(&[text.as_bytes()], &mut payload));
                let inflated = inflater.inflate(&payload, text.len()).unwrap();
                assert_eq!(MessageRef::Binary(&inflated).len(), text.len());
            }
        }
    }
}
