//! What waits to be sent to one connection: filled from any thread, emptied by the connection's task. Writes nothing.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use super::CloseReason;
use crate::frame::{CloseCode, MessageKind, encode_header};

/// Small messages are gathered into chunks of about this size.
const CHUNK: usize = 16 * 1024;

/// A frame for one connection of at most this size is copied: that is cheaper than to share it.
const SMALL: usize = 1024;

/// The same for a frame that many connections share.
const TINY: usize = 256;

/// The connection's task is needed for this.
const QUEUED: u8 = 1;
const CLOSE: u8 = 2;
const PING: u8 = 4;

/// How much may wait for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutboxLimits {
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
}

/// One or more whole frames, or a piece of a large one. Never without bytes.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) messages: u32,
    /// Whether it ends with the end of a frame.
    pub(super) whole: bool,
}

impl Chunk {
    pub(super) fn control(frame: Bytes) -> Self {
        Self {
            bytes: frame,
            messages: 0,
            whole: true,
        }
    }
}

/// What became of a message that was put into an outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Taken,
    Full,
    Closed,
}

/// How a close that was asked for is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CloseRequest {
    pub(super) reason: CloseReason,
    /// Whether what is queued is dropped.
    pub(super) urgent: bool,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    limits: OutboxLimits,
    signals: AtomicU8,
    queue: Mutex<Queue>,
    task: AtomicWaker,
    /// Wakes those who wait for room.
    pub(super) room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Chunk>,
    tail: Vec<u8>,
    tail_messages: u32,
    /// All that waits, including what the task has taken and not yet written.
    bytes: usize,
    messages: usize,
    closed: bool,
    close: Option<CloseRequest>,
}

impl Queue {
    fn has_room(&self, limits: OutboxLimits, bytes: usize) -> bool {
        self.messages == 0
            || (self.messages < limits.messages && self.bytes + bytes <= limits.bytes)
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.messages += 1;
    }

    fn push_shared(&mut self, frame: Bytes) {
        self.seal_tail();
        self.count(frame.len());
        self.chunks.push_back(Chunk {
            bytes: frame,
            messages: 1,
            whole: true,
        });
    }

    fn push_copy(&mut self, frame: &[u8]) {
        let (length, room) = (self.tail.len(), self.tail.capacity());
        if room - length < frame.len() {
            // Exactly for the first, with much room for all after it: most tails hold one frame, or many.
            self.tail
                .reserve_exact(frame.len().max(8 * length).min(CHUNK + frame.len()));
        }
        self.tail.extend_from_slice(frame);
        self.end_copy(frame.len());
    }

    fn push_parts(&mut self, kind: MessageKind, parts: &[&[u8]]) {
        let before = self.tail.len();
        append_frame(&mut self.tail, kind, parts);
        self.end_copy(self.tail.len() - before);
    }

    fn end_copy(&mut self, bytes: usize) {
        self.count(bytes);
        self.tail_messages += 1;
        if self.tail.len() >= CHUNK {
            self.seal_tail();
        }
    }

    fn seal_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        self.chunks.push_back(Chunk {
            bytes: std::mem::take(&mut self.tail).into(),
            messages: std::mem::take(&mut self.tail_messages),
            whole: true,
        });
    }

    fn clear(&mut self) {
        self.tail = Vec::new();
        self.tail_messages = 0;
        self.chunks = VecDeque::new();
    }
}

impl Outbox {
    pub(crate) fn new(limits: OutboxLimits) -> Self {
        Self {
            limits,
            signals: AtomicU8::new(0),
            queue: Mutex::default(),
            task: AtomicWaker::new(),
            room: Notify::new(),
        }
    }

    /// Puts an encoded frame in; a connection with too much waiting already is closed instead.
    ///
    /// The waker is to be woken once every lock is let go.
    pub(crate) fn push(&self, frame: &Bytes) -> (Pushed, Option<Waker>) {
        let mut queue = self.lock();
        if queue.closed || queue.close.is_some() {
            return (Pushed::Closed, None);
        }
        if queue.has_room(self.limits, frame.len()) {
            // One piece of many small frames is written faster than as many pieces.
            if frame.len() <= TINY {
                queue.push_copy(frame);
            } else {
                queue.push_shared(frame.clone());
            }
            return (Pushed::Taken, self.signal(QUEUED));
        }
        queue.clear();
        queue.close = Some(CloseRequest {
            reason: CloseReason::from(CloseCode::SlowConsumer),
            urgent: true,
        });
        (Pushed::Full, self.signal(CLOSE))
    }

    /// Puts an encoded frame in if there is room.
    pub(super) fn try_push_frame(&self, frame: &Bytes) -> Pushed {
        let mut queue = self.lock();
        if queue.closed || queue.close.is_some() {
            return Pushed::Closed;
        }
        if !queue.has_room(self.limits, frame.len()) {
            return Pushed::Full;
        }
        if frame.len() <= SMALL {
            queue.push_copy(frame);
        } else {
            queue.push_shared(frame.clone());
        }
        let waker = self.signal(QUEUED);
        drop(queue);
        wake(waker);
        Pushed::Taken
    }

