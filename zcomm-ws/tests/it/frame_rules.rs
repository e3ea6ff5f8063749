//! Every rule that a peer's frames can break, one row each; the same whether bytes come at once or one by one.

use zcomm_ws::frame::{CloseCode, FrameError, Limits, Opcode, Role};

use crate::stream::{Seen, decode, frame};

#[track_caller]
fn check_with(role: Role, limits: Limits, bytes: &[u8], seen: &[Seen], error: Option<FrameError>) {
    for sizes in [&[usize::MAX][..], &[1], &[2, 3], &[7]] {
        let outcome = decode(role, limits, bytes, sizes);

        assert_eq!(outcome.seen, seen, "in pieces of {sizes:?}");
        assert_eq!(outcome.error, error, "in pieces of {sizes:?}");
    }
}

/// What a server with default limits makes of a client's bytes.
#[track_caller]
fn check(bytes: &[u8], seen: &[Seen], error: Option<FrameError>) {
    check_with(Role::Server, Limits::default(), bytes, seen, error);
}

#[track_caller]
fn refused(bytes: &[u8], error: FrameError, code: CloseCode) {
    check(bytes, &[], Some(error));
    assert_eq!(error.close_code(), code);
}

fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

#[test]
fn clients_mask_and_servers_do_not() {
    refused(
        b"\x81\x05Hello",
        FrameError::Unmasked,
        CloseCode::ProtocolError,
    );
    // Even before the rest of the frame came.
    refused(b"\x81\x7f", FrameError::Unmasked, CloseCode::ProtocolError);

    let client = |bytes: &[u8], seen: &[Seen], error| {
        check_with(Role::Client, Limits::default(), bytes, seen, error);
    };
    client(b"\x81\x05Hello", &[text("Hello")], None);
    client(&frame(TEXT, true, b"Hello"), &[], Some(FrameError::Masked));
}

#[test]
fn reserved_bits_need_an_extension() {
    for bits in 1..=7 {
        let mut bytes = frame(TEXT, true, b"x");
        bytes[0] |= bits << 4;

        refused(
            &bytes,
            FrameError::ReservedBits { bits },
            CloseCode::ProtocolError,
        );
    }
}

#[test]
fn opcodes_without_a_meaning_are_refused() {
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        let bytes = frame(opcode, true, b"");

        refused(
            &bytes,
            FrameError::UnknownOpcode { opcode },
            CloseCode::ProtocolError,
        );
    }
}

#[test]
fn control_frames_hold_at_most_125_bytes() {
    check(
        &frame(PING, true, &[7; 125]),
        &[Seen::Ping(vec![7; 125])],
        None,
    );
    check(
        &frame(PONG, true, &[7; 125]),
        &[Seen::Pong(vec![7; 125])],
        None,
    );

    for (bits, opcode) in [
        (PING, Opcode::Ping),
        (PONG, Opcode::Pong),
        (CLOSE, Opcode::Close),
    ] {
        let bytes = frame(bits, true, &[0; 126]);

        refused(
            &bytes,
            FrameError::ControlTooLong { opcode },
            CloseCode::ProtocolError,
        );
    }
}

#[test]
fn control_frames_are_whole() {
    for (bits, opcode) in [
        (PING, Opcode::Ping),
        (PONG, Opcode::Pong),
        (CLOSE, Opcode::Close),
    ] {
        let bytes = frame(bits, false, b"");

        refused(
            &bytes,
            FrameError::ControlFragmented { opcode },
            CloseCode::ProtocolError,
        );
    }
}

#[test]
fn a_continuation_needs_a_message_to_continue() {
    refused(
        &frame(CONTINUATION, true, b"x"),
        FrameError::ContinuationWithoutStart,
        CloseCode::ProtocolError,
    );

    // A whole message leaves nothing to continue, and neither does one whose last fragment came.
    let after_whole = [frame(TEXT, true, b"a"), frame(CONTINUATION, true, b"b")].concat();
    check(
        &after_whole,
        &[text("a")],
        Some(FrameError::ContinuationWithoutStart),
    );
    let after_last = [
        frame(TEXT, false, b"a"),
        frame(CONTINUATION, true, b"b"),
        frame(CONTINUATION, true, b"c"),
    ];
    check(
        &after_last.concat(),
        &[text("ab")],
        Some(FrameError::ContinuationWithoutStart),
    );
}

#[test]
fn a_new_message_inside_another_is_refused() {
    for opcode in [TEXT, BINARY] {
        let bytes = [frame(TEXT, false, b"a"), frame(opcode, true, b"b")].concat();

        refused(
            &bytes,
            FrameError::MessageInterrupted,
            CloseCode::ProtocolError,
        );
    }
}

#[test]
fn control_frames_come_between_fragments() {
    let bytes = [
        frame(TEXT, false, b"Hel"),
        frame(PING, true, b"first"),
        frame(CONTINUATION, false, b""),
        frame(PONG, true, b""),
        frame(CONTINUATION, true, b"lo"),
    ];

    let seen = [
        Seen::Ping(b"first".to_vec()),
        Seen::Pong(Vec::new()),
        text("Hello"),
    ];
    check(&bytes.concat(), &seen, None);
}

