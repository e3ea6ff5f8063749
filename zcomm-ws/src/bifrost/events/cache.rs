//! What a client asks about kept answers: how often they helped, that they be forgotten, how long they last.

use std::time::Duration;

use async_trait::async_trait;
use http::Response;
use serde_json::{Value, json};
use zcomm_core::{Action, Body, Clearing, Error, Scope};

use crate::bifrost::fault::Fault;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// `cache_stats`: what the cache did for the caller's scope.
pub(super) struct CacheStats;

#[async_trait]
impl Event for CacheStats {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        reply::result(&json!({
            "query_cache": query_cache(&cx),
            // Schemas are all at hand: every look-up is answered from memory, and none grows old.
            "schema_cache": {
                "entries": cx.app.readable_models(cx.caller).len(),
                "hits": 0,
                "misses": 0,
                "expired": 0,
            },
        }))
    }
}

/// `clear_cache`: forgets the answers of the caller's scope; with `"scope": "all"` those of everybody.
pub(super) struct ClearCache;

#[async_trait]
impl Event for ClearCache {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let before = query_cache(&cx);
        let whose = whose(&cx)?;
        if let Some(cache) = cx.app.answers() {
            cache.clear(whose.as_ref().map_or(Clearing::All, Clearing::Scope));
        }
        let stats = before.to_string();
        Ok(reply::result_of_json(
            br#""Cache cleared""#,
            &[("stats", &stats)],
        ))
    }
}

/// `set_cache_ttl`: how long answers are kept for the caller's scope; with `"scope": "all"` for everybody.
pub(super) struct SetCacheTtl;

#[async_trait]
impl Event for SetCacheTtl {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let seconds = cx.message.member("ttl").and_then(Value::as_u64);
        let seconds = seconds.filter(|seconds| (1..=3600).contains(seconds));
        let seconds = seconds.ok_or(Fault::BadMember {
            name: "ttl",
            expected: "a whole number of seconds from 1 to 3600",
        })?;
        let whose = whose(&cx)?;
        let cache = cx.app.answers().ok_or(Fault::NoCache)?;
        cache.keep_for(whose.as_ref(), Duration::from_secs(seconds));
        reply::result(&format!("Query cache TTL set to {seconds}s"))
    }
}

fn query_cache(cx: &EventCx<'_>) -> Value {
    let stats = cx
        .app
        .answers()
        .map(|cache| cache.stats(&cx.identity.scope()));
    let stats = stats.unwrap_or_default();
    json!({
        "hits": stats.hits,
        "misses": stats.misses,
        "expired": stats.expired,
        "evicted": stats.evicted,
        "coalesced": stats.coalesced,
    })
}

/// The scope that is meant; none where it is everybody's, which only an admin may ask for.
fn whose(cx: &EventCx<'_>) -> Result<Option<Scope>, Error> {
    match cx.message.member("scope").map(Value::as_str) {
        None | Some(Some("own")) => Ok(Some(cx.identity.scope())),
        Some(Some("all")) if cx.app.access().is_admin(cx.identity) => Ok(None),
        Some(Some("all")) => Err(Error::Forbidden {
            who: cx.identity.to_string(),
            action: format!("{} for everybody", Action::Event(&event(cx))),
        }),
        Some(_) => Err(Fault::BadMember {
            name: "scope",
            expected: "`own` or `all`",
        }
        .into()),
    }
}

fn event(cx: &EventCx<'_>) -> String {
    match &**cx.command {
        zcomm_core::Command::Event(name) => name.clone(),
        _ => String::new(),
    }
}
