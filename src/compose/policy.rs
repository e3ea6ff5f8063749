//! The policy that the application gave or the settings describe: nobody is asked, or everybody shows a token.

use std::path::{Path, PathBuf};
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
pub(crate) fn of(comm: &Inner) -> Result<Arc<dyn AuthPolicy>, Error> {
    if let Some(policy) = comm.policy.as_ref().or(comm.policy_of_settings.get()) {
        return Ok(Arc::clone(policy));
    }
    // A server, its check and its greeting all ask; the files behind a policy are opened for the first of them.
    let policy = of_settings(comm)?;
    Ok(Arc::clone(comm.policy_of_settings.get_or_init(|| policy)))
}

fn of_settings(comm: &Inner) -> Result<Arc<dyn AuthPolicy>, Error> {
    let settings = &comm.settings;
    if let Some(name) = settings.text("policy").filter(|name| !name.is_empty()) {
        return named(&comm.registry, settings, name);
    }
    if !settings.flag("websocket.require_auth") {
        return match server_only(settings) {
            Some(key) => Err(Error::NobodyIsAsked { key }),
            None => Ok(Arc::new(Open)),
        };
    }
    let mut tokens = Tokens(Vec::new());
    if let Some(token) = settings.secret("websocket.token") {
        tokens.0.push(Arc::new(TokenList::single(token.clone())));
    }
    if let Some(file) = file(settings, &comm.project)? {
        tokens.0.push(Arc::new(file));
    }
    if jwt_key(settings).is_some() {
        tokens.0.push(named(&comm.registry, settings, "jwt")?);
    }
    if tokens.0.is_empty() {
        return Err(Error::NoToken);
    }
    Ok(Arc::new(tokens))
}

/// What is there about tokens and changes nothing, though it is not wrong: a client of the project may use it.
pub(crate) fn idle_tokens(comm: &Inner) -> Vec<String> {
    let (settings, project) = (&comm.settings, &comm.project);
    if comm.policy.is_some() {
        return Vec::new();
    }
    let ignored_by = if let Some(name) = settings.text("policy").filter(|name| !name.is_empty()) {
        format!("the policy `{name}` decides who callers are")
    } else if settings.knows("websocket.require_auth") && !settings.flag("websocket.require_auth") {
        "`websocket.require_auth` is off".to_owned()
    } else {
        return Vec::new();
    };
    let token = settings
        .secret("websocket.token")
        .map(|_| format!("servers ask nobody for `websocket.token`: {ignored_by}"));
    let file = own_file(project);
    let file = file.exists().then(|| {
        format!(
            "servers ask nobody for the tokens of `{}`: {ignored_by}",
            file.display()
        )
    });
    token.into_iter().chain(file).collect()
}

/// Where `zcomm token` keeps a project's tokens, unless a setting names another place.
fn own_file(project: &Path) -> PathBuf {
    project.join(".zcomm").join("tokens.json")
}

/// The policy of a plugin.
fn named(
    registry: &Registry,
    settings: &Settings,
    name: &str,
) -> Result<Arc<dyn AuthPolicy>, Error> {
    registry
        .policy(name, settings)
        .map_err(|error| match error {
            crate::core::Error::Registry(unknown) => Error::Registry(unknown),
            source => Error::Policy {
                name: name.to_owned(),
                source: Box::new(source),
            },
        })
}

/// A setting that says whose tokens a server believes, and is of no use to anybody else.
fn server_only(settings: &Settings) -> Option<&'static str> {
    let file = settings.path("token_file").map(|_| "token_file");
    file.or_else(|| jwt_key(settings))
}

/// The file that is named must be there; the project's own counts if it is.
fn file(settings: &Settings, project: &Path) -> Result<Option<TokenFile>, Error> {
    if let Some(named) = settings.path("token_file") {
        return Ok(Some(TokenFile::open(named)?));
    }
    let own = own_file(project);
    if own.exists() {
        Ok(Some(TokenFile::open(own)?))
    } else {
        Ok(None)
    }
}

/// The setting that says whose JSON Web Tokens are believed, if this program knows such settings and one is set.
fn jwt_key(settings: &Settings) -> Option<&'static str> {
    if !settings.knows("jwt.key") {
        return None;
    }
    let (key, file) = (
        settings.secret("jwt.key").is_some(),
        settings.path("jwt.jwks").is_some(),
    );
    [("jwt.key", key), ("jwt.jwks", file)]
        .into_iter()
        .find(|(_, set)| *set)
        .map(|(key, _)| key)
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
