//! As whom a part of a stack sends requests, as far as a cache has to know it. Holds no credential itself.

use crate::secret::SecretDigest;

/// As whom a transport, or another part of a stack, sends requests.
///
/// What was answered to one of two that differ must never be shown to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// As nobody: it adds nothing that says who one is.
    None,
    /// As whoever has what this is the digest of.
    Digest(SecretDigest),
    /// It cannot be told: a cookie jar fills as it goes. Nothing is cached then.
    Unknown,
}
