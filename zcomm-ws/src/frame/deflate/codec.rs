//! The two halves of DEFLATE (RFC 1951), as far as messages need them. Knows no frames and no limits.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::pool::{Pooled, Spare};
use crate::frame::FrameError;

/// Window sizes that zlib can do: for 8 it takes 9, and looks back no further than 250 bytes all the same.
const WINDOWS: std::ops::RangeInclusive<u8> = 9..=15;
/// Room that is made at least before each step of compressing.
const STEP: usize = 256;
/// How much is inflated at once.
const PIECE: usize = 8 * 1024;

thread_local! {
    static COMPRESSORS: Spare<Compressor> = const { Spare::new() };
    static DECOMPRESSORS: Spare<Decompressor> = const { Spare::new() };
}

/// What remembers the messages that were compressed: about 260 KB at the largest window.
#[derive(Debug)]
pub(super) struct Compressor {
    inner: Compress,
    window_bits: u8,
}

impl Compressor {
    /// One that remembers nothing.
    pub(super) fn new(window_bits: u8) -> Box<Self> {
        let window_bits = window_bits.clamp(*WINDOWS.start(), *WINDOWS.end());
        Spare::take(&COMPRESSORS, window_bits).unwrap_or_else(|| {
            let level = Compression::default();
            Box::new(Self {
                inner: Compress::new_with_window_bits(level, false, window_bits),
                window_bits,
            })
        })
    }

    /// Appends a message's compressed form, which ends with the four bytes that go over no wire.
    pub(super) fn message(&mut self, parts: &[&[u8]], output: &mut Vec<u8>) {
        for part in parts.iter().filter(|part| !part.is_empty()) {
            self.feed(part, FlushCompress::None, output);
        }
        self.feed(&[], FlushCompress::Sync, output);
    }

    /// Forgets all messages.
    pub(super) fn reset(&mut self) {
        self.inner.reset();
    }

    /// Forgets all messages, and waits for the thread's next one that is to be compressed.
    pub(super) fn give_back(mut self: Box<Self>) {
        self.reset();
        Spare::put(&COMPRESSORS, self);
    }

    fn feed(&mut self, mut input: &[u8], flush: FlushCompress, output: &mut Vec<u8>) {
        loop {
            output.reserve(STEP.max(input.len() / 4));
            let before = self.inner.total_in();
            self.inner
                .compress_vec(input, output, flush)
                .expect("the stream is whole, so there is nothing to refuse");
            input = &input[(self.inner.total_in() - before) as usize..];
            // Room that is left says that nothing waits inside any more.
            if input.is_empty() && output.len() < output.capacity() {
                return;
            }
        }
    }
}

impl Pooled for Compressor {
    fn window_bits(&self) -> u8 {
        self.window_bits
    }
}

/// What remembers the messages that were inflated: about 48 KB at the largest window.
#[derive(Debug)]
pub(super) struct Decompressor {
    inner: Decompress,
    window_bits: u8,
    /// Whether the peer has ended its stream, and nothing came behind that.
    ended: bool,
}

impl Decompressor {
    /// One that remembers nothing.
    pub(super) fn new(window_bits: u8) -> Box<Self> {
        let window_bits = window_bits.clamp(*WINDOWS.start(), *WINDOWS.end());
        Spare::take(&DECOMPRESSORS, window_bits).unwrap_or_else(|| {
            Box::new(Self {
                inner: Decompress::new_with_window_bits(false, window_bits),
                window_bits,
                ended: false,
            })
        })
    }

    /// Whether the stream has ended with the last byte that came: RFC 7692 §7.2.3.4 allows that.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Inflates some more; what comes of it is handed on in small pieces, so that a bomb is noticed while it grows.
    pub(super) fn feed(
        &mut self,
        mut input: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        let mut piece = [0; PIECE];
        while !input.is_empty() {
            self.ended = false;
            // A long match may still wait for room when the input is used up.
            while self.step(&mut input, &mut piece, sink)? {}
            if !input.is_empty() && !self.ended {
                return Err(FrameError::InvalidDeflate);
            }
        }
        Ok(())
    }

    /// One step; true if all room was used, so that there may be more.
    fn step(
        &mut self,
        input: &mut &[u8],
        piece: &mut [u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), FrameError>,
    ) -> Result<bool, FrameError> {
        let (read, made) = (self.inner.total_in(), self.inner.total_out());
        let status = self
            .inner
            .decompress(input, piece, FlushDecompress::Sync)
            .map_err(|_| FrameError::InvalidDeflate)?;
        let made = (self.inner.total_out() - made) as usize;
        *input = &input[(self.inner.total_in() - read) as usize..];
        sink(&piece[..made])?;
        if status == Status::StreamEnd {
            // What follows is a stream of its own.
            self.inner.reset(false);
            self.ended = true;
            return Ok(false);
        }
        Ok(made == piece.len())
    }

    /// Forgets all messages, and waits for the thread's next one that is to be inflated.
    pub(super) fn give_back(mut self: Box<Self>) {
        self.inner.reset(false);
        self.ended = false;
        Spare::put(&DECOMPRESSORS, self);
    }
}

impl Pooled for Decompressor {
    fn window_bits(&self) -> u8 {
        self.window_bits
    }
}
