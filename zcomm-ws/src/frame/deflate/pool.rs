//! Compressors that a thread lends from message to message, so that idle connections own none. Compresses nothing.

use std::cell::RefCell;
use std::thread::LocalKey;

/// How many a thread keeps.
const KEPT: usize = 4;

/// What is of use only to who agreed on the same window.
pub(super) trait Pooled {
    fn window_bits(&self) -> u8;
}

/// Those of a thread that nobody uses now. They remember nothing.
#[derive(Debug)]
pub(super) struct Spare<T>(RefCell<Vec<Box<T>>>);

impl<T: Pooled> Spare<T> {
    pub(super) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// One of that window, if there is any.
    pub(super) fn take(spare: &'static LocalKey<Self>, window_bits: u8) -> Option<Box<T>> {
        let taken = spare.try_with(|Self(all)| {
            let mut all = all.borrow_mut();
            let at = all
                .iter()
                .position(|one| one.window_bits() == window_bits)?;
            Some(all.swap_remove(at))
        });
        // While the thread ends there may be no spares any more.
        taken.ok().flatten()
    }

    /// Keeps one for the next; of too many, the oldest goes.
    pub(super) fn put(spare: &'static LocalKey<Self>, one: Box<T>) {
        let _ = spare.try_with(|Self(all)| {
            let mut all = all.borrow_mut();
            if all.len() == KEPT {
                all.remove(0);
            }
            all.push(one);
        });
    }
}
