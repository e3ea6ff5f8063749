//! The chain of causes below an error, as far as libraries hide some of it. Judges none of them.

use std::error::Error as StdError;

/// Every error in the chain, those inside an [`std::io::Error`] included, which `source` skips.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        inner(error).or_else(|| error.source())
    })
}

fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let inner = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    Some(inner)
}
