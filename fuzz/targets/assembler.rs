//! Messages out of arbitrary fragments: what comes out is what went in, or an error, within the limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zcomm_ws::frame::{Assembler, FrameHeader, Limits, Opcode};

const LIMIT: usize = 1000;

fuzz_target!(|data: &[u8]| {
    let mut assembler = Assembler::new(Limits::default().message_size(LIMIT).fragments(8));
    let mut expected = Vec::new();
    let mut rest = data;
    // Opcode and FIN, announced length, how it is cut; then the payload.
    while let [first, length, cut, after @ ..] = rest {
        let length = usize::from(*length).min(after.len());
        let (payload, later) = after.split_at(length);
        rest = later;
        let opcode = Opcode::from_bits(first & 0xf);
        let header = FrameHeader::new(opcode, length as u64).with_fin(first & 0x80 != 0);
        if opcode != Opcode::Continuation {
            expected.clear();
        }
        expected.extend_from_slice(payload);
        if assembler.start_frame(&header).is_err() {
            return;
        }
        for piece in payload.chunks(usize::from(*cut).max(1)) {
            if assembler.push(piece).is_err() {
                return;
            }
            assert!(assembler.memory() <= LIMIT, "{} bytes", assembler.memory());
        }
        match assembler.end_frame() {
            Err(_) => return,
            Ok(false) => assert!(assembler.message().is_none()),
            Ok(true) => {
                let message = assembler.take().expect("it is complete");
                assert_eq!(message.as_message_ref().as_bytes(), expected);
                assert!(assembler.is_idle());
            }
        }
    }
});
