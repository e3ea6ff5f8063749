//! Every cell of the table of tiers, and what must never come out of it.

use std::time::Duration;

use super::*;
use crate::auth::{Open, TokenEntry, TokenList};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
}

fn after(seconds: u64) -> SystemTime {
    now() + Duration::from_secs(seconds)
}

/// A tier as the tests need it: a list of tokens, or out of order; it permits the actions that carry its name.
struct Tier {
    name: &'static str,
    list: Option<TokenList>,
}

#[async_trait]
impl AuthPolicy for Tier {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        assert!(given.held.is_none(), "a tier judges what is presented");
        match &self.list {
            Some(list) => list.judge(given, now()),
            None => Err(Refusal::Unavailable {
                source: "out of order".into(),
            }),
        }
    }

    fn permits(&self, _who: &Identity, what: &Action<'_>) -> bool {
        *what == Action::Event(self.name)
    }
}

fn session_tier(list: impl Into<Option<TokenList>>) -> Tier {
    let (name, list) = ("session", list.into());
    Tier { name, list }
}

fn application_tier(list: impl Into<Option<TokenList>>) -> Tier {
    let (name, list) = ("application", list.into());
    Tier { name, list }
}

fn sessions() -> TokenList {
    let entry = |token: &str| TokenEntry::new(token).user("operator").roles(["admin"]);
    TokenList::new()
        .token(entry("session"))
        .token(entry("both").expires(after(60)))
        .token(entry("bank-session").app("bank"))
}

fn applications() -> TokenList {
    let entry = |token: &str| TokenEntry::new(token).user("ada").roles(["buyer"]);
    TokenList::new()
        .token(entry("application"))
        .token(entry("both").expires(after(30)))
        .token(entry("shop-application").app("shop"))
}

fn tiers() -> Layered<Tier, Tier> {
    Layered::new(session_tier(sessions()), application_tier(applications()))
}

async fn ask(
    policy: &Layered<impl AuthPolicy, impl AuthPolicy>,
    given: Credentials,
) -> Result<Identity, Refusal> {
    policy.judge(&given, &Peer::in_process(), now()).await
}

fn held(token: &str, identity: &Identity) -> Credentials {
    Credentials::token(token).held_by(Arc::new(identity.clone()))
}

#[track_caller]
fn assert_is(who: &Identity, context: AuthContext, name: &str, roles: &[&str]) {
    let own: Vec<&str> = who.roles().iter().map(|role| &**role).collect();
    assert_eq!(
        (who.context(), who.name(), &*own),
        (context, Some(name), roles)
    );
}

#[tokio::test]
async fn the_tier_that_knows_the_token_vouches() {
    let policy = tiers();

    let session = ask(&policy, Credentials::token("session")).await.unwrap();
    let application = ask(&policy, Credentials::token("application"))
        .await
        .unwrap();
    let both = ask(&policy, Credentials::token("both")).await.unwrap();

    assert_is(&session, AuthContext::ZSession, "operator", &["admin"]);
    assert_is(&application, AuthContext::Application, "ada", &["buyer"]);
    assert_is(&both, AuthContext::Dual, "ada", &["admin", "buyer"]);
    assert_eq!(both.expires(), Some(after(30)), "the earlier end counts");
}

#[tokio::test]
async fn a_second_token_makes_a_live_connection_dual() {
    let policy = tiers();
    let session = ask(&policy, Credentials::token("session")).await.unwrap();
    let application = ask(&policy, Credentials::token("application"))
        .await
        .unwrap();

    let one = ask(&policy, held("application", &session)).await.unwrap();
    let other = ask(&policy, held("session", &application)).await.unwrap();

    assert_is(&one, AuthContext::Dual, "ada", &["admin", "buyer"]);
    assert_eq!(one, other);
}

#[tokio::test]
async fn the_end_of_what_was_held_is_kept() {
    let policy = tiers();
    let session = Identity::user("operator")
        .with_context(AuthContext::ZSession)
        .expiring(after(5));

    let both = ask(&policy, held("application", &session)).await.unwrap();

    assert_eq!(both.expires(), Some(after(5)));
}

