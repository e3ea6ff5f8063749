//! Passwords that nobody has to think of. Keeps none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zcomm_core::Secret;

use crate::Error;

/// 192 random bits, written so that they stand in an address and in any configuration file as they are.
pub(crate) fn generate() -> Result<Secret, Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_differ_and_need_no_quoting() {
        let (one, other) = (generate().unwrap(), generate().unwrap());

        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 32);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(one.expose().chars().all(plain));
    }
}
