//! SCRAM-SHA-256 (RFC 5802, RFC 7677) as far as a client needs it: texts in, texts out. Sends nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Error;

/// The mechanism's name.
pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";
/// "No channel binding", which is for encrypted ways only, and the same in base64 for the last message.
const HEADER: &str = "n,,";
const HEADER_AGAIN: &str = "c=biws";
/// PostgreSQL's count is 4096. Whoever asks for very many wants our time and not our proof.
const MOST_ROUNDS: u32 = 200_000;

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

/// A login that has begun.
pub(crate) struct Scram {
    nonce: String,
}

/// A login that waits for the server's proof.
pub(crate) struct Proven {
    expected: [u8; 32],
}

impl Scram {
    pub(crate) fn begin() -> Result<Self, Error> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self {
            nonce: STANDARD.encode(bytes),
        })
    }

    /// The first message. PostgreSQL takes the user from the start-up packet and ignores the one here.
    pub(crate) fn first(&self) -> String {
        format!("{HEADER}{}", self.bare())
    }

    fn bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }

    /// The last message, which proves that we know the password, for the server's first one.
    pub(crate) fn last(&self, password: &str, server: &str) -> Option<(String, Proven)> {
        let mut fields = server.split(',');
        let nonce = fields.next()?.strip_prefix("r=")?;
        let salt = STANDARD.decode(fields.next()?.strip_prefix("s=")?).ok()?;
        let rounds: u32 = fields.next()?.strip_prefix("i=")?.parse().ok()?;
        if !nonce.starts_with(&self.nonce)
            || nonce == self.nonce
            || !(1..=MOST_ROUNDS).contains(&rounds)
        {
            return None;
        }
        let salted = salted(password, &salt, rounds);
        let without_proof = format!("{HEADER_AGAIN},r={nonce}");
        let conversation = format!("{},{server},{without_proof}", self.bare());
        let key = mac(&salted, b"Client Key");
        let signature = mac(&Sha256::digest(key), conversation.as_bytes());
        let proof: Vec<u8> = key
            .iter()
            .zip(signature)
            .map(|(key, other)| key ^ other)
            .collect();
        let expected = mac(&mac(&salted, b"Server Key"), conversation.as_bytes());
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        Some((last, Proven { expected }))
    }
}

impl Proven {
    /// Whether the server's last message proves that it knows the password, too.
    pub(crate) fn is_proof(&self, server: &str) -> bool {
        let signature = server
            .strip_prefix("v=")
            .and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| signature.ct_eq(&self.expected).into())
    }
}

/// PBKDF2 with one block of output.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let keyed = keyed(password.as_bytes());
    let mut last = finish(keyed.clone(), &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = last;
    for _ in 1..rounds {
        last = finish(keyed.clone(), &last);
        sum.iter_mut()
            .zip(last)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    finish(keyed(key), text)
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn finish(mut mac: Hmac<Sha256>, text: &[u8]) -> [u8; 32] {
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A salt and a count of rounds as RFC 7677 §3 has them; its user name is not sent to PostgreSQL.
    const REST: &str = "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    #[test]
    fn a_password_is_salted_as_the_standard_says() {
        // RFC 7914 §11 gives the first 32 bytes of PBKDF2-HMAC-SHA256 for these.
        let key = salted("passwd", b"salt", 1);

        assert_eq!(key[..8], [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f]);
    }

    #[test]
    fn a_server_that_does_not_build_on_our_nonce_gets_no_proof() {
        let scram = Scram::begin().unwrap();
        let longer = format!("r={}x,{REST}", scram.nonce);
        let same = format!("r={},{REST}", scram.nonce);

        assert!(scram.last("pencil", &longer).is_some());
        assert!(scram.last("pencil", &same).is_none());
        assert!(scram.last("pencil", &format!("r=other,{REST}")).is_none());
        assert!(
            scram
                .last("pencil", &longer.replace("4096", "4000000000"))
                .is_none()
        );
    }

    #[test]
    fn a_server_without_the_password_has_no_proof() {
        let scram = Scram::begin().unwrap();
        let server = format!("r={}x,{REST}", scram.nonce);
        let (_, ours) = scram.last("pencil", &server).unwrap();
        let (_, theirs) = scram.last("guess", &server).unwrap();

        assert!(ours.is_proof(&format!("v={}", STANDARD.encode(ours.expected))));
        assert!(!ours.is_proof(&format!("v={}", STANDARD.encode(theirs.expected))));
        assert!(!ours.is_proof("e=other-error"));
    }
}