#[tokio::test]
async fn what_was_held_counts_for_nothing_once_it_ended() {
    let policy = tiers();
    let session = Identity::user("operator")
        .with_roles(["admin"])
        .with_context(AuthContext::ZSession)
        .expiring(now());

    let who = ask(&policy, held("application", &session)).await.unwrap();

    assert_is(&who, AuthContext::Application, "ada", &["buyer"]);
    assert_eq!(who.expires(), None);
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_inherited() {
    let policy = tiers();
    let session = ask(&policy, Credentials::token("session")).await.unwrap();
    let without = Credentials::none().held_by(Arc::new(session.clone()));

    let none = ask(&policy, without).await.unwrap_err();
    let wrong = ask(&policy, held("guess", &session)).await.unwrap_err();

    assert_eq!(none.to_string(), "Authentication required");
    assert_eq!(wrong.to_string(), "Invalid token");
}

/// Knows whoever calls from the same process, without a token.
struct Local;

#[async_trait]
impl AuthPolicy for Local {
    async fn identify(&self, _given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
        match peer.address {
            None => Ok(Identity::user("local")),
            Some(_) => Err(Refusal::AuthenticationRequired),
        }
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

#[tokio::test]
async fn who_is_known_without_a_token_inherits_nothing_either() {
    let policy = Layered::new(session_tier(sessions()), Local);
    let session = ask(&tiers(), Credentials::token("session")).await.unwrap();

    let without = Credentials::none().held_by(Arc::new(session));
    let who = ask(&policy, without).await.unwrap();

    assert_is(&who, AuthContext::Application, "local", &[]);
}

#[tokio::test]
async fn a_dual_caller_with_one_token_becomes_what_that_token_says() {
    let policy = tiers();
    let both = ask(&policy, Credentials::token("both")).await.unwrap();

    let who = ask(&policy, held("application", &both)).await.unwrap();

    assert_is(&who, AuthContext::Application, "ada", &["buyer"]);
}

#[tokio::test]
async fn the_same_tier_again_replaces_what_was_held() {
    let policy = tiers();
    let eve = Identity::user("eve").with_roles(["owner"]);

    let who = ask(&policy, held("application", &eve)).await.unwrap();

    assert_is(&who, AuthContext::Application, "ada", &["buyer"]);
}

#[tokio::test]
async fn tiers_of_different_applications_are_not_merged() {
    let policy = tiers();
    let bank = ask(&policy, Credentials::token("bank-session"))
        .await
        .unwrap();
    let shop = ask(&policy, Credentials::token("shop-application"))
        .await
        .unwrap();

    let application = ask(&policy, held("shop-application", &bank)).await.unwrap();
    let session = ask(&policy, held("bank-session", &shop)).await.unwrap();

    assert_is(&application, AuthContext::Application, "ada", &["buyer"]);
    assert_eq!(application.app(), "shop");
    assert_is(&session, AuthContext::ZSession, "operator", &["admin"]);
    assert_eq!(session.app(), "bank");
}

#[tokio::test]
async fn a_session_of_no_application_in_particular_joins_any() {
    let policy = tiers();
    let session = ask(&policy, Credentials::token("session")).await.unwrap();

    let who = ask(&policy, held("shop-application", &session))
        .await
        .unwrap();

    assert_is(&who, AuthContext::Dual, "ada", &["admin", "buyer"]);
    assert_eq!(who.app(), "shop");
}

#[tokio::test]
async fn a_tier_out_of_order_vouches_for_nobody() {
    let policy = Layered::new(session_tier(None), application_tier(applications()));

    let known = ask(&policy, Credentials::token("both")).await.unwrap();
    let unknown = ask(&policy, Credentials::token("session"))
        .await
        .unwrap_err();

    assert_is(&known, AuthContext::Application, "ada", &["buyer"]);
    assert_eq!(unknown.to_string(), "Authentication is unavailable");
    assert!(unknown.is_retryable());
}

#[tokio::test]
async fn guests_come_in_without_a_token_only() {
    let policy = Layered::new(session_tier(sessions()), Open);
    let session = ask(&policy, Credentials::token("session")).await.unwrap();

    let guest = ask(&policy, Credentials::none()).await.unwrap();
    let wrong = ask(&policy, Credentials::token("guess")).await.unwrap_err();

    assert_is(&session, AuthContext::ZSession, "operator", &["admin"]);
    assert_eq!(guest, Identity::guest());
    assert_eq!(wrong.to_string(), "Invalid token");
}

#[tokio::test]
async fn the_session_tier_lets_no_guests_in() {
    let policy = Layered::new(Open, application_tier(applications()));

    let refusal = ask(&policy, Credentials::none()).await.unwrap_err();

    assert_eq!(refusal.to_string(), "Authentication required");
}

#[test]
fn the_tiers_that_vouched_are_asked_for_permission() {
    let policy = tiers();
    let may = |context| {
        let who = Identity::user("ada").with_context(context);
        ["session", "application"].map(|name| policy.permits(&who, &Action::Event(name)))
    };

    assert_eq!(may(AuthContext::ZSession), [true, false]);
    assert_eq!(may(AuthContext::Application), [false, true]);
    assert_eq!(may(AuthContext::Dual), [true, true]);
    assert!(!policy.permits(&Identity::guest(), &Action::Event("session")));
}
