//! Loads that are under way: who joins them, what happens when somebody leaves or writes.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join_all;
use zcomm_core::{Clearing, Error};

use crate::stack::{Stack, ada, at, json_of, read};

/// Polls a future once, so that what it asks for is under way.
async fn begin<F: Future>(mut future: std::pin::Pin<&mut F>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn the_same_read_of_a_scope_runs_once_at_a_time() {
    let stack = Stack::gated();
    let readers: Vec<_> = (0..10)
        .map(|_| {
            let stack = stack.clone();
            tokio::spawn(async move { stack.read(&ada(), 1).await })
        })
        .collect();
    let mut settled = pin!(tokio::task::yield_now());
    poll_fn(|cx| settled.as_mut().poll(cx)).await;

    stack.store.open();
    let answers = join_all(readers).await;

    let first = answers[0].as_ref().unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| answer.as_ref().unwrap()["result"] == first["result"])
    );
    let stats = stack.cache.stats();
    assert_eq!(stack.store.calls(), 1);
    assert_eq!((stats.misses, stats.hits + stats.coalesced), (1, 9));
}

#[tokio::test]
async fn a_load_survives_the_caller_that_began_it() {
    let stack = Stack::gated();
    {
        let mut first = pin!(stack.send(read(&ada(), 1)));
        begin(first.as_mut()).await;
    }
    let mut second = pin!(async { stack.read(&ada(), 1).await });
    begin(second.as_mut()).await;

    stack.store.open();
    let answer = second.await;

    assert_eq!(
        (&answer["result"]["call"], stack.store.calls()),
        (&1.into(), 1)
    );
    assert!(stack.is_kept(&ada(), 1).await);
}

#[tokio::test]
async fn a_read_that_began_before_a_write_is_neither_kept_nor_given_to_who_asks_after_it() {
    let stack = Stack::gated();
    let mut before = pin!(async { stack.read(&ada(), 1).await });
    begin(before.as_mut()).await;

    stack.generations.bump("notes");
    let mut after = pin!(async { stack.read(&ada(), 1).await });
    begin(after.as_mut()).await;
    stack.store.open();
    stack.store.open();
    let (before, after) = (before.await, after.await);

    assert_eq!(
        (&before["result"]["call"], &after["result"]["call"]),
        (&1.into(), &2.into())
    );
    let kept = stack.read(&ada(), 1).await;
    assert_eq!(
        (&kept["_cached"], &kept["result"]["call"]),
        (&true.into(), &2.into())
    );
}

#[tokio::test]
async fn what_is_loading_when_the_cache_is_cleared_is_not_kept() {
    for clearing in [
        Clearing::Scope(&ada().scope()),
        Clearing::All,
        Clearing::Model("notes"),
    ] {
        let stack = Stack::gated();
        let mut load = pin!(async { stack.read(&ada(), 1).await });
        begin(load.as_mut()).await;

        stack.cache.clear(clearing);
        stack.store.open();
        load.await;

        stack.store.open();
        assert!(!stack.is_kept(&ada(), 1).await, "{clearing:?}");
    }
}

#[tokio::test]
async fn all_who_wait_for_a_load_that_fails_are_told_the_same() {
    let stack = Stack::gated();
    let ask = || stack.send(at("/fails", read(&ada(), 1)));
    let (mut one, mut two) = (pin!(ask()), pin!(ask()));
    begin(one.as_mut()).await;
    begin(two.as_mut()).await;

    stack.store.open();

    for error in [one.await.unwrap_err(), two.await.unwrap_err()] {
        assert!(
            matches!(error.root(), Error::TooLarge { limit: 1 }),
            "{error:?}"
        );
    }
    assert_eq!(stack.store.calls(), 1);
}

#[tokio::test]
async fn who_waits_for_a_load_that_panics_asks_again() {
    let stack = Stack::gated();
    let mut doomed = pin!(stack.send(at("/panics", read(&ada(), 1))));
    begin(doomed.as_mut()).await;
    let mut waiting = pin!(async { stack.read(&ada(), 1).await });
    begin(waiting.as_mut()).await;

    stack.store.open();
    stack.store.open();

    assert!(matches!(doomed.await.unwrap_err(), Error::Closed { .. }));
    assert_eq!(waiting.await["result"]["call"], 2);
}

#[tokio::test]
async fn a_stream_passes_to_the_one_who_asked_and_others_ask_themselves() {
    let stack = Stack::gated();
    let ask = || stack.send(at("/streams", read(&ada(), 1)));
    let (mut one, mut two) = (pin!(ask()), pin!(ask()));
    begin(one.as_mut()).await;
    begin(two.as_mut()).await;

    stack.store.open();
    stack.store.open();

    for response in [one.await.unwrap(), two.await.unwrap()] {
        assert_eq!(response.into_body().collect(10).await.unwrap(), "{}");
    }
    assert_eq!((stack.store.calls(), stack.cache.size().0), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_nobody_waits_for_ends_in_time() {
    let stack = Stack::gated();
    {
        let mut first = pin!(stack.send(read(&ada(), 1)));
        begin(first.as_mut()).await;
    }

    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::task::yield_now().await;
    stack.store.open();
    let reply = json_of(&stack.send(read(&ada(), 1)).await.unwrap());

    assert_eq!(
        (&reply["result"]["call"], &reply["_cached"]),
        (&2.into(), &false.into())
    );
}
