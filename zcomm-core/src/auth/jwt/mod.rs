//! The policy of a server that believes an issuer of JSON Web Tokens. Verifies tokens, fetches no keys.

mod claims;
mod error;
mod key;
mod plugin;

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};

use self::claims::{Claims, Names};
use super::{AuthPolicy, Credentials, Refusal};
use crate::action::Action;
use crate::caller::Peer;
use crate::identity::Identity;

pub use error::JwtError;
pub use key::JwtKey;
pub use plugin::PLUGIN_JWT;

/// Longer than any token that fits into the head of a request.
const LONGEST: usize = 16 * 1024;

const LONGEST_LEEWAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lets in whoever presents a JSON Web Token (RFC 7519) that one of the keys verifies.
///
/// The algorithm is the key's: HS256, RS256 or EdDSA. A token whose header says anything else is refused, `none`
/// included, and so is one that asks for extensions (`crit`). A token that names a key (`kid`) is verified by the
/// key of that name; where there is none, and for a token that names none, only keys without a name are tried. A key
/// that is the only one also takes tokens that name none.
///
/// A token must end (`exp`) and must not lie in the future (`nbf`), both within the [`leeway`](Self::leeway). Set
/// [`issuer`](Self::issuer) and [`audience`](Self::audience): without them every token of that key is believed,
/// also one that was made for another service. A token that is made for somebody (`aud`) is refused where no
/// audience is set.
///
/// Everything is permitted to those who are let in; what they may do with which rows is up to the schemas. Why a
/// token was refused is told in the log at the level debug; a peer is told only that it is invalid.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use zcomm_core::auth::{Jwt, JwtKey};
/// use zcomm_core::{AuthPolicy, Credentials, Peer, Secret};
///
/// let secret = Secret::new("an-example-secret-of-32-bytes-or-more");
/// let policy = Jwt::new([JwtKey::hs256(&secret).unwrap()]).issuer("https://id.example");
///
/// // {"sub":"ada","app":"shop","roles":["admin"],"iss":"https://id.example","exp":4102444800}
/// let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
///     eyJzdWIiOiJhZGEiLCJhcHAiOiJzaG9wIiwicm9sZXMiOlsiYWRtaW4iXSwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlIiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
///     ZpTs2nIS6BhtT1vJean-wLVZTdvjF4VQKpmdlEhGU4I";
/// let who = policy.identify(&Credentials::token(token), &Peer::in_process()).await.unwrap();
/// assert_eq!((who.name(), who.app(), who.has_role("admin")), (Some("ada"), "shop", true));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Jwt {
    keys: Vec<JwtKey>,
    issuers: HashSet<String>,
    audiences: HashSet<String>,
    leeway: Duration,
    must_end: bool,
    names: Names,
}