#[test]
fn lengths_have_their_shortest_form() {
    for (bytes, length) in [
        (&b"\x82\xfe\x00\x00mask"[..], 0),
        (b"\x82\xfe\x00\x7dmask", 125),
        (b"\x82\xff\0\0\0\0\0\0\0\x7dmask", 125),
        (b"\x82\xff\0\0\0\0\0\0\xff\xffmask", 65535),
    ] {
        refused(
            bytes,
            FrameError::LengthNotMinimal { length },
            CloseCode::ProtocolError,
        );
    }

    check(
        &frame(BINARY, true, &[1; 126]),
        &[Seen::Binary(vec![1; 126])],
        None,
    );
    check(
        &frame(BINARY, true, &[1; 65535]),
        &[Seen::Binary(vec![1; 65535])],
        None,
    );
    check(
        &frame(BINARY, true, &[1; 65536]),
        &[Seen::Binary(vec![1; 65536])],
        None,
    );
}

#[test]
fn lengths_have_63_bits() {
    let overflow = |length| FrameError::LengthOverflow { length };
    refused(
        b"\x82\xff\x80\0\0\0\0\0\0\0mask",
        overflow(1 << 63),
        CloseCode::ProtocolError,
    );
    refused(
        b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask",
        overflow(u64::MAX),
        CloseCode::ProtocolError,
    );
}

#[test]
fn an_announced_10_gigabytes_are_refused_at_the_header() {
    let bytes = b"\x82\xff\0\0\0\x02\x54\x0b\xe4\x00mask";

    let error = FrameError::MessageTooBig {
        size: 10_000_000_000,
        limit: 1 << 20,
    };
    refused(bytes, error, CloseCode::MessageTooBig);
}

#[test]
fn an_announced_message_below_the_limit_reserves_nothing() {
    let header_only = b"\x82\xff\0\0\0\0\x00\x10\x00\x00mask";

    let outcome = decode(Role::Server, Limits::default(), header_only, &[]);

    assert_eq!(
        (outcome.error, outcome.peak, outcome.idle),
        (None, 0, false)
    );
}

#[test]
fn the_limit_counts_the_whole_message() {
    let limits = Limits::default().message_size(300);
    let server =
        |bytes: &[u8], seen: &[Seen], error| check_with(Role::Server, limits, bytes, seen, error);
    let too_big = |size| FrameError::MessageTooBig { size, limit: 300 };

    server(
        &frame(BINARY, true, &[0; 300]),
        &[Seen::Binary(vec![0; 300])],
        None,
    );
    server(&frame(BINARY, true, &[0; 301]), &[], Some(too_big(301)));
    // Two fragments are charged 100 bytes each.
    let exact = [
        frame(BINARY, false, &[0; 50]),
        frame(CONTINUATION, true, &[0; 50]),
    ]
    .concat();
    server(&exact, &[Seen::Binary(vec![0; 100])], None);
    let beyond = [
        frame(BINARY, false, &[0; 50]),
        frame(CONTINUATION, true, &[0; 51]),
    ]
    .concat();
    server(&beyond, &[], Some(too_big(301)));
}

#[test]
fn a_message_has_at_most_4096_fragments() {
    let limits = Limits::default().message_size(16 << 20);
    let flood = |count| {
        let mut bytes = frame(BINARY, false, b"");
        for _ in 1..count {
            bytes.extend(frame(CONTINUATION, false, b""));
        }
        bytes
    };

    check_with(Role::Server, limits, &flood(4096), &[], None);
    let error = FrameError::TooManyFragments { limit: 4096 };
    check_with(Role::Server, limits, &flood(4097), &[], Some(error));
    assert_eq!(error.close_code(), CloseCode::MessageTooBig);
}

#[test]
fn the_default_size_limit_ends_a_flood_of_empty_fragments() {
    let mut bytes = frame(BINARY, false, b"");
    for _ in 0..20_000 {
        bytes.extend(frame(CONTINUATION, false, b""));
    }

    let outcome = decode(Role::Server, Limits::default(), &bytes, &[4096]);

    assert_eq!(
        outcome.error,
        Some(FrameError::TooManyFragments { limit: 4096 })
    );
    assert_eq!(outcome.peak, 0);
}

#[test]
fn an_empty_close_is_legal() {
    check(
        &frame(CLOSE, true, b""),
        &[Seen::Close(1005, String::new())],
        None,
    );
}

#[test]
fn a_close_of_one_byte_is_half_a_code() {
    refused(
        &frame(CLOSE, true, b"\x03"),
        FrameError::CloseTooShort,
        CloseCode::ProtocolError,
    );
}

