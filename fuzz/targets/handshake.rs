//! Heads of requests and answers: what is accepted can be said again, and is then the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zcomm_ws::frame::{HandshakeRequest, HandshakeResponse};

fuzz_target!(|data: &[u8]| {
    if let Ok(Some((request, length))) = HandshakeRequest::parse(data) {
        assert!(length <= data.len());
        let built = request.build();
        let (again, end) = HandshakeRequest::parse(&built)
            .expect("what was built is valid")
            .expect("what was built is whole");
        assert_eq!((&again, end), (&request, built.len()));
    }
    if let Ok(Some((response, length))) = HandshakeResponse::parse(data) {
        assert!(length <= data.len());
        let built = response.build();
        let again = HandshakeResponse::parse(&built)
            .expect("what was built is valid")
            .expect("what was built is whole");
        assert_eq!(again.0, response);
    }
});
