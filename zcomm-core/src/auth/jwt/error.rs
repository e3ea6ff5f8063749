//! What can be wrong with a key for JSON Web Tokens. Says nothing of what the key is.

use std::io;
use std::path::PathBuf;

use crate::error::BoxError;

/// Why a key was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// A secret that can be guessed from one token (RFC 7518 §3.2 asks for as many bits as the hash has).
    #[error("the secret for HS256 has {length} bytes; it needs at least {least}")]
    ShortSecret {
        /// How many it has.
        length: usize,
        /// How many it needs.
        least: usize,
    },
    /// A public key where a secret is wanted: everybody who has that key could make tokens.
    #[error(
        "the secret for HS256 is a key in PEM; say what it is for with `jwt.algorithm` (RS256, EdDSA)"
    )]
    PemAsSecret,
    /// The name of a file where the key itself is wanted: whoever guesses the name could make tokens.
    #[error("`jwt.key` is the name of a file; `jwt.key_file` (ZCOMM_JWT_KEY_FILE) takes names")]
    PathAsKey,
    /// An RSA key that can be broken (RFC 7518 §3.3).
    #[error("the RSA key is too small; it needs at least 2048 bits")]
    SmallRsaKey,
    /// Not a public key in PEM, or one of another kind.
    #[error("not a public key for {algorithm} in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    NotAPublicKey {
        /// What it was to be used with.
        algorithm: &'static str,
        /// What the parser said, if it got so far.
        #[source]
        source: Option<BoxError>,
    },
    /// A key set that is not JSON.
    #[error("the key set, line {line}, column {column}: not valid JSON")]
    JwksSyntax {
        /// Where, from 1 on.
        line: usize,
        /// Where in the line, from 1 on.
        column: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A key set with a value that means nothing.
    #[error("the key set: `{field}` must be {expected}")]
    JwksField {
        /// Which value, as a path: `keys[1].n`.
        field: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A key set without a key for any algorithm that is known here.
    #[error("the key set has no key for RS256, EdDSA or HS256")]
    EmptyJwks,
    /// A file with a key set that cannot be read.
    #[error("could not read the key set `{}`", path.display())]
    JwksUnreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Settings that name no key.
    #[error("JSON Web Tokens need a key: set `jwt.key` or `jwt.jwks`")]
    NoKey,
}

impl JwtError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ShortSecret { .. } => "jwt_short_secret",
            Self::PemAsSecret => "jwt_pem_as_secret",
            Self::PathAsKey => "jwt_path_as_key",
            Self::SmallRsaKey => "jwt_small_rsa_key",
            Self::NotAPublicKey { .. } => "jwt_not_a_public_key",
            Self::JwksSyntax { .. } => "jwks_syntax",
            Self::JwksField { .. } => "jwks_field",
            Self::EmptyJwks => "jwks_empty",
            Self::JwksUnreadable { .. } => "jwks_unreadable",
            Self::NoKey => "jwt_no_key",
        }
    }

    /// Never: the same key stays wrong.
    pub fn is_retryable(&self) -> bool {
        false
    }
}
