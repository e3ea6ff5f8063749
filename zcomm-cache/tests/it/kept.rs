//! For how long answers are kept: by default, by scope, by request.

use std::time::Duration;

use tokio::time::advance;
use zcomm_core::{AnswerCache, CacheWish, Identity};

use crate::stack::{Stack, ada, json_of, message, wishing};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_a_minute_and_its_end_is_counted() {
    let stack = Stack::new();
    stack.read(&ada(), 1).await;

    advance(seconds(59)).await;
    let within = stack.is_kept(&ada(), 1).await;
    advance(seconds(1)).await;
    let recalled = stack.answers.recall(&ada().scope(), message(1).as_bytes());
    let after = stack.is_kept(&ada(), 1).await;

    assert!(within && recalled.is_none() && !after);
    let stats = stack.cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.expired), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_say_for_how_long_and_takes_no_older_answer() {
    let stack = Stack::new();
    let wish = |ttl| wishing(&ada(), 1, CacheWish::default().kept_for(seconds(ttl)));
    let cached = async |ttl| {
        let response = stack.send(wish(ttl)).await.unwrap();
        json_of(&response)["_cached"] == true
    };
    stack.send(wish(300)).await.unwrap();

    advance(seconds(120)).await;
    let longer_than_the_default = cached(300).await;
    let younger_than_kept = cached(100).await;

    assert!(longer_than_the_default && !younger_than_kept);
}

#[tokio::test(start_paused = true)]
async fn a_scope_sets_its_own_time_and_everybodys_is_set_for_all() {
    let stack = Stack::new();
    let eve = Identity::user("eve");
    let kept_after = async |time| {
        stack.read(&ada(), 1).await;
        stack.read(&eve, 1).await;
        advance(seconds(time)).await;
        (stack.is_kept(&ada(), 1).await, stack.is_kept(&eve, 1).await)
    };

    stack.answers.keep_for(Some(&ada().scope()), seconds(5));
    let own = kept_after(5).await;
    stack.answers.keep_for(None, seconds(100));
    let all = kept_after(70).await;

    assert_eq!((own, all), ((false, true), (true, true)));
}
