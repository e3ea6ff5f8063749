//! The guides' three tiers, made of two policies: zSession tokens, application tokens, and both at once.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use futures_util::future::join;

use super::{AuthPolicy, Credentials, Refusal};
use crate::action::Action;
use crate::caller::Peer;
use crate::identity::{AuthContext, DEFAULT_APP, Identity};

/// Judges by two policies: the system's own sessions (zSession), and an application's users.
///
/// | the token is valid | the connection is already | the caller becomes |
/// |---|---|---|
/// | as zSession only | – | [`ZSession`](AuthContext::ZSession) |
/// | as application only | – | [`Application`](AuthContext::Application) |
/// | as both | anything | [`Dual`](AuthContext::Dual) |
/// | as application only | `ZSession` | `Dual` |
/// | as zSession only | `Application` | `Dual` |
///
/// The second half of the table is how a page comes by both: it connects with one token and sends the event `auth`
/// with the other.
///
/// A dual caller **is the application's user**, because that is who owns rows; the zSession adds its roles. It ends
/// when the first of the two ends, and is permitted what either tier permits. The tiers are merged only within one
/// application: where a zSession belongs to another one, it counts for nothing and the application's user stands
/// alone.
///
/// What a connection was before counts only next to a new valid token, and only until its own end. A caller that is
/// dual already and presents one token becomes what that token says, as the roles of the two halves cannot be told
/// apart any more; it presents both, one after the other, to renew itself. Without a token nobody inherits anything:
/// the tiers are asked, and only the application's may let guests in. A token that no tier vouches for is refused
/// even where guests are let in.
///
/// While one tier is unavailable, the other one lets in whom it knows, in its own name.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::Arc;
/// use zcomm_core::{AuthContext, AuthPolicy, Credentials, Layered, Peer, TokenEntry, TokenList};
///
/// let policy = Layered::new(
///     TokenList::new().token(TokenEntry::new("session-token").user("operator").roles(["admin"])),
///     TokenList::new().token(TokenEntry::new("shop-token").user("ada").roles(["buyer"])),
/// );
/// let peer = Peer::in_process();
///
/// let operator = policy.identify(&Credentials::token("session-token"), &peer).await.unwrap();
/// assert_eq!(operator.context(), AuthContext::ZSession);
///
/// let second = Credentials::token("shop-token").held_by(Arc::new(operator));
/// let both = policy.identify(&second, &peer).await.unwrap();
/// assert_eq!((both.context(), both.name()), (AuthContext::Dual, Some("ada")));
/// assert!(both.has_role("admin") && both.has_role("buyer"));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Layered<Z, A> {
    session: Z,
    application: A,
}

impl<Z: AuthPolicy, A: AuthPolicy> Layered<Z, A> {
    /// Puts the policy of zSession tokens before the policy of application tokens.
    pub fn new(session: Z, application: A) -> Self {
        Self {
            session,
            application,
        }
    }

    async fn judge(
        &self,
        given: &Credentials,
        peer: &Peer,
        now: SystemTime,
    ) -> Result<Identity, Refusal> {
        // What the connection already is concerns the merge below; a tier judges what is presented.
        let fresh = Credentials {
            held: None,
            ..given.clone()
        };
        let (session, application) = join(
            self.session.identify(&fresh, peer),
            self.application.identify(&fresh, peer),
        )
        .await;
        let has_token = given.token.as_ref().is_some_and(|token| !token.is_empty());
        let session = vouched(session, AuthContext::ZSession, now, has_token);
        let application = match application {
            Ok(who) if who.name().is_none() && !has_token && !who.is_expired(now) => {
                return session.or(Ok(who));
            }
            other => vouched(other, AuthContext::Application, now, has_token),
        };
        let held = given.held.as_deref().filter(|_| has_token);
        let held = held.filter(|who| who.name().is_some() && !who.is_expired(now));
        combine(session, application, held)
    }
}

#[async_trait]
impl<Z: AuthPolicy, A: AuthPolicy> AuthPolicy for Layered<Z, A> {
    async fn identify(&self, given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
        self.judge(given, peer, SystemTime::now()).await
    }

    fn permits(&self, who: &Identity, what: &Action<'_>) -> bool {
        match who.context() {
            AuthContext::ZSession => self.session.permits(who, what),
            AuthContext::Guest | AuthContext::Application => self.application.permits(who, what),
            AuthContext::Dual => {
                self.session.permits(who, what) || self.application.permits(who, what)
            }
        }
    }

    fn admits_guests(&self) -> bool {
        self.application.admits_guests()
    }
}

/// What a tier's verdict is worth: a user that has not ended, in the name of that tier and of no other.
fn vouched(
    verdict: Result<Identity, Refusal>,
    tier: AuthContext,
    now: SystemTime,
    has_token: bool,
) -> Result<Identity, Refusal> {
    let who = verdict?;
    if who.name().is_some() && !who.is_expired(now) {
        return Ok(who.with_context(tier));
    }
    Err(if has_token {
        Refusal::InvalidToken
    } else {
        Refusal::AuthenticationRequired
    })
}

fn combine(
    session: Result<Identity, Refusal>,
    application: Result<Identity, Refusal>,
    held: Option<&Identity>,
) -> Result<Identity, Refusal> {
    match (session, application) {
        (Ok(session), Ok(application)) => Ok(merge(&session, application)),
        (Ok(session), Err(refusal)) => {
            warn_if_unavailable("application", &refusal);
            Ok(match held {
                Some(held) if held.context() == AuthContext::Application => {
                    merge_or(&session, held.clone(), session.clone())
                }
                _ => session,
            })
        }
        (Err(refusal), Ok(application)) => {
            warn_if_unavailable("zSession", &refusal);
            Ok(match held {
                Some(held) if held.context() == AuthContext::ZSession => merge(held, application),
                _ => application,
            })
        }
        (Err(session), Err(application)) => Err(graver(session, application)),
    }
}

/// Both at once, or the application's user alone where the two belong to different applications.
fn merge(session: &Identity, application: Identity) -> Identity {
    let alone = application.clone();
    merge_or(session, application, alone)
}

fn merge_or(session: &Identity, application: Identity, otherwise: Identity) -> Identity {
    // A role in one application must not become a role in another. The default one stands for none in particular.
    if session.app() != application.app() && session.app() != DEFAULT_APP {
        return otherwise;
    }
    let ends = [session.expires(), application.expires()];
    let roles: Vec<Arc<str>> = [session.roles(), application.roles()].concat();
    let both = application
        .with_roles(roles)
        .with_context(AuthContext::Dual);
    match ends.into_iter().flatten().min() {
        Some(end) => both.expiring(end),
        None => both,
    }
}

/// Of two refusals the one that says more: a tier that could not decide might have let the caller in.
fn graver(session: Refusal, application: Refusal) -> Refusal {
    let weight = |refusal: &Refusal| match refusal {
        Refusal::Unavailable { .. } => 3,
        Refusal::TooManyAttempts => 2,
        Refusal::InvalidToken => 1,
        Refusal::AuthenticationRequired => 0,
    };
    if weight(&session) > weight(&application) {
        session
    } else {
        application
    }
}

fn warn_if_unavailable(tier: &'static str, refusal: &Refusal) {
    if let Refusal::Unavailable { source } = refusal {
        tracing::warn!(
            tier,
            error = %source,
            "a tier of authentication is unavailable; the other one decides alone"
        );
    }
}

#[cfg(test)]
mod tests;
