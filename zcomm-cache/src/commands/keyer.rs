//! The keyer of commands: reads are kept, each for exactly the scope that asked.

use zcomm_core::{CacheKey, CacheKeyer, CacheRequest, Command, Scope};

/// Keys every read by its scope and its canonical form, and nothing else at all.
///
/// Two reads have one key only if they ask for the same in every respect; how they were written does not matter.
#[derive(Clone, Copy, Debug, Default)]
pub struct PerIdentity;

impl CacheKeyer for PerIdentity {
    fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey> {
        match request.command? {
            Command::Read { query, cache } if !cache.bypass => {
                Some(CacheKey::builder(scope).query(query).finish())
            }
            _ => None,
        }
    }
}