#[test]
fn close_codes_are_those_that_may_be_sent() {
    for code in [
        0_u16, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        let bytes = frame(CLOSE, true, &code.to_be_bytes());

        refused(
            &bytes,
            FrameError::CloseCodeInvalid { code },
            CloseCode::ProtocolError,
        );
    }
    for code in [
        1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
        4000, 4999,
    ] {
        check(
            &frame(CLOSE, true, &code.to_be_bytes()),
            &[Seen::Close(code, String::new())],
            None,
        );
    }
}

#[test]
fn a_close_reason_is_utf8() {
    check(
        &frame(CLOSE, true, "\u{3}éreason".as_bytes()),
        &[],
        Some(FrameError::CloseCodeInvalid { code: 0x03c3 }),
    );
    let good = [&1000_u16.to_be_bytes()[..], "tschüß".as_bytes()].concat();
    check(
        &frame(CLOSE, true, &good),
        &[Seen::Close(1000, "tschüß".to_owned())],
        None,
    );
    let bad = frame(CLOSE, true, b"\x03\xe8\xff");
    refused(&bad, FrameError::InvalidUtf8, CloseCode::InvalidData);
}

#[test]
fn nothing_after_a_close_has_a_meaning() {
    let bytes = [
        frame(CLOSE, true, b"\x03\xe8"),
        frame(TEXT, true, b"too late"),
        frame(CLOSE, true, b"\x03"),
        b"\xff\xff\xff\xff".to_vec(),
    ];

    check(&bytes.concat(), &[Seen::Close(1000, String::new())], None);
}

#[test]
fn a_close_inside_a_message_drops_what_there_is_of_it() {
    let bytes = [
        frame(BINARY, false, &[0; 5000]),
        frame(CLOSE, true, b"\x03\xe9"),
    ]
    .concat();

    let outcome = decode(Role::Server, Limits::default(), &bytes, &[100]);

    assert_eq!(outcome.seen, [Seen::Close(1001, String::new())]);
    assert_eq!(outcome.rest, 0);
}

#[test]
fn text_is_utf8_over_the_whole_message() {
    let euro = "€".as_bytes();
    let cut = [
        frame(TEXT, false, &euro[..1]),
        frame(CONTINUATION, true, &euro[1..]),
    ]
    .concat();
    check(&cut, &[text("€")], None);

    refused(
        &frame(TEXT, true, b"\xff"),
        FrameError::InvalidUtf8,
        CloseCode::InvalidData,
    );
    refused(
        &frame(TEXT, true, &euro[..2]),
        FrameError::InvalidUtf8,
        CloseCode::InvalidData,
    );
    let unfinished = [
        frame(TEXT, false, b"ok"),
        frame(CONTINUATION, true, &euro[..2]),
    ]
    .concat();
    refused(&unfinished, FrameError::InvalidUtf8, CloseCode::InvalidData);
    let surrogate = frame(TEXT, true, b"\xed\xa0\x80");
    refused(&surrogate, FrameError::InvalidUtf8, CloseCode::InvalidData);
}

#[test]
fn wrong_utf8_is_refused_before_the_message_ends() {
    // Of 1000 bytes only six came, and the sixth is wrong already.
    let whole = frame(TEXT, true, &[&b"hello\xff"[..], &[b'x'; 994]].concat());
    refused(
        &whole[..8 + 6],
        FrameError::InvalidUtf8,
        CloseCode::InvalidData,
    );

    let fragment = frame(
        TEXT,
        false,
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90",
    );
    refused(&fragment, FrameError::InvalidUtf8, CloseCode::InvalidData);
}

#[test]
fn empty_messages_are_messages() {
    check(&frame(TEXT, true, b""), &[text("")], None);
    check(&frame(BINARY, true, b""), &[Seen::Binary(Vec::new())], None);
    let fragments = [frame(TEXT, false, b""), frame(CONTINUATION, true, b"")].concat();
    check(&fragments, &[text("")], None);
}

#[test]
fn many_frames_in_one_read_come_one_by_one() {
    let bytes: Vec<u8> = (0..100)
        .flat_map(|n| frame(TEXT, true, n.to_string().as_bytes()))
        .collect();
    let seen: Vec<Seen> = (0..100).map(|n| text(&n.to_string())).collect();

    check(&bytes, &seen, None);
    let outcome = decode(Role::Server, Limits::default(), &bytes, &[]);
    assert_eq!(
        outcome.peak, 0,
        "whole messages need no memory of the decoder's own"
    );
}

#[test]
fn an_idle_decoder_holds_nothing_and_is_small() {
    let bytes = [
        frame(TEXT, true, &[b'x'; 5000]),
        frame(PING, true, b"12345"),
    ]
    .concat();

    let outcome = decode(Role::Server, Limits::default(), &bytes, &[64]);

    assert!(outcome.peak >= 5000);
    assert_eq!((outcome.rest, outcome.idle), (0, true));
    assert!(
        size_of::<zcomm_ws::frame::Decoder>() <= 192,
        "{}",
        size_of::<zcomm_ws::frame::Decoder>()
    );
}
