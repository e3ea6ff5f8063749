//! Offers of permessage-deflate and compressed messages: no more than the limit comes out, however it is cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zcomm_ws::frame::{Decoder, DeflateConfig, Event, FrameHeader, Inflater, Limits, Opcode, Role};

const LIMIT: usize = 4096;

fuzz_target!(|data: &[u8]| {
    // Offers, up to a zero byte; then how the frames are cut; then what is inflated.
    let end = data
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(data.len());
    let (offers, rest) = data.split_at(end);
    let offers = String::from_utf8_lossy(offers);
    let Some((agreed, _)) = DeflateConfig::default().accept(offers.split(',')) else {
        return;
    };
    let [_, cut, payload @ ..] = rest else {
        return;
    };
    let header = FrameHeader::new(Opcode::Binary, payload.len() as u64)
        .with_rsv1(true)
        .with_mask(Some([0; 4]));
    let stream = [header.encode().as_bytes(), payload].concat();
    let outcome = |size: usize| {
        let limits = Limits::default().message_size(LIMIT);
        let mut decoder =
            Decoder::new(Role::Server, limits).with_inflater(Inflater::new(Role::Server, &agreed));
        let mut messages = Vec::new();
        for piece in stream.chunks(size) {
            let mut piece = piece.to_vec();
            let mut at = 0;
            loop {
                let step = decoder.decode(&mut piece[at..]);
                let Ok(step) = step else {
                    return (messages, true);
                };
                at += step.consumed;
                let Some(event) = step.event else {
                    break;
                };
                if let Event::Message(message) = event {
                    assert!(message.as_bytes().len() <= LIMIT);
                    messages.push(message.as_bytes().to_vec());
                }
            }
            assert!(decoder.memory() <= 2 * LIMIT);
        }
        (messages, false)
    };
    assert_eq!(outcome(stream.len()), outcome(usize::from(*cut) + 1));
});
