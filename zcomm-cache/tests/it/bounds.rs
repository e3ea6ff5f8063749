//! What the cache takes: bytes, entries, a user's share, and books of scopes that come and go.

use std::time::Duration;

use zcomm_cache::{Cache, CacheConfig};
use zcomm_core::Identity;

use crate::stack::{Stack, ada};

#[tokio::test]
async fn a_flood_of_different_reads_stays_within_the_bounds() {
    let config = CacheConfig::default()
        .max_bytes(1 << 20)
        .max_entries(500)
        .share(100);
    let stack = Stack::over(&Cache::new(config), false, 100);

    for id in 0..5_000 {
        stack.read(&ada(), id).await;
    }

    let (entries, bytes) = stack.cache.size();
    assert!(entries <= 500 && bytes <= 1 << 20, "{entries} {bytes}");
    assert!(entries > 100, "{entries}");
    assert!(
        stack.cache.stats().evicted > 1_000,
        "{:?}",
        stack.cache.stats()
    );
}

#[tokio::test]
async fn one_user_crowds_out_its_own_answers_and_nobody_elses() {
    let config = CacheConfig::default()
        .max_bytes(1 << 20)
        .max_entries(1_000)
        .share(25);
    let stack = Stack::over(&Cache::new(config), false, 100);
    let eve = Identity::user("eve");
    for id in 0..50 {
        stack.read(&ada(), id).await;
    }

    for id in 0..2_000 {
        // The share is the user's, in however many applications.
        let app = format!("app{}", id % 7);
        stack.read(&eve.clone().with_app(app), id).await;
    }

    let mut kept = 0;
    for id in 0..50 {
        kept += usize::from(stack.is_kept(&ada(), id).await);
    }
    assert_eq!(kept, 50);
    assert!(
        stack.cache.size().0 <= 100 + 250 + 10,
        "{:?}",
        stack.cache.size()
    );
}

#[tokio::test]
async fn an_answer_that_is_larger_than_a_share_is_given_out_and_not_kept() {
    let config = CacheConfig::default().max_bytes(40_000).share(10);
    let stack = Stack::over(&Cache::new(config), false, 5_000);

    stack.read(&ada(), 1).await;

    assert!(!stack.is_kept(&ada(), 1).await);
    assert_eq!(stack.cache.size().0, 0);
}

#[tokio::test]
async fn guests_of_any_number_of_applications_leave_bounded_books() {
    let config = CacheConfig::default()
        .max_entries(100)
        .ttl(Duration::from_secs(60));
    let stack = Stack::over(&Cache::new(config), false, 0);

    for app in 0..70_000 {
        let guest = Identity::guest().with_app(format!("app{app}"));
        stack
            .cache
            .set_ttl_of(&guest.scope(), Duration::from_secs(1));
    }
    stack.read(&ada(), 1).await;

    // What was counted of a scope is not lost with its books.
    assert_eq!(stack.cache.stats().misses, 1);
    let first = Identity::guest().with_app("app0").scope();
    assert_eq!(stack.cache.stats_of(&first).misses, 0);
}