impl Jwt {
    /// Believes the tokens that one of these keys verifies; without a key, none.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            issuers: HashSet::new(),
            audiences: HashSet::new(),
            leeway: Duration::from_secs(60),
            must_end: true,
            names: Names::default(),
        }
    }

    /// Wants tokens of this issuer (`iss`), or of another one that was named before.
    #[must_use]
    pub fn issuer(mut self, name: impl Into<String>) -> Self {
        self.issuers.insert(name.into());
        self
    }

    /// Wants tokens for this audience (`aud`), or for another one that was named before.
    #[must_use]
    pub fn audience(mut self, name: impl Into<String>) -> Self {
        self.audiences.insert(name.into());
        self
    }

    /// How far the issuer's clock may be off: 60 seconds, unless this is called. More than a day counts as a day.
    #[must_use]
    pub fn leeway(mut self, most: Duration) -> Self {
        self.leeway = Duration::from_secs(most.min(LONGEST_LEEWAY).as_secs());
        self
    }

    /// Believes tokens without an end (`exp`), too. Nothing but another key ever ends those.
    #[must_use]
    pub fn allow_endless(mut self) -> Self {
        self.must_end = false;
        self
    }

    /// Which claim names the user: `sub`, unless this is called. A token without it is refused.
    ///
    /// Here and below a path leads into claims of claims: `realm_access.roles`.
    #[must_use]
    pub fn user_claim(mut self, name: impl Into<String>) -> Self {
        self.names.user = name.into();
        self
    }

    /// Which claim names the application: `app`, unless this is called. Without it the caller is believed.
    #[must_use]
    pub fn app_claim(mut self, name: impl Into<String>) -> Self {
        self.names.app = name.into();
        self
    }

    /// Which claims hold the roles, a list or a text; the first that is there counts. `roles` and `role`, unless
    /// this is called.
    ///
    /// `scope` and `scp` hold several, with blanks between. They are not looked at by themselves, as in many
    /// systems a user's program may ask for any scope.
    #[must_use]
    pub fn roles_claims<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names.roles = names.into_iter().map(Into::into).collect();
        self
    }

    fn judge(&self, given: &Credentials) -> Result<Identity, Refusal> {
        let Some(token) = given.token.as_ref().filter(|token| !token.is_empty()) else {
            return Err(Refusal::AuthenticationRequired);
        };
        let verdict = self.claims(token.expose()).and_then(|claims| {
            let who = self
                .names
                .identity(&claims, given.app.as_deref(), self.leeway);
            who.ok_or("a claim is missing or of another type")
        });
        verdict.map_err(|reason| {
            tracing::debug!(reason, "token refused");
            Refusal::InvalidToken
        })
    }

    /// The claims of a token that holds, or why it does not.
    fn claims(&self, token: &str) -> Result<Claims, &'static str> {
        if token.len() > LONGEST {
            return Err("longer than any token");
        }
        let header = decode_header(token).map_err(|error| reason(error.kind()))?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: what is critical and not understood makes a token invalid.
            return Err("asks for an extension");
        }
        let mut refused = "names a key that is not here";
        for key in self.keys_for(header.kid.as_deref()) {
            match decode::<Claims>(token, &key.key, &self.validation(key.algorithm)) {
                Ok(data) => return Ok(data.claims),
                Err(error) => refused = reason(error.kind()),
            }
        }
        Err(refused)
    }

    /// The keys that may verify a token, by the name it gives and by nothing else that it says.
    fn keys_for(&self, named: Option<&str>) -> impl Iterator<Item = &JwtKey> {
        let is_known = self
            .keys
            .iter()
            .any(|key| key.id.is_some() && key.id.as_deref() == named);
        let wanted = if is_known { named } else { None };
        let is_only = self.keys.len() == 1 && named.is_none();
        self.keys
            .iter()
            .filter(move |key| is_only || key.id.as_deref() == wanted)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut rules = Validation::new(algorithm);
        rules.leeway = self.leeway.as_secs();
        rules.validate_nbf = true;
        rules.required_spec_claims.clear();
        // A claim that is not required is only judged where it is there: each of these must be there.
        let mut require = |claim: &str| rules.required_spec_claims.insert(claim.to_owned());
        if self.must_end {
            require("exp");
        }
        if !self.issuers.is_empty() {
            require("iss");
        }
        if !self.audiences.is_empty() {
            require("aud");
        }
        rules.iss = Some(&self.issuers)
            .filter(|names| !names.is_empty())
            .cloned();
        rules.aud = Some(&self.audiences)
            .filter(|names| !names.is_empty())
            .cloned();
        rules
    }
}

#[async_trait]
impl AuthPolicy for Jwt {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        self.judge(given)
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

/// Why a token does not hold, in words that repeat nothing of it.
fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "expired",
        ErrorKind::ImmatureSignature => "not yet valid",
        ErrorKind::InvalidIssuer => "of another issuer",
        ErrorKind::InvalidAudience => "for another audience",
        ErrorKind::InvalidAlgorithm => "signed by another algorithm than the key's",
        ErrorKind::InvalidSignature => "the signature is wrong",
        ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
        ErrorKind::InvalidClaimFormat(_) => "a claim is of another type",
        _ => "malformed",
    }
}

#[cfg(test)]
mod tests;
