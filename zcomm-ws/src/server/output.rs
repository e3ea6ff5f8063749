//! The connection's way out: replies in one batch, what was queued behind it, both in as few writes as possible.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::Reply;
use super::outbox::{Chunk, Outbox, append_frame};
use super::packing::Packing;
use super::reply::Parts;
use crate::frame::{MAX_HEADER, MessageKind, spare};
use crate::metrics::Tally;

/// Pieces that one write takes. The system's own limit is 1024.
const PIECES: usize = 64;
/// Room for so many chunks is kept for the next time.
const KEPT: usize = 8;
/// A reply of at least this size is not copied into the batch.
const LARGE: usize = 32 * 1024;

/// The replies of one poll. The memory is borrowed from the thread; what a socket doesn't take moves to [`Writing`].
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(super) batch: Vec<u8>,
    /// Whether older bytes wait in [`Writing`], so that new ones must queue behind them.
    pub(super) clogged: bool,
    /// What this poll has done.
    pub(super) tally: Tally,
    /// Whether the next message's handler is timed.
    pub(super) timed: bool,
    /// How messages become frames, if it takes more than a header.
    pub(super) packing: Option<Box<Packing>>,
}

impl Output {
    #[inline]
    pub(super) fn append(&mut self, outbox: &Outbox, kind: MessageKind, parts: &[&[u8]]) {
        // What was queued for this connection before must not be overtaken.
        if self.clogged || outbox.has_queued() {
            outbox.append(kind, parts);
            return;
        }
        if let Some(packing) = &mut self.packing {
            if !packing.is_whole(parts.iter().map(|part| part.len()).sum()) {
                // A frame of its own in the queue lets pings and pongs in between.
                outbox.append(kind, parts);
                return;
            }
            packing.append(&mut self.batch, kind, parts);
        } else {
            self.make_room(parts);
            append_frame(&mut self.batch, kind, parts);
        }
        self.tally.messages_out += 1;
    }

    /// Lets a large reply find memory that was used before.
    #[inline]
    fn make_room(&mut self, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let needed = self.batch.len() + length + MAX_HEADER;
        if length >= LARGE && needed > self.batch.capacity() {
            let mut batch = spare::take(needed, usize::MAX);
            batch.extend_from_slice(&self.batch);
            spare::give(std::mem::replace(&mut self.batch, batch));
        }
    }

    pub(super) fn append_reply(&mut self, outbox: &Outbox, reply: &Reply) {
        let Some(Parts {
            kind,
            first,
            second,
        }) = &reply.0
        else {
            return;
        };
        if first.len() >= LARGE && self.packing.is_none() {
            outbox.append_shared(*kind, first, second);
        } else {
            self.append(outbox, *kind, &[first, second]);
        }
    }
}

/// What left the outbox and is not written yet.
#[derive(Debug, Default)]
pub(super) struct Writing {
    chunks: VecDeque<Chunk>,
    /// How much of the first chunk is written.
    offset: usize,
    /// Whether the beginning of the frame at the front is with the peer already.
    begun: bool,
}

impl Writing {
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Puts a ping or pong before all data whose first byte is not written yet. A newer pong replaces an older one.
    pub(super) fn put_first(&mut self, frame: Bytes, outbox: &Outbox) {
        let at = self.begun();
        let older = self.chunks.get_mut(at);
        if let Some(older) = older.filter(|older| older.is_pong() && is_pong(&frame)) {
            outbox.add_waiting(frame.len());
            outbox.sent(older.bytes.len(), 0);
            older.bytes = frame;
            return;
        }
        outbox.add_waiting(frame.len());
        self.chunks.insert(at, Chunk::control(frame));
    }

    pub(super) fn put_last(&mut self, frame: Bytes, outbox: &Outbox) {
        outbox.add_waiting(frame.len());
        self.chunks.push_back(Chunk::control(frame));
    }

    /// Drops everything but what must be finished, since its beginning is with the peer.
    pub(super) fn drop_unbegun(&mut self) {
        self.chunks.truncate(self.begun());
    }

    /// Takes what is queued, in the form in which it is sent.
    pub(super) fn take_queued(&mut self, outbox: &Outbox, output: &mut Output) {
        let Some(packing) = &mut output.packing else {
            outbox.take_queued(&mut self.chunks);
            return;
        };
        let mut queued = VecDeque::new();
        outbox.take_queued(&mut queued);
        let size = |chunks: &VecDeque<Chunk>| chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        let before = size(&queued);
        packing.pack(&mut queued);
        outbox.repacked(before, size(&queued));
        self.chunks.append(&mut queued);
    }

