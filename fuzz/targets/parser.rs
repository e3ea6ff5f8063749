//! Frames out of arbitrary bytes: nothing is lost or made up, wherever the input is cut. Checks no messages.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zcomm_ws::frame::{FrameParser, FramePart, Role};

/// Below this the parser must take a payload; the fuzzer's inputs are shorter than that anyway.
const LIMIT: u64 = 1 << 16;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    let role = if choice & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let new = || {
        FrameParser::new(role)
            .max_payload(LIMIT)
            .allow_rsv1(choice & 2 != 0)
    };
    let whole = frames(new(), bytes, bytes.len().max(1));
    let cut = frames(new(), bytes, usize::from(choice >> 2) + 1);
    assert_eq!(whole, cut, "the same frames, however they are cut");
});

/// Each frame's header and payload, as far as it came, and whether the stream failed.
fn frames(mut parser: FrameParser, bytes: &[u8], size: usize) -> (Vec<(String, Vec<u8>)>, bool) {
    let mut frames: Vec<(String, Vec<u8>)> = Vec::new();
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let mut at = 0;
        loop {
            let left = piece.len() - at;
            let Ok(parsed) = parser.parse(&mut piece[at..]) else {
                return (frames, true);
            };
            assert!(parsed.consumed <= left);
            match parsed.part {
                Some(FramePart::Header(header)) => {
                    assert!(header.payload_length <= LIMIT);
                    frames.push((format!("{header:?}"), Vec::new()));
                }
                Some(FramePart::Payload { bytes, .. }) => {
                    let frame = frames
                        .last_mut()
                        .expect("a header comes before its payload");
                    frame.1.extend_from_slice(bytes);
                }
                None => break,
            }
            at += parsed.consumed;
        }
    }
    (frames, false)
}
