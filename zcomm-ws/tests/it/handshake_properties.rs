//! What holds for any head that a peer may send: no panic, and what is accepted can be said again.

use proptest::collection::vec;
use proptest::prelude::*;
use zcomm_ws::frame::{HandshakeRequest, HandshakeResponse};

const REQUEST: &[u8] = b"GET /ws?a=b HTTP/1.1\r\nHost: localhost:8765\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: zcomm, token.x\r\nSec-WebSocket-Extensions: permessage-deflate; a=\"b, c\", x-y\r\n\
    Origin: http://localhost\r\n\r\n";

const RESPONSE: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: zcomm\r\n\r\n";

/// A head in which a few bytes are replaced, and which may end early.
fn damaged(head: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"\r\n\0:,;\" \\"[..])];
    let wrong = vec((0..head.len(), byte), 0..4);
    (wrong, 0..=head.len(), prop::bool::weighted(0.1)).prop_map(move |(wrong, end, cut)| {
        let mut bytes = head.to_vec();
        for (at, byte) in wrong {
            bytes[at] = byte;
        }
        bytes.truncate(if cut { end } else { head.len() });
        bytes
    })
}

fn heads(head: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => damaged(head), 1 => vec(any::<u8>(), 0..300)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_accepted_request_survives_being_built_again(bytes in heads(REQUEST)) {
        if let Ok(Some((request, length))) = HandshakeRequest::parse(&bytes) {
            prop_assert!(length <= bytes.len());
            let again = HandshakeRequest::parse(&request.build());
            prop_assert_eq!(again.map(|parsed| parsed.map(|(request, _)| request)), Ok(Some(request)));
        }
    }

    #[test]
    fn an_accepted_answer_survives_being_built_again(bytes in heads(RESPONSE)) {
        if let Ok(Some((response, _))) = HandshakeResponse::parse(&bytes) {
            let again = HandshakeResponse::parse(&response.build());
            prop_assert_eq!(again.map(|parsed| parsed.map(|(response, _)| response)), Ok(Some(response)));
        }
    }
}