    /// Puts a reply in whatever waits: whoever replies has stopped the reading that leads to more replies.
    pub(super) fn append(&self, kind: MessageKind, parts: &[&[u8]]) {
        let mut queue = self.lock();
        if !queue.closed {
            queue.push_parts(kind, parts);
            self.signals.fetch_or(QUEUED, Ordering::Release);
        }
    }

    /// Puts a large reply in without copying it.
    pub(super) fn append_shared(&self, kind: MessageKind, first: &Bytes, second: &Bytes) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        queue.seal_tail();
        let length = first.len() + second.len();
        let mut header = Vec::new();
        encode_header(&mut header, kind.opcode(), length, None);
        queue.count(header.len() + length);
        for bytes in [Bytes::from(header), first.clone(), second.clone()] {
            if !bytes.is_empty() {
                queue.chunks.push_back(Chunk {
                    bytes,
                    messages: 0,
                    whole: false,
                });
            }
        }
        if let Some(last) = queue.chunks.back_mut() {
            (last.messages, last.whole) = (1, true);
        }
        self.signals.fetch_or(QUEUED, Ordering::Release);
    }

    /// Asks the task to close. The first reason stands.
    pub(crate) fn request_close(&self, reason: CloseReason, urgent: bool) -> bool {
        let mut queue = self.lock();
        if queue.closed || queue.close.is_some() {
            return false;
        }
        queue.close = Some(CloseRequest { reason, urgent });
        let waker = self.signal(CLOSE);
        drop(queue);
        wake(waker);
        self.room.notify_waiters();
        true
    }

    pub(crate) fn request_ping(&self) {
        wake(self.signal(PING));
    }

    pub(crate) fn is_closed(&self) -> bool {
        let queue = self.lock();
        queue.closed || queue.close.is_some()
    }

    /// Bytes and messages that wait.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.bytes, queue.messages)
    }

    // What follows is for the connection's task.

    pub(super) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    #[inline]
    pub(super) fn has_queued(&self) -> bool {
        self.signals.load(Ordering::Acquire) & QUEUED != 0
    }

    #[inline]
    pub(super) fn close_requested(&self) -> bool {
        self.signals.load(Ordering::Acquire) & CLOSE != 0
    }

    pub(super) fn take_close(&self) -> Option<CloseRequest> {
        if !self.close_requested() {
            return None;
        }
        let mut queue = self.lock();
        self.signals.fetch_and(!CLOSE, Ordering::AcqRel);
        // `closed` takes over what a request that waits had kept out.
        queue.closed = true;
        queue.close.take()
    }

    pub(super) fn take_ping(&self) -> bool {
        let asked = self.signals.load(Ordering::Acquire) & PING != 0;
        if asked {
            self.signals.fetch_and(!PING, Ordering::AcqRel);
        }
        asked
    }

    /// Takes what is queued; it counts as waiting until [`sent`](Self::sent) says otherwise.
    pub(super) fn take_queued(&self, into: &mut VecDeque<Chunk>) {
        let mut queue = self.lock();
        self.signals.fetch_and(!QUEUED, Ordering::AcqRel);
        queue.seal_tail();
        if into.is_empty() {
            std::mem::swap(into, &mut queue.chunks);
        } else {
            into.append(&mut queue.chunks);
        }
    }

    /// Counts bytes and messages that wait, or no longer do.
    pub(super) fn add_waiting(&self, bytes: usize) {
        self.lock().bytes += bytes;
    }

    /// Counts anew what became larger or smaller on its way.
    pub(super) fn repacked(&self, before: usize, after: usize) {
        let mut queue = self.lock();
        queue.bytes = (queue.bytes + after).saturating_sub(before);
    }

    pub(super) fn sent(&self, bytes: usize, messages: usize) {
        let mut queue = self.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
        queue.messages = queue.messages.saturating_sub(messages);
        drop(queue);
        self.room.notify_waiters();
    }

    /// Whether so much waits that no more should be read.
    pub(super) fn is_full(&self) -> bool {
        self.lock().bytes >= self.limits.bytes
    }

    /// Ends the outbox: nothing is taken any more, what is queued is dropped.
    pub(super) fn shut(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        queue.clear();
        self.signals.fetch_and(!QUEUED, Ordering::AcqRel);
        drop(queue);
        self.room.notify_waiters();
    }

    fn signal(&self, signal: u8) -> Option<Waker> {
        // Whoever set it before woke the task, which has not come to clear it yet.
        let before = self.signals.fetch_or(signal, Ordering::AcqRel);
        if before & signal == 0 {
            self.task.take()
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code that can panic runs under the lock, but for a failed allocation.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends a frame whose payload lies in several pieces.
#[inline]
pub(super) fn append_frame(output: &mut Vec<u8>, kind: MessageKind, parts: &[&[u8]]) {
    let length = parts.iter().map(|part| part.len()).sum();
    encode_header(output, kind.opcode(), length, None);
    for part in parts {
        output.extend_from_slice(part);
    }
}

pub(crate) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
