//! Finds out who asks, and lets nobody guess: the same for handshakes and for plain requests. Answers nobody.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use tokio::time::{Instant, timeout_at};
use zcomm_core::{AuthPolicy, Caller, Credentials, Error, Identity, Peer, Refusal};

use super::ServerConfig;
use super::admission::Admission;

/// Whoever identifies callers for a server. A plain request carries it as an extension.
#[derive(Clone)]
pub(crate) struct Door {
    pub(super) config: Arc<ServerConfig>,
    pub(super) auth: Arc<dyn AuthPolicy>,
    pub(super) admission: Arc<Admission>,
}

impl Door {
    /// Who sends a plain request. A refusal is held back, as that of a handshake is.
    pub(crate) async fn admit(&self, head: &Parts) -> Result<Arc<Caller>, Error> {
        let peer = head.extensions.get::<Peer>().copied();
        let peer = peer.expect("the server puts the peer on every request");
        let deadline = Instant::now() + self.config.handshake_timeout;
        let refused = match self.identify(head, peer, deadline).await {
            Ok((identity, false)) => return Ok(Arc::new(Caller::new(identity, peer))),
            Ok((_, true)) => Refusal::AuthenticationRequired,
            Err(refused) => refused,
        };
        tokio::time::sleep(self.config.refusal_delay).await;
        Err(refused.into())
    }

    /// Who asks, and whether that is only to be found out by the first message.
    pub(super) async fn identify(
        &self,
        head: &Parts,
        peer: Peer,
        deadline: Instant,
    ) -> Result<(Identity, bool), Refusal> {
        let given = self.credentials(head, peer)?;
        let identified = timeout_at(deadline, self.auth.identify(&given, &peer));
        let late = |late: tokio::time::error::Elapsed| {
            Err(Refusal::Unavailable {
                source: late.into(),
            })
        };
        let required = match identified.await.unwrap_or_else(late) {
            Ok(identity) if self.config.require_auth && identity.name().is_none() => {
                Refusal::AuthenticationRequired
            }
            Ok(identity) => return Ok((identity, false)),
            Err(refusal) => refusal,
        };
        self.note(&required, &peer);
        let may_follow = self.config.first_message_auth
            && given.token.is_none()
            && matches!(required, Refusal::AuthenticationRequired);
        if !may_follow {
            return Err(required);
        }
        let guest = Identity::guest();
        let guest = match given.app {
            Some(app) => guest.with_app(app),
            None => guest,
        };
        Ok((guest, true))
    }

    /// Who somebody is that is connected already and presents another token. A refusal is held back, too.
    pub(crate) async fn renew(&self, token: &str, caller: &Caller) -> Result<Identity, Refusal> {
        let peer = *caller.peer();
        if self.admission.guesses_too_often(&peer) {
            return Err(Refusal::TooManyAttempts);
        }
        let given = Credentials::token(token).held_by(caller.identity());
        let deadline = Instant::now() + self.config.handshake_timeout;
        let identified = timeout_at(deadline, self.auth.identify(&given, &peer));
        let refused = match identified.await {
            Ok(Ok(identity)) if self.config.require_auth && identity.name().is_none() => {
                Refusal::AuthenticationRequired
            }
            Ok(Ok(identity)) => return Ok(identity),
            Ok(Err(refusal)) => refusal,
            Err(late) => Refusal::Unavailable {
                source: late.into(),
            },
        };
        self.note(&refused, &peer);
        tokio::time::sleep(self.config.refusal_delay).await;
        Err(refused)
    }

    fn note(&self, refused: &Refusal, peer: &Peer) {
        match refused {
            Refusal::InvalidToken => self.admission.note_failure(peer),
            Refusal::Unavailable { source } => {
                tracing::error!(peer = %peer, error = %source, "nobody can be identified");
            }
            _ => {}
        }
    }

    fn credentials(&self, head: &Parts, peer: Peer) -> Result<Credentials, Refusal> {
        let given = Credentials::of_head(head).inspect_err(|_| self.admission.note_failure(&peer));
        let presented = given.as_ref().map_or(true, |given| given.token.is_some());
        if presented && self.admission.guesses_too_often(&peer) {
            return Err(Refusal::TooManyAttempts);
        }
        given
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}
