//! Who is shown what: scopes, writes, keys, messages.

use std::sync::Arc;

use zcomm_cache::{Cache, CacheConfig, PerIdentity};
use zcomm_core::{
    AnswerCache, AuthContext, CacheKey, CacheKeyer, CacheRequest, CacheWish, Clearing, Command,
    Identity, Scope,
};

use crate::stack::{Stack, ada, at, json_of, message, read, wishing};

#[tokio::test]
async fn the_second_of_two_reads_is_answered_from_the_cache_and_says_so() {
    let stack = Stack::new();

    let first = stack.read(&ada(), 1).await;
    let second = stack.read(&ada(), 1).await;
    let other = stack.read(&ada(), 2).await;

    assert_eq!(
        (&first["_cached"], &second["_cached"]),
        (&false.into(), &true.into())
    );
    assert_eq!(first["result"], second["result"]);
    assert_eq!((&other["_cached"], stack.store.calls()), (&false.into(), 2));
    let stats = stack.cache.stats_of(&ada().scope());
    assert_eq!((stats.hits, stats.misses), (1, 2));
}

#[tokio::test]
async fn nobody_is_shown_what_was_kept_for_another_scope() {
    let stack = Stack::new();
    let scopes = [
        ada(),
        ada().with_roles(["admin", "member"]),
        ada().with_roles(["adminmember"]),
        ada().with_app("shop"),
        ada().with_context(AuthContext::Dual),
        Identity::user("a|b").with_app("c"),
        Identity::user("a").with_app("b|c"),
        Identity::user("a").with_app("b").with_roles(["c"]),
        Identity::guest(),
        Identity::guest().with_app("shop"),
    ];

    for who in &scopes {
        assert!(!stack.is_kept(who, 1).await, "{who:?}");
    }
    for who in &scopes {
        assert!(stack.is_kept(who, 1).await, "{who:?}");
    }
    assert_eq!(stack.store.calls(), scopes.len());
}

#[tokio::test]
async fn a_write_ends_what_was_kept_of_its_model() {
    let stack = Stack::new();
    stack.read(&ada(), 1).await;

    stack.generations.bump("orders");
    let after_another = stack.is_kept(&ada(), 1).await;
    stack.generations.bump("notes");
    let after_its_own = stack.is_kept(&ada(), 1).await;

    assert_eq!((after_another, after_its_own), (true, false));
}

#[tokio::test]
async fn nothing_is_kept_while_a_write_may_still_land() {
    let stack = Stack::new();
    let doubt = std::time::Duration::from_secs(60);

    stack.generations.doubt("notes", doubt);
    stack.read(&ada(), 1).await;

    assert!(!stack.is_kept(&ada(), 1).await);
}

#[tokio::test]
async fn failures_are_never_kept() {
    let stack = Stack::new();

    for path in ["/fails", "/refuses"] {
        let before = stack.store.calls();
        for _ in 0..2 {
            let outcome = stack.send(at(path, read(&ada(), 1))).await;
            assert!(
                outcome.is_err() || outcome.unwrap().status() == 409,
                "{path}"
            );
        }
        assert_eq!(stack.store.calls() - before, 2, "{path}");
    }
}

#[tokio::test]
async fn a_read_that_wants_no_cache_neither_takes_from_it_nor_puts_into_it() {
    let stack = Stack::new();
    let bypassing = || wishing(&ada(), 1, CacheWish::default().bypassing());

    stack.send(bypassing()).await.unwrap();
    let after_bypass = stack.is_kept(&ada(), 1).await;
    let bypassed = json_of(&stack.send(bypassing()).await.unwrap());

    assert!(!after_bypass);
    assert_eq!(
        (&bypassed["_cached"], stack.store.calls()),
        (&false.into(), 3)
    );
}

#[tokio::test]
async fn two_servers_of_one_cache_share_its_bounds_and_no_answer() {
    let one = Stack::new();
    let two = Stack::over(&one.cache, false, 0);
    one.read(&ada(), 1).await;

    let elsewhere = two.is_kept(&ada(), 1).await;
    let recalled = two.answers.recall(&ada().scope(), message(7).as_bytes());

    assert!(!elsewhere && recalled.is_none());
    assert_eq!(one.cache.stats().misses, 2);
}

