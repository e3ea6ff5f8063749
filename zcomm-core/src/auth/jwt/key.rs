//! The keys by which JSON Web Tokens are verified, each with the one algorithm it is for. Verifies nothing itself.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::error::JwtError;
use crate::secret::Secret;

/// RFC 7518 §3.2: a key of the same size as the hash output or larger.
const LEAST_SECRET: usize = 32;

/// 2048 bits (RFC 7518 §3.3), as the modulus alone takes in bytes.
const LEAST_MODULUS: usize = 256;

/// A key that verifies tokens. It has one algorithm, and what a token says of its own algorithm only has to agree.
///
/// ```
/// use zcomm_core::auth::{JwtError, JwtKey};
/// use zcomm_core::Secret;
///
/// let key = JwtKey::hs256(&Secret::new("an-example-secret-of-32-bytes-or-more")).unwrap().id("2027");
/// assert_eq!(format!("{key:?}"), r#"JwtKey { id: Some("2027"), algorithm: "HS256", .. }"#);
///
/// let short = JwtKey::hs256(&Secret::new("hunter2")).unwrap_err();
/// assert_eq!(short.to_string(), "the secret for HS256 has 7 bytes; it needs at least 32");
/// ```
#[derive(Clone)]
pub struct JwtKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

impl JwtKey {
    /// A secret that issuer and server share.
    ///
    /// # Errors
    ///
    /// [`JwtError::ShortSecret`], and [`JwtError::PemAsSecret`] for what is a public key and no secret at all.
    pub fn hs256(secret: &Secret) -> Result<Self, JwtError> {
        let text = secret.expose();
        if text.trim_start().starts_with("-----BEGIN") {
            return Err(JwtError::PemAsSecret);
        }
        Self::of_secret(text.as_bytes())
    }

    /// An issuer's public RSA key of 2048 bits or more, in PEM.
    ///
    /// # Errors
    ///
    /// [`JwtError::NotAPublicKey`], [`JwtError::SmallRsaKey`].
    pub fn rs256_pem(pem: &str) -> Result<Self, JwtError> {
        let key = public("RS256", pem, DecodingKey::from_rsa_pem)?;
        if key.try_get_as_bytes().map_or(0, modulus_length) < LEAST_MODULUS {
            return Err(JwtError::SmallRsaKey);
        }
        Ok(Self::new(Algorithm::RS256, key))
    }

    /// An issuer's public Ed25519 key, in PEM.
    ///
    /// # Errors
    ///
    /// [`JwtError::NotAPublicKey`].
    pub fn eddsa_pem(pem: &str) -> Result<Self, JwtError> {
        let key = public("EdDSA", pem, DecodingKey::from_ed_pem)?;
        let length = key.try_get_as_bytes().map_or(0, <[u8]>::len);
        if length != 32 {
            let (algorithm, source) = ("EdDSA", None);
            return Err(JwtError::NotAPublicKey { algorithm, source });
        }
        Ok(Self::new(Algorithm::EdDSA, key))
    }

    /// All keys of a key set (RFC 7517) that are for signatures by RS256, EdDSA or HS256.
    ///
    /// What the set has for encryption, or for other algorithms, is left out.
    ///
    /// # Errors
    ///
    /// [`JwtError`], by line or by field; also if nothing is left.
    pub fn all_of_jwks(text: &str) -> Result<Vec<Self>, JwtError> {
        let set: Value = serde_json::from_str(text).map_err(|source| JwtError::JwksSyntax {
            line: source.line(),
            column: source.column(),
            source,
        })?;
        let Some(keys) = set.get("keys").and_then(Value::as_array) else {
            return Err(wrong("keys".to_owned(), "a list"));
        };
        let mut usable = Vec::new();
        for (index, value) in keys.iter().enumerate() {
            let jwk = Jwk { value, index };
            usable.extend(jwk.key()?);
        }
        if usable.is_empty() {
            return Err(JwtError::EmptyJwks);
        }
        Ok(usable)
    }

