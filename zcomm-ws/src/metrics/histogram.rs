//! Counts of values by their size. Knows no units.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many values fell under each of `N` bounds, how many above all, and their sum.
#[derive(Debug)]
pub(super) struct Histogram<const N: usize> {
    under: [AtomicU64; N],
    above: AtomicU64,
    sum: AtomicU64,
}

/// A histogram as it stood at one moment; the counts add up from bound to bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted<const N: usize> {
    pub(super) up_to: [u64; N],
    pub(super) count: u64,
    pub(super) sum: u64,
}

impl<const N: usize> Histogram<N> {
    pub(super) fn record(&self, bounds: &[u64; N], value: u64) {
        let at = bounds.iter().position(|bound| value <= *bound);
        let bucket = at.map_or(&self.above, |at| &self.under[at]);
        bucket.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(super) fn counted(&self) -> Counted<N> {
        let mut count = 0;
        let up_to = std::array::from_fn(|at| {
            count += self.under[at].load(Ordering::Relaxed);
            count
        });
        Counted {
            up_to,
            count: count + self.above.load(Ordering::Relaxed),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self {
            under: std::array::from_fn(|_| AtomicU64::new(0)),
            above: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }
}

impl<const N: usize> Counted<N> {
    pub(super) const NONE: Self = Self {
        up_to: [0; N],
        count: 0,
        sum: 0,
    };

    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.up_to.iter_mut().zip(other.up_to) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_from_bound_to_bound() {
        let histogram = Histogram::<2>::default();
        for value in [1, 10, 11, 500] {
            histogram.record(&[10, 100], value);
        }

        let counted = histogram.counted();

        assert_eq!(
            (counted.up_to, counted.count, counted.sum),
            ([2, 3], 4, 522)
        );
        assert_eq!(counted.plus(&counted).up_to, [4, 6]);
        assert_eq!(Counted::NONE.plus(&counted), counted);
    }
}
