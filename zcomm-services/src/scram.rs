//! SCRAM-SHA-256 (RFC 5802, RFC 7677) as far as a client needs it, for drivers: texts in, texts out. Sends nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The mechanism's name.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// "No channel binding", which is for encrypted ways only, and the same in base64 for the last message.
const HEADER: &str = "n,,";
const HEADER_AGAIN: &str = "c=biws";
/// PostgreSQL's count is 4096. Whoever asks for very many wants our time and not our proof.
const MOST_ROUNDS: u32 = 200_000;

/// A login that has begun.
#[derive(Debug)]
pub struct Scram {
    user: String,
    nonce: String,
}

/// A login that waits for the server's proof.
#[derive(Debug)]
pub struct Proven {
    expected: [u8; 32],
}

impl Scram {
    /// A login of that user; with PostgreSQL, which takes the user from elsewhere, of none.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn begin(user: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes)?;
        Ok(Self {
            // RFC 5802 §5.1: what parts the fields is escaped.
            user: user.replace('=', "=3D").replace(',', "=2C"),
            nonce: STANDARD.encode(bytes),
        })
    }

    /// The first message.
    pub fn first(&self) -> String {
        format!("{HEADER}{}", self.bare())
    }

    fn bare(&self) -> String {
        format!("n={},r={}", self.user, self.nonce)
    }

    /// The last message, which proves that we know the password, for the server's first one.
    pub fn last(&self, password: &str, server: &str) -> Option<(String, Proven)> {
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
    pub fn is_proof(&self, server: &str) -> bool {
        let signature = server
            .strip_prefix("v=")
            .and_then(|text| STANDARD.decode(text).ok());
        signature.is_some_and(|signature| signature.ct_eq(&self.expected).into())
    }
}

/// PBKDF2 with one block of output.
pub fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
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

/// HMAC-SHA-256.
pub fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
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
        let scram = Scram::begin("").unwrap();
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
        let scram = Scram::begin("").unwrap();
        let server = format!("r={}x,{REST}", scram.nonce);
        let (_, ours) = scram.last("pencil", &server).unwrap();
        let (_, theirs) = scram.last("guess", &server).unwrap();

        assert!(ours.is_proof(&format!("v={}", STANDARD.encode(ours.expected))));
        assert!(!ours.is_proof(&format!("v={}", STANDARD.encode(theirs.expected))));
        assert!(!ours.is_proof("e=other-error"));
    }
}