    /// Names the key: it then verifies the tokens that name it (`kid`), and no other ones that name a key.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    fn new(algorithm: Algorithm, key: DecodingKey) -> Self {
        // Where a program's other crates enable a second provider, the library cannot choose and would panic. Whoever
        // installed one before is left in place.
        let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
        Self {
            id: None,
            algorithm,
            key,
        }
    }

    fn of_secret(secret: &[u8]) -> Result<Self, JwtError> {
        if secret.len() < LEAST_SECRET {
            let (length, least) = (secret.len(), LEAST_SECRET);
            return Err(JwtError::ShortSecret { length, least });
        }
        Ok(Self::new(
            Algorithm::HS256,
            DecodingKey::from_secret(secret),
        ))
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("id", &self.id)
            .field("algorithm", &format!("{:?}", self.algorithm))
            .finish_non_exhaustive()
    }
}

/// Reads a public key. The library would also take a private one or a certificate, and misread it.
fn public(
    algorithm: &'static str,
    pem: &str,
    read: fn(&[u8]) -> jsonwebtoken::errors::Result<DecodingKey>,
) -> Result<DecodingKey, JwtError> {
    let pem = pem.trim();
    let public = [
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN RSA PUBLIC KEY-----",
    ];
    if !public.iter().any(|start| pem.starts_with(start)) {
        let source = None;
        return Err(JwtError::NotAPublicKey { algorithm, source });
    }
    read(pem.as_bytes()).map_err(|error| JwtError::NotAPublicKey {
        algorithm,
        source: Some(error.into()),
    })
}

/// How long the modulus of a PKCS #1 public key is, or 0 if that takes less than 256 bytes to say.
fn modulus_length(der: &[u8]) -> usize {
    // SEQUENCE and INTEGER, both with a length of two bytes (RFC 8017 A.1.1, X.690 §8.1.3.5).
    let [0x30, 0x82, _, _, 0x02, 0x82, high, low, rest @ ..] = der else {
        return 0;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    rest.get(..length).map_or(0, significant)
}

/// The bytes of a number, without zeros in front.
fn significant(number: &[u8]) -> usize {
    number.iter().skip_while(|byte| **byte == 0).count()
}

/// One key of a set, and where it stands.
struct Jwk<'a> {
    value: &'a Value,
    index: usize,
}

impl Jwk<'_> {
    fn key(&self) -> Result<Option<JwtKey>, JwtError> {
        if !self.is_for_signatures() {
            return Ok(None);
        }
        let algorithm = self.text("alg").unwrap_or_default();
        let key = match (self.text("kty"), algorithm) {
            (Some("RSA"), "" | "RS256") => self.rsa()?,
            (Some("OKP"), "" | "EdDSA" | "Ed25519") if self.text("crv") == Some("Ed25519") => {
                self.ed25519()?
            }
            (Some("oct"), "" | "HS256") => {
                let expected = "at least 32 bytes in base64url";
                let secret = self.bytes("k", expected)?;
                JwtKey::of_secret(&secret).map_err(|_| self.wrong("k", expected))?
            }
            (Some(_), _) => return Ok(None),
            (None, _) => return Err(self.wrong("kty", "a text")),
        };
        Ok(Some(match self.text("kid") {
            Some(id) => key.id(id),
            None => key,
        }))
    }

    fn rsa(&self) -> Result<JwtKey, JwtError> {
        let modulus = self.bytes("n", "a number in base64url")?;
        let exponent = self.bytes("e", "a number in base64url")?;
        if significant(&modulus) < LEAST_MODULUS {
            return Err(self.wrong("n", "a number of at least 2048 bits"));
        }
        let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
        Ok(JwtKey::new(Algorithm::RS256, key))
    }

    fn ed25519(&self) -> Result<JwtKey, JwtError> {
        let expected = "32 bytes in base64url";
        let point = self.bytes("x", expected)?;
        // The library cuts the first 32 bytes off a longer key, and panics at a shorter one.
        if point.len() != 32 {
            return Err(self.wrong("x", expected));
        }
        Ok(JwtKey::new(
            Algorithm::EdDSA,
            DecodingKey::from_ed_der(&point),
        ))
    }

    /// RFC 7517 §4.2 and §4.3: a key without either may be used for anything.
    fn is_for_signatures(&self) -> bool {
        let operations = self.value.get("key_ops").and_then(Value::as_array);
        let may_verify = operations.is_none_or(|list| list.iter().any(|one| one == "verify"));
        may_verify && self.text("use").is_none_or(|purpose| purpose == "sig")
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value.get(name).and_then(Value::as_str)
    }

    fn bytes(&self, name: &str, expected: &'static str) -> Result<Vec<u8>, JwtError> {
        let text = self.text(name).unwrap_or_default().trim_end_matches('=');
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            _ => Err(self.wrong(name, expected)),
        }
    }

    fn wrong(&self, name: &str, expected: &'static str) -> JwtError {
        wrong(format!("keys[{}].{name}", self.index), expected)
    }
}