    /// Writes the batch, then what is queued, until all is written or the socket takes no more.
    ///
    /// Either way the batch is empty afterwards, and `progress` tells whether any byte was taken.
    pub(super) fn poll_flush<W: AsyncWrite + Unpin>(
        &mut self,
        io: &mut W,
        cx: &mut Context<'_>,
        output: &mut Output,
        outbox: &Outbox,
        progress: &mut bool,
    ) -> Poll<io::Result<()>> {
        let mut written = 0;
        loop {
            if self.is_empty() && outbox.has_queued() {
                self.take_queued(outbox, output);
            }
            if self.is_empty() && written == output.batch.len() {
                output.batch.clear();
                output.clogged = false;
                return Pin::new(io).poll_flush(cx);
            }
            match self.poll_write(io, cx, &output.batch[written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    *progress = true;
                    let of_batch = count.min(output.batch.len() - written);
                    written += of_batch;
                    output.tally.bytes_out += count as u64;
                    output.tally.messages_out += self.advance(count - of_batch, outbox);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.keep(output, written, outbox);
                    return Poll::Pending;
                }
            }
        }
    }

    fn poll_write<W: AsyncWrite + Unpin>(
        &self,
        io: &mut W,
        cx: &mut Context<'_>,
        batch: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut io = Pin::new(io);
        if self.chunks.is_empty() {
            return io.poll_write(cx, batch);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let first = self.chunks.front().map(|chunk| &chunk.bytes[self.offset..]);
        let rest = self.chunks.iter().skip(1).map(|chunk| &chunk.bytes[..]);
        let all = std::iter::once(batch).chain(first).chain(rest);
        for piece in all.filter(|piece| !piece.is_empty()).take(PIECES) {
            pieces[count] = IoSlice::new(piece);
            count += 1;
        }
        let count = ready!(io.as_mut().poll_write_vectored(cx, &pieces[..count]))?;
        Poll::Ready(Ok(count))
    }

    /// Takes what was written off the chunks; returns how many messages ended with it.
    fn advance(&mut self, mut count: usize, outbox: &Outbox) -> u64 {
        if count == 0 {
            return 0;
        }
        let (mut bytes, mut messages) = (0, 0);
        while let Some(chunk) = self.chunks.front() {
            let left = chunk.bytes.len() - self.offset;
            if count < left {
                self.offset += count;
                self.begun |= count > 0;
                bytes += count;
                break;
            }
            count -= left;
            bytes += left;
            messages += chunk.messages as usize;
            self.offset = 0;
            self.begun = !chunk.whole;
            if let Some(done) = self.chunks.pop_front() {
                give_back(done.bytes);
            }
        }
        outbox.sent(bytes, messages);
        if self.chunks.is_empty() && self.chunks.capacity() > KEPT {
            self.chunks = VecDeque::new();
        }
        messages as u64
    }

    /// Takes over what the socket left of the batch: it goes before all else.
    fn keep(&mut self, output: &mut Output, written: usize, outbox: &Outbox) {
        if written < output.batch.len() {
            // A batch is written before the chunks, so none of them has begun.
            debug_assert!(!self.begun, "no chunk has begun before the batch");
            let rest = output.batch.len() - written;
            outbox.add_waiting(rest);
            let chunk = if rest >= LARGE {
                // Moved, not copied; what is written of it does not count as waiting.
                self.offset = written;
                Bytes::from(std::mem::take(&mut output.batch))
            } else {
                Bytes::copy_from_slice(&output.batch[written..])
            };
            self.chunks.push_front(Chunk::control(chunk));
            self.begun = written > 0;
        }
        output.batch.clear();
        output.clogged = !self.is_empty();
    }

    /// How many chunks at the front hold the frame that has begun.
    fn begun(&self) -> usize {
        if !self.begun {
            return 0;
        }
        let end = self.chunks.iter().position(|chunk| chunk.whole);
        end.map_or(self.chunks.len(), |last| last + 1)
    }
}

/// Keeps the memory of a large chunk that nobody else holds.
fn give_back(bytes: Bytes) {
    if bytes.len() >= spare::LARGE
        && let Ok(mut bytes) = bytes.try_into_mut()
    {
        // Empty, or the conversion would move what is in it.
        bytes.clear();
        spare::give(bytes.into());
    }
}

impl Chunk {
    fn is_pong(&self) -> bool {
        self.messages == 0 && is_pong(&self.bytes)
    }
}

/// Whether this is nothing but one pong: its length is the first frame's.
fn is_pong(frame: &[u8]) -> bool {
    matches!(frame, [0x8A, length, payload @ ..] if usize::from(*length) == payload.len())
}

#[cfg(test)]
mod tests;
