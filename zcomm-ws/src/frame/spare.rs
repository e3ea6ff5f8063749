//! Large buffers that a thread keeps for its next large message: new memory costs more than the message's bytes do.

use std::cell::RefCell;

/// Smaller ones are the allocator's business.
pub(crate) const LARGE: usize = 64 * 1024;
/// What one thread keeps at most, all together.
const KEPT: usize = 16 << 20;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for `needed` bytes, a kept one if there is one that has no more room than `ceiling`.
pub(crate) fn take(needed: usize, ceiling: usize) -> Vec<u8> {
    let fits = |buffer: &Vec<u8>| (needed..=ceiling.max(needed)).contains(&buffer.capacity());
    let kept = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let at = spare.iter().position(fits)?;
        Some(spare.swap_remove(at))
    });
    // While the thread ends there is nothing kept any more.
    kept.ok()
        .flatten()
        .unwrap_or_else(|| Vec::with_capacity(needed))
}

/// Keeps a buffer for the next one who takes, if it is large and there is room for it.
pub(crate) fn give(mut buffer: Vec<u8>) {
    let capacity = buffer.capacity();
    if capacity < LARGE {
        return;
    }
    buffer.clear();
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        let kept: usize = spare.iter().map(Vec::capacity).sum();
        if kept + capacity <= KEPT {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_comes_back_where_it_fits() {
        give(Vec::with_capacity(2 * LARGE));
        let kept = take(LARGE, 2 * LARGE);

        assert_eq!(kept.capacity(), 2 * LARGE);
        give(kept);
        assert_eq!(take(LARGE, LARGE).capacity(), LARGE);
        assert_eq!(take(3 * LARGE, usize::MAX).capacity(), 3 * LARGE);
        assert_eq!(take(1, usize::MAX).capacity(), 2 * LARGE);
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        for _ in 0..100 {
            give(Vec::with_capacity(1 << 20));
        }

        let kept = SPARE.with(|spare| spare.borrow().len());
        assert_eq!(kept, 16);
        give(Vec::with_capacity(10));
        assert_eq!(SPARE.with(|spare| spare.borrow().len()), 16);
    }
}
