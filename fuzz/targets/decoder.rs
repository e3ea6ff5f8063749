//! Events out of arbitrary bytes: the same however they are cut, and never more memory than the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zcomm_ws::frame::{Decoder, Event, Limits, Role};

const LIMIT: usize = 600;
/// A control frame that a cut divides lies beside the message.
const CONTROL: usize = 256;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    let role = if choice & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let whole = events(role, bytes, bytes.len().max(1));
    let cut = events(role, bytes, usize::from(choice >> 1) + 1);
    assert_eq!(whole, cut, "the same events, however they are cut");
});

fn events(role: Role, bytes: &[u8], size: usize) -> Vec<String> {
    let limits = Limits::default().message_size(LIMIT).fragments(4);
    let mut decoder = Decoder::new(role, limits);
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        let mut piece = piece.to_vec();
        let mut at = 0;
        loop {
            let step = decoder
                .decode(&mut piece[at..])
                .map(|step| (step.consumed, step.event.map(described)));
            assert!(decoder.memory() <= LIMIT + CONTROL);
            match step {
                Ok((consumed, Some(event))) => {
                    at += consumed;
                    events.push(event);
                }
                Ok((consumed, None)) => {
                    assert_eq!(at + consumed, piece.len(), "all is consumed");
                    break;
                }
                Err(error) => {
                    events.push(error.code().to_owned());
                    return events;
                }
            }
        }
    }
    events
}

fn described(event: Event<'_>) -> String {
    if let Event::Message(message) = event
        && let Some(text) = message.as_text()
    {
        assert!(std::str::from_utf8(text.as_bytes()).is_ok());
    }
    format!("{event:?}")
}
