//! The buffers that a thread lends to a connection while it is polled, so that idle ones own none.

use std::cell::Cell;

/// As much as one read takes.
const READ: usize = 64 * 1024;
/// A batch that grew beyond this is not kept.
const KEPT: usize = 1024 * 1024;

thread_local! {
    static SPARE: Cell<Option<Buffers>> = const { Cell::new(None) };
}

struct Buffers {
    read: Box<[u8]>,
    batch: Vec<u8>,
}

/// A thread's buffers, taken out for one poll and given back when it ends, be it by a panic.
///
/// A poll inside a poll finds none and makes its own.
pub(super) struct Scratch {
    pub(super) read: Box<[u8]>,
    pub(super) batch: Vec<u8>,
}

impl Scratch {
    pub(super) fn borrow() -> Self {
        let Buffers { read, batch } = SPARE.take().unwrap_or_else(|| Buffers {
            read: vec![0; READ].into_boxed_slice(),
            batch: Vec::new(),
        });
        Self { read, batch }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let read = std::mem::take(&mut self.read);
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        if batch.capacity() > KEPT {
            batch = Vec::new();
        }
        // While the thread ends there may be no cell any more: then nothing is kept.
        let _ = SPARE.try_with(|spare| spare.set(Some(Buffers { read, batch })));
    }
}
