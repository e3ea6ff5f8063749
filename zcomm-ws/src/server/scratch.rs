//! The buffers that a thread lends to a connection while it is polled, so that idle ones own none.

use std::cell::Cell;

use crate::frame::spare;

/// As much as one read takes.
const READ: usize = 64 * 1024;
/// A batch that grew beyond this is one of the thread's large buffers, not what every poll begins with.
const KEPT: usize = 256 * 1024;
/// One poll in so many of those that bring messages has the first of them timed: reading the clock twice for each would
/// show in the throughput. A prime number, so that connections which take turns are all looked at.
const TIMED: u32 = 17;

thread_local! {
    static SPARE: Cell<Option<Buffers>> = const { Cell::new(None) };
}

struct Buffers {
    read: Box<[u8]>,
    batch: Vec<u8>,
    polls: u32,
}

/// A thread's buffers, taken out for one poll and given back when it ends, be it by a panic.
///
/// A poll inside a poll finds none and makes its own.
pub(super) struct Scratch {
    pub(super) read: Box<[u8]>,
    pub(super) batch: Vec<u8>,
    polls: u32,
}

impl Scratch {
    pub(super) fn borrow() -> Self {
        let Buffers { read, batch, polls } = SPARE.take().unwrap_or_else(|| Buffers {
            read: vec![0; READ].into_boxed_slice(),
            batch: Vec::new(),
            polls: 0,
        });
        Self { read, batch, polls }
    }

    /// Counts a poll that brought messages.
    pub(super) fn brought_messages(&mut self) {
        self.polls = self.polls.wrapping_add(1);
    }

    /// Whether this is a poll of the sample, if it brings messages.
    pub(super) fn is_timed(&self) -> bool {
        self.polls.is_multiple_of(TIMED)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let read = std::mem::take(&mut self.read);
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        if batch.capacity() > KEPT {
            spare::give(std::mem::take(&mut batch));
        }
        // While the thread ends there may be no cell any more: then nothing is kept.
        let polls = self.polls;
        let _ = SPARE.try_with(|spare| spare.set(Some(Buffers { read, batch, polls })));
    }
}
