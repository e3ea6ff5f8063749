//! Masking of payloads, and keys for it. The same operation masks and unmasks.

use std::fmt;

use super::FrameError;

/// Masks or unmasks `payload` in place (RFC 6455 §5.3).
///
/// `offset` is how many bytes of the frame's payload came before this piece, so that a payload can be unmasked as it
/// arrives.
///
/// ```
/// use zcomm_ws::frame::unmask;
///
/// let key = [0x37, 0xfa, 0x21, 0x3d];
/// let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let (first, rest) = payload.split_at_mut(3);
/// unmask(first, key, 0);
/// unmask(rest, key, 3);
/// assert_eq!(&payload, b"Hello");
/// ```
#[inline]
pub fn unmask(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    // Whole words: the compiler makes vector instructions of this loop.
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}

/// How many keys are drawn from the operating system at once.
const POOL: usize = 64;

/// Masking keys from the operating system's random source, drawn in batches.
///
/// RFC 6455 §5.3 wants keys that nobody can predict; a system call for each small frame would cost more than the frame.
pub struct MaskingKeys {
    pool: Box<[[u8; 4]; POOL]>,
    left: usize,
}

impl MaskingKeys {
    /// Makes a source that has drawn nothing yet.
    pub fn new() -> Self {
        Self {
            pool: Box::new([[0; 4]; POOL]),
            left: 0,
        }
    }

    /// The next key; no key is given out twice on purpose.
    ///
    /// # Errors
    ///
    /// [`FrameError::RandomUnavailable`] if the operating system has no random bytes to give.
    pub fn next_key(&mut self) -> Result<[u8; 4], FrameError> {
        if self.left == 0 {
            fill(self.pool.as_flattened_mut())?;
            self.left = POOL;
        }
        self.left -= 1;
        // What was given out is wiped: a key that lies around is one that can leak.
        Ok(std::mem::take(&mut self.pool[self.left]))
    }
}

impl Default for MaskingKeys {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskingKeys")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Fills a buffer with random bytes.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), FrameError> {
    getrandom::fill(bytes).map_err(|error| FrameError::RandomUnavailable {
        os_error: error.raw_os_error(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_and_offset_matches_the_rfc_formula() {
        let key = [0x11, 0x22, 0x44, 0x88];
        for length in 0..70 {
            for offset in 0..9 {
                let original: Vec<u8> = (0..length as u8).collect();
                let expected: Vec<u8> = original
                    .iter()
                    .enumerate()
                    .map(|(i, byte)| byte ^ key[(i + offset) % 4])
                    .collect();
                let mut payload = original;

                unmask(&mut payload, key, offset);

                assert_eq!(payload, expected, "length {length}, offset {offset}");
            }
        }
    }

    #[test]
    fn keys_differ_across_batches() {
        let mut keys = MaskingKeys::new();

        let drawn: std::collections::HashSet<_> =
            (0..3 * POOL).map(|_| keys.next_key().unwrap()).collect();

        // 192 random keys of 32 bits: one pair in a quarter of a million runs is alike, two pairs never.
        assert!(drawn.len() >= 3 * POOL - 1);
        assert_eq!(format!("{keys:?}"), "MaskingKeys { left: 0, .. }");
    }
}