/// Forgets who asks.
struct Careless;

impl CacheKeyer for Careless {
    fn key(&self, request: &CacheRequest<'_>, _scope: &Scope) -> Option<CacheKey> {
        PerIdentity.key(request, &Identity::guest().scope())
    }
}

#[tokio::test]
async fn a_keyer_that_forgets_the_scope_shows_nobody_what_is_anothers() {
    let cache = Cache::new(CacheConfig::default());
    let stack = Stack::with(&cache, false, 0, |answers| answers.keyed_by(Careless));
    let eve = Identity::user("eve");

    stack.read(&ada(), 1).await;
    let checked = stack.read(&eve, 1).await;
    cache.trust_keys();
    let unchecked = stack.read(&ada(), 1).await;

    assert_eq!(
        (&checked["_cached"], &checked["result"]["for"]),
        (&false.into(), &"eve".into())
    );
    assert_eq!(
        unchecked["result"]["for"], "eve",
        "the check is what kept them apart"
    );
}

#[tokio::test]
async fn the_bytes_of_a_message_lead_to_the_answer_and_its_command() {
    let stack = Stack::new();
    let (scope, bytes) = (ada().scope(), message(1));
    let unknown = stack.answers.recall(&scope, bytes.as_bytes());
    stack.read(&ada(), 1).await;

    let known = stack.answers.recall(&scope, bytes.as_bytes()).unwrap();

    assert!(unknown.is_none());
    assert!(
        known.answer.ends_with(br#""_cached":true}"#),
        "{:?}",
        known.answer
    );
    assert!(
        matches!(&*known.command, Command::Read { query, .. } if query.model.name() == "notes")
    );
    assert_eq!(stack.cache.stats_of(&scope).hits, 1);
}

#[tokio::test]
async fn a_message_is_recalled_for_its_scope_and_while_its_answer_is_true_only() {
    let stack = Stack::new();
    let recalled = |who: &Identity| stack.answers.recall(&who.scope(), message(1).as_bytes());
    stack.read(&ada(), 1).await;

    let other_role = recalled(&ada().with_roles(["admin"]));
    let guest = recalled(&Identity::guest());
    let own = recalled(&ada());
    stack.generations.bump("notes");
    let after_write = recalled(&ada());

    assert!(other_role.is_none() && guest.is_none() && own.is_some());
    assert!(after_write.is_none());
}

#[tokio::test]
async fn a_scope_clears_its_own_answers_and_nobody_elses() {
    let stack = Stack::new();
    let eve = Identity::user("eve");
    for who in [&ada(), &eve] {
        stack.read(who, 1).await;
    }

    stack.answers.clear(Clearing::Scope(&ada().scope()));

    let recalled = stack.answers.recall(&ada().scope(), message(1).as_bytes());
    assert!(recalled.is_none());
    assert!(!stack.is_kept(&ada(), 1).await && stack.is_kept(&eve, 1).await);
}

#[tokio::test]
async fn a_model_or_everything_is_cleared_for_all() {
    let stack = Stack::new();
    for clearing in [Clearing::Model("notes"), Clearing::All] {
        stack.read(&ada(), 1).await;
        stack.read(&Identity::guest(), 1).await;

        stack.cache.clear(clearing);

        assert!(!stack.is_kept(&ada(), 1).await, "{clearing:?}");
        assert!(!stack.is_kept(&Identity::guest(), 1).await, "{clearing:?}");
    }
}

#[tokio::test]
async fn what_has_no_scope_or_no_key_passes() {
    let stack = Stack::new();
    let event = |_| {
        let mut request = read(&ada(), 1);
        request
            .extensions_mut()
            .insert(Arc::new(Command::Event("ping".to_owned())));
        request
    };

    for request in [0, 1].map(event) {
        let reply = json_of(&stack.send(request).await.unwrap());
        assert_eq!(reply["_cached"], false);
    }
    assert_eq!(stack.cache.size().0, 0);
}
