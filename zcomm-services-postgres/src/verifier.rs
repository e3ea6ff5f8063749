//! Passwords as PostgreSQL keeps them, and the one that stands for none. Logs nobody in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zcomm_services::scram::{MECHANISM, mac, salted};

/// A verifier as PostgreSQL keeps one (`pg_authid.rolpassword`), for which there is no password: nobody knows a text
/// whose stored key is all zeros.
pub(crate) const BLANK: &str = "SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const ROUNDS: u32 = 4096;

/// The verifier of a password, as long as [`BLANK`]. The place makes the salt: the same password has others elsewhere.
pub(crate) fn verifier(password: &str, place: &str) -> String {
    let digest = Sha256::digest([password, place].join("\0"));
    let salt = &digest[..16];
    let salted = salted(password, salt, ROUNDS);
    let stored = Sha256::digest(mac(&salted, b"Client Key"));
    let server = mac(&salted, b"Server Key");
    let [salt, stored, server] = [salt, &stored[..], &server[..]].map(|part| STANDARD.encode(part));
    format!("{MECHANISM}${ROUNDS}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_as_long_as_the_blank_one_and_another_elsewhere() {
        let (here, there) = (verifier("pencil", "/here"), verifier("pencil", "/there"));

        assert_eq!((here.len(), there.len()), (BLANK.len(), BLANK.len()));
        assert_ne!(here, there);
        assert_eq!(here, verifier("pencil", "/here"));
    }
}
