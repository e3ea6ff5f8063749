//! Nobody is ever shown what is another's, nor what was true before: random callers against the whole stack.
//!
//! An oracle knows what each caller may see, and between which versions an answer has to be. The same run finds each of
//! the faults that are seeded into parts of its own: keys, generations, the front's look-up.

mod caller;
mod faults;
mod world;

use std::sync::Arc;

use zcomm::Comm;
use zcomm::cache::Cache;
use zcomm::core::{AnswerCache, Scope};

use self::faults::{Fault, Keyer, Store};
use self::world::{World, identities};

/// What a run came to.
struct Report {
    violation: Option<String>,
    cache: Cache,
}

impl Report {
    fn hit_rate(&self) -> f64 {
        let stats = self.cache.stats();
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
        let rate = stats.hits as f64 / (stats.hits + stats.misses + stats.coalesced) as f64;
        rate
    }
}

/// How many a proof is made of; `cargo xtask long` asks for a hundred times as many.
fn operations() -> usize {
    let wanted = std::env::var("ZCOMM_TEST_OPERATIONS").ok();
    wanted.map_or(10_000, |wanted| wanted.parse().unwrap())
}

/// Lets all callers do random things, so many in all or until one of them sees what it must not.
async fn run(fault: Option<Fault>, seed: u64, operations: usize) -> Report {
    let world = Arc::new(World::new(seed, operations));
    let comm = Comm::builder()
        .isolated()
        .schema(world.schema())
        .policy(world.policy())
        .set("websocket.port", "0")
        .set("websocket.message_rate", "0")
        .build()
        .unwrap();
    let (cache, store) = (
        comm.cache().clone(),
        Arc::new(Store::of(&world, fault).await),
    );
    let mut server = comm.bifrost().unwrap().store(store.clone());
    if let Some(fault) = fault {
        let cache = cache.clone();
        server = server.cache(move |own| -> Arc<dyn AnswerCache> {
            let generations = store.generations().unwrap_or(own);
            let answers = cache.answers(generations);
            if let Some(keyer) = Keyer::of(fault) {
                cache.trust_keys();
                return Arc::new(answers.keyed_by(keyer));
            }
            match fault {
                Fault::PermitsLeftOut => Arc::new(faults::Unpermitted(answers)),
                _ => Arc::new(answers),
            }
        });
    }
    let server = server.bind().await.unwrap();
    let callers: Vec<_> = world::callers()
        .map(|(who, place)| {
            let (world, address) = (Arc::clone(&world), server.local_addr());
            tokio::spawn(async move { caller::run(&world, address, who, place).await })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    Report {
        violation: world.violation(),
        cache,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_shown_what_is_anothers_or_what_was_before() {
    let report = run(None, 1, operations()).await;

    assert_eq!(report.violation, None);
    assert!(
        report.hit_rate() >= 0.3,
        "{} {:?}",
        report.hit_rate(),
        report.cache.stats()
    );
    for (_, who) in identities() {
        let scope: Scope = who.scope();
        assert!(report.cache.stats_of(&scope).hits > 0, "{who:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_seeded_fault_is_found() {
    for fault in Fault::ALL {
        let report = run(Some(fault), 2, 10_000).await;

        assert!(report.violation.is_some(), "{fault:?} was not found");
    }
}
