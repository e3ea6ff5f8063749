//! Messages that are not simply one plain frame each: compressed, or parted. Writes nothing and waits for nothing.

use std::collections::VecDeque;

use bytes::Bytes;

use super::ServerConfig;
use super::outbox::{Chunk, append_frame};
use crate::frame::{DeflateParams, Deflater, Fragment, FrameHeader, MessageKind, Opcode, Role};

/// Frames of at most this size are gathered, others keep their own memory.
const SMALL: usize = 1024;

/// How the messages of one connection become frames, where that takes more than a header.
///
/// It works on the connection's task, where the order in which messages leave is settled: a compressor that remembers
/// must see them in that order.
#[derive(Debug)]
pub(super) struct Packing {
    deflater: Option<Deflater>,
    max_frame: usize,
}

impl Packing {
    /// What a connection needs; most need nothing.
    pub(super) fn of(config: &ServerConfig, agreed: Option<&DeflateParams>) -> Option<Box<Self>> {
        let max_frame = match config.max_frame_size {
            0 => usize::MAX,
            size => size,
        };
        if agreed.is_none() && max_frame == usize::MAX {
            return None;
        }
        let threshold = config.compression_threshold;
        let deflater =
            agreed.map(|agreed| Deflater::new(Role::Server, agreed).with_threshold(threshold));
        Some(Box::new(Self {
            deflater,
            max_frame,
        }))
    }

    /// Whether a message of that length goes out in one frame.
    pub(super) fn is_whole(&self, length: usize) -> bool {
        length <= self.max_frame
    }

    /// Appends a message that is to be one frame.
    pub(super) fn append(&mut self, output: &mut Vec<u8>, kind: MessageKind, parts: &[&[u8]]) {
        if let Some(deflater) = &mut self.deflater
            && deflater.frame(kind.opcode(), parts, output)
        {
            return;
        }
        append_frame(output, kind, parts);
    }

    /// Makes of queued frames those that are sent.
    pub(super) fn pack(&mut self, chunks: &mut VecDeque<Chunk>) {
        let mut packed = Packed::default();
        for chunk in chunks.drain(..) {
            self.pack_chunk(chunk, &mut packed);
        }
        packed.seal();
        *chunks = packed.chunks;
    }

    fn pack_chunk(&mut self, chunk: Chunk, packed: &mut Packed) {
        let mut rest = chunk.bytes;
        while let Some((header, length)) = FrameHeader::decode(&rest) {
            let frame = rest.split_to(length + header.payload_length as usize);
            let payload = frame.slice(length..);
            match &mut self.deflater {
                // It was compressed for many, from a fresh state.
                Some(deflater) if header.rsv1 => deflater.reset(),
                Some(deflater) => {
                    let mut deflated = Vec::new();
                    if deflater.frame(header.opcode, &[&payload], &mut deflated) {
                        self.emit(deflated.into(), packed);
                        continue;
                    }
                }
                None => {}
            }
            self.emit(frame, packed);
        }
    }

    /// Adds a message's frame, parted if it is too large.
    fn emit(&self, frame: Bytes, packed: &mut Packed) {
        let (header, length) = FrameHeader::decode(&frame).expect("a whole frame has a header");
        if self.is_whole(frame.len() - length) {
            packed.push(frame);
            return;
        }
        packed.seal();
        let mut payload = frame.slice(length..);
        let mut opcode = header.opcode;
        while !payload.is_empty() {
            let part = payload.split_to(payload.len().min(self.max_frame));
            let header = Fragment {
                opcode,
                fin: payload.is_empty(),
                payload: &part,
            }
            .header()
            // The first frame speaks for the whole message (RFC 7692 §6.1).
            .with_rsv1(header.rsv1 && opcode != Opcode::Continuation);
            packed.push_fragment(&header, part);
            opcode = Opcode::Continuation;
        }
    }
}

/// Frames that are ready, small ones together.
#[derive(Default)]
struct Packed {
    chunks: VecDeque<Chunk>,
    small: Vec<u8>,
    small_messages: u32,
}

impl Packed {
    fn push(&mut self, frame: Bytes) {
        if frame.len() <= SMALL {
            self.small.extend_from_slice(&frame);
            self.small_messages += 1;
            return;
        }
        self.seal();
        self.chunks.push_back(Chunk {
            bytes: frame,
            messages: 1,
            whole: true,
        });
    }

    /// Between two of these a ping or a pong may go.
    fn push_fragment(&mut self, header: &FrameHeader, payload: Bytes) {
        self.chunks.push_back(Chunk {
            bytes: Bytes::copy_from_slice(header.encode().as_bytes()),
            messages: 0,
            whole: false,
        });
        self.chunks.push_back(Chunk {
            bytes: payload,
            messages: u32::from(header.fin),
            whole: true,
        });
    }

    fn seal(&mut self) {
        if self.small.is_empty() {
            return;
        }
        self.chunks.push_back(Chunk {
            bytes: std::mem::take(&mut self.small).into(),
            messages: std::mem::take(&mut self.small_messages),
            whole: true,
        });
    }
}
