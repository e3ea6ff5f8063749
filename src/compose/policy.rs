//! The policy that the settings describe: nobody is asked, or everybody has a token.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::core::{
    Action, AuthPolicy, Credentials, Identity, Open, Peer, Refusal, Settings, TokenFile, TokenList,
};
use crate::error::Error;

/// Whoever the settings let in.
///
/// # Errors
///
/// [`Error::NoToken`] where tokens are required and there are none: nobody could ever get in, or, worse, somebody
/// would turn the check off. A token file that is not as it has to be stops the start, too.
pub(super) fn of(settings: &Settings, project: &Path) -> Result<Arc<dyn AuthPolicy>, Error> {
    if !settings.flag("websocket.require_auth") {
        return Ok(Arc::new(Open));
    }
    let tokens = Tokens {
        list: list(settings),
        file: file(settings, project)?,
    };
    if tokens.list.is_none() && tokens.file.is_none() {
        return Err(Error::NoToken);
    }
    Ok(Arc::new(tokens))
}

fn list(settings: &Settings) -> Option<TokenList> {
    settings
        .secret("websocket.token")
        .map(|token| TokenList::single(token.clone()))
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

/// The setting's token and those of the file. All of them stand for users, whose rights the schemas rule.
struct Tokens {
    list: Option<TokenList>,
    file: Option<TokenFile>,
}

#[async_trait]
impl AuthPolicy for Tokens {
    async fn identify(&self, given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
        let mut refusal = Refusal::AuthenticationRequired;
        let list = self.list.as_ref().map(|list| list as &dyn AuthPolicy);
        let file = self.file.as_ref().map(|file| file as &dyn AuthPolicy);
        for policy in [list, file].into_iter().flatten() {
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