fn wrong(field: String, expected: &'static str) -> JwtError {
    JwtError::JwksField { field, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSA_PRIVATE: &str = include_str!("tests/rsa.private.pem");
    const RSA_PUBLIC: &str = include_str!("tests/rsa.public.pem");
    const RSA_SMALL: &str = include_str!("tests/rsa1024.public.pem");
    const ED_PRIVATE: &str = include_str!("tests/ed.private.pem");
    const ED_PUBLIC: &str = include_str!("tests/ed.public.pem");

    #[test]
    fn keys_that_would_not_protect_are_refused() {
        let code = |key: Result<JwtKey, JwtError>| key.unwrap_err().code();

        assert_eq!(
            code(JwtKey::hs256(&Secret::new("short"))),
            "jwt_short_secret"
        );
        assert_eq!(
            code(JwtKey::hs256(&Secret::new(RSA_PUBLIC))),
            "jwt_pem_as_secret"
        );
        assert_eq!(code(JwtKey::rs256_pem(RSA_SMALL)), "jwt_small_rsa_key");
        for pem in [
            RSA_PRIVATE,
            ED_PRIVATE,
            ED_PUBLIC,
            "",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert_eq!(
                code(JwtKey::rs256_pem(pem)),
                "jwt_not_a_public_key",
                "{pem}"
            );
        }
        for pem in [RSA_PRIVATE, RSA_PUBLIC, ED_PRIVATE, ""] {
            assert_eq!(
                code(JwtKey::eddsa_pem(pem)),
                "jwt_not_a_public_key",
                "{pem}"
            );
        }
    }

    #[test]
    fn a_wrong_key_set_is_refused_by_place() {
        let message = |text: &str| JwtKey::all_of_jwks(text).unwrap_err().to_string();
        let one = |fields: &str| message(&format!(r#"{{"keys": [{{{fields}}}]}}"#));

        assert_eq!(
            message("{\n}}"),
            "the key set, line 2, column 2: not valid JSON"
        );
        assert_eq!(message("{}"), "the key set: `keys` must be a list");
        assert_eq!(
            message(r#"{"keys": []}"#),
            "the key set has no key for RS256, EdDSA or HS256"
        );
        assert_eq!(one(""), "the key set: `keys[0].kty` must be a text");
        assert_eq!(
            one(r#""kty": "RSA", "n": "AQAB", "e": "AQAB""#),
            "the key set: `keys[0].n` must be a number of at least 2048 bits"
        );
        assert_eq!(
            one(r#""kty": "OKP", "crv": "Ed25519", "x": "AQAB""#),
            "the key set: `keys[0].x` must be 32 bytes in base64url"
        );
        assert_eq!(
            one(r#""kty": "oct", "k": "AQAB""#),
            "the key set: `keys[0].k` must be at least 32 bytes in base64url"
        );
        assert_eq!(
            one(r#""kty": "RSA", "alg": "RS512", "n": "AQAB", "e": "AQAB""#),
            "the key set has no key for RS256, EdDSA or HS256"
        );
    }
}
