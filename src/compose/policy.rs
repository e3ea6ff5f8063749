//! The policy that the application gave or the settings describe: nobody is asked, or everybody shows a token.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::comm::Inner;
use crate::core::{
    Action, AuthPolicy, Credentials, Identity, Open, Peer, Refusal, Registry, Settings, TokenFile,
    TokenList,
};
use crate::error::Error;

/// Whoever the application or its settings let in.
///
/// # Errors
///
/// [`Error::NoToken`] where tokens are required and there are none: nobody could ever get in, or, worse, somebody
/// would turn the check off. A token file or a key that is not as it has to be stops the start, too.
pub(super) fn of(comm: &Inner) -> Result<Arc<dyn AuthPolicy>, Error> {
    let settings = &comm.settings;
    if let Some(policy) = &comm.policy {
        return Ok(Arc::clone(policy));
    }
    if !settings.flag("websocket.require_auth") {
        return Ok(Arc::new(Open));
    }
    let mut tokens = Tokens(Vec::new());
    if let Some(token) = settings.secret("websocket.token") {
        tokens.0.push(Arc::new(TokenList::single(token.clone())));
    }
    if let Some(file) = file(settings, &comm.project)? {
        tokens.0.push(Arc::new(file));
    }
    if let Some(jwt) = jwt(&comm.registry, settings)? {
        tokens.0.push(jwt);
    }
    if tokens.0.is_empty() {
        return Err(Error::NoToken);
    }
    Ok(Arc::new(tokens))
}

/// The file that is named must be there; the project's own counts if it is.
fn file(settings: &Settings, project: &Path) -> Result<Option<TokenFile>, Error> {
    if let Some(named) = settings.path("token_file") {
        return Ok(Some(TokenFile::open(named)?));
    }
    let own = project.join(".zcomm").join("tokens.json");
    if own.exists() {
        Ok(Some(TokenFile::open(own)?))
    } else {
        Ok(None)
    }
}

/// The policy for JSON Web Tokens, where this program has it and the settings name a key.
fn jwt(registry: &Registry, settings: &Settings) -> Result<Option<Arc<dyn AuthPolicy>>, Error> {
    let has_it = settings.knows("jwt.key");
    if has_it && (settings.secret("jwt.key").is_some() || settings.path("jwt.jwks").is_some()) {
        return Ok(Some(registry.policy("jwt", settings)?));
    }
    Ok(None)
}

/// Several ways to have a token. All of them stand for users, whose rights the schemas rule.
struct Tokens(Vec<Arc<dyn AuthPolicy>>);

#[async_trait]
impl AuthPolicy for Tokens {
    async fn identify(&self, given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
        let mut refusal = Refusal::AuthenticationRequired;
        for policy in &self.0 {
            match policy.identify(given, peer).await {
                Ok(identity) => return Ok(identity),
                // What keeps one of them from deciding weighs more than that the other does not know the token.
                Err(other) if !refusal.is_retryable() => refusal = other,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}
