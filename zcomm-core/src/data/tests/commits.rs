//! What the rest of the program learns of a write, and when.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::*;

/// What a write fails with, if it does.
type Fails = fn() -> Option<DataError>;

/// A store whose next write ends as told.
struct Staged {
    inner: MemoryStore,
    fails: Fails,
    hangs: Option<Arc<Notify>>,
    foreign: Vec<Notice>,
}

#[async_trait]
impl Store for Staged {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        self.inner.read(query).await
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        if let Some(gate) = &self.hangs {
            gate.notified().await;
        }
        match (self.fails)() {
            Some(error) => Err(error),
            None => self.inner.write(writes).await,
        }
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        self.inner.models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        self.inner.migrate(model).await
    }

    fn changes(&self) -> Option<ForeignChanges> {
        Some(Box::pin(futures_util::stream::iter(self.foreign.clone())))
    }
}

fn staged(fails: Fails) -> Committed<Staged> {
    Committed::new(Staged {
        inner: MemoryStore::new([things()]),
        fails,
        hangs: None,
        foreign: Vec::new(),
    })
}

/// A store whose every write waits until the gate lets it through.
fn hanging(gate: &Arc<Notify>) -> Committed<Staged> {
    Committed::new(Staged {
        inner: MemoryStore::new([things()]),
        fails: || None,
        hangs: Some(Arc::clone(gate)),
        foreign: Vec::new(),
    })
}

fn permitted(operation: Operation, arguments: &Json) -> Permitted<Write> {
    let guest = Identity::guest();
    let write = write(&things(), operation, arguments).unwrap();
    Access::unrestricted()
        .write(write, &Requester::new(&guest))
        .unwrap()
}

fn create(name: &str) -> Permitted<Write> {
    permitted(Operation::Create, &json!({"data": {"name": name}}))
}

fn heard(changes: &mut Changes) -> Vec<Notice> {
    let mut notices = Vec::new();
    while let Some(Some(notice)) = changes.next().now_or_never() {
        notices.push(notice);
    }
    notices
}

fn resync() -> Notice {
    Notice::Resync(Some(things()))
}

#[test]
fn a_write_is_known_before_its_writer_is_answered() {
    let store = staged(|| None);
    let mut changes = store.subscribe();
    let before = store.generations().stamp("things");

    now(store.write(&[create("a"), create("b")])).unwrap();

    assert!(!before.is_current());
    let names = heard(&mut changes).into_iter().map(|notice| match notice {
        Notice::Changed(change) => change.after.as_ref().unwrap()["name"].clone(),
        Notice::Resync(_) => panic!("nothing was lost"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn every_outcome_but_a_proven_rollback_bumps() {
    let fails: [(Fails, bool); 4] = [
        (|| Some(DataError::ReadOnly), true),
        (
            || {
                let limit = Duration::from_secs(10);
                Some(DataError::Timeout { limit })
            },
            false,
        ),
        (
            || {
                Some(DataError::Unavailable {
                    store: "test",
                    rolled_back: true,
                    source: "refused".into(),
                })
            },
            true,
        ),
        (
            || {
                Some(DataError::Store {
                    store: "test",
                    rolled_back: false,
                    source: "reset".into(),
                })
            },
            false,
        ),
    ];
    for (fails, rolled_back) in fails {
        let store = staged(fails);
        let mut changes = store.subscribe();
        let before = store.generations().stamp("things");

        let error = now(store.write(&[create("a")])).unwrap_err();

        assert_eq!(before.is_current(), rolled_back, "{error}");
        // While it may still land, nothing that is read now can be kept either.
        assert_eq!(
            store.generations().stamp("things").is_current(),
            rolled_back,
            "{error}"
        );
        let expected = if rolled_back { vec![] } else { vec![resync()] };
        assert_eq!(heard(&mut changes), expected, "{error}");
    }
}

#[test]
fn a_write_that_nobody_waits_for_any_more_may_have_landed() {
    let store = hanging(&Arc::default());
    let mut changes = store.subscribe();
    let before = store.generations().stamp("things");

    assert!(store.write(&[create("a")]).now_or_never().is_none());

    assert!(!before.is_current());
    assert_eq!(heard(&mut changes), [resync()]);
}

#[test]
fn what_changes_nothing_is_not_announced() {
    let store = staged(|| None);
    let again = || {
        permitted(
            Operation::Create,
            &json!({"data": {"name": "a"}, "idempotency_key": "k"}),
        )
    };
    now(store.write(&[again()])).unwrap();
    let mut changes = store.subscribe();
    let before = store.generations().stamp("things");

    for write in [
        again(),
        permitted(Operation::Delete, &json!({"all": true, "dry_run": true})),
        permitted(Operation::Delete, &json!({"where": 99})),
    ] {
        now(store.write(&[write])).unwrap();
    }

    assert!(before.is_current());
    assert_eq!(heard(&mut changes), []);
}

#[test]
fn changes_tell_the_values_before_that_somebody_watches() {
    let store = staged(|| None);
    now(store.write(&[create("a")])).unwrap();
    let mut changes = store.subscribe();
    let rename = |name: &str| {
        permitted(
            Operation::Update,
            &json!({"where": 1, "data": {"name": name}}),
        )
    };
    let name = Arc::clone(things().field("name").unwrap());

    let watch = store.watch(&things(), [name]);
    now(store.write(&[rename("b")])).unwrap();
    drop(watch);
    now(store.write(&[rename("c")])).unwrap();

    let before = heard(&mut changes).into_iter().map(|notice| match notice {
        Notice::Changed(change) => Json::Object(change.before.clone().unwrap()),
        Notice::Resync(_) => panic!("nothing was lost"),
    });
    assert_eq!(
        before.collect::<Vec<_>>(),
        [json!({"name": "a"}), json!({})]
    );
}

#[test]
fn changes_name_the_connection_that_wrote() {
    let store = staged(|| None);
    let mut changes = store.subscribe();
    let connection = crate::ConnectionId::next();
    let guest = Identity::guest();
    let add = write(
        &things(),
        Operation::Create,
        &json!({"data": {"name": "a"}}),
    )
    .unwrap();
    let who = Requester::new(&guest).over(connection);

    now(store.write(&[Access::unrestricted().write(add, &who).unwrap()])).unwrap();

    let [Notice::Changed(change)] = &heard(&mut changes)[..] else {
        panic!("one row was written");
    };
    assert_eq!(
        (change.kind, change.origin),
        (ChangeKind::Create, Some(connection))
    );
}

#[test]
fn whoever_is_too_slow_starts_anew() {
    let store = staged(|| None);
    let mut changes = store.subscribe();
    let many: Vec<Json> = (0..900).map(|_| json!({"name": "n"})).collect();

    for _ in 0..5 {
        now(store.write(&[permitted(Operation::Create, &json!({"data": many}))])).unwrap();
    }

    assert_eq!(now(changes.next()), Some(Notice::Resync(None)));
}

#[test]
fn a_write_of_very_many_rows_is_a_resync() {
    let store = staged(|| None);
    let mut changes = store.subscribe();
    let many: Vec<Json> = (0..1001).map(|_| json!({"name": "n"})).collect();

    now(store.write(&[permitted(Operation::Create, &json!({"data": many}))])).unwrap();

    assert_eq!(heard(&mut changes), [resync()]);
}

#[tokio::test]
async fn writes_to_one_model_take_turns() {
    let gate = Arc::default();
    let store = hanging(&gate);
    let mut changes = store.subscribe();

    let (first, second) = (create("first"), create("second"));
    let (first, second) = (
        store.write(std::slice::from_ref(&first)),
        store.write(std::slice::from_ref(&second)),
    );
    tokio::pin!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut second).is_pending());
    gate.notify_one();
    // The gate opens once: were the second in the store, it could go first.
    assert!(futures_util::poll!(&mut second).is_pending());
    assert!(futures_util::poll!(&mut first).is_ready());
    gate.notify_one();
    assert!(futures_util::poll!(&mut second).is_ready());

    let names = heard(&mut changes).into_iter().map(|notice| match notice {
        Notice::Changed(change) => change.after.as_ref().unwrap()["name"].clone(),
        Notice::Resync(_) => panic!("nothing was lost"),
    });
    assert_eq!(names.collect::<Vec<_>>(), ["first", "second"]);
}

#[test]
fn a_store_behind_a_pointer_is_a_store() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new([things()]));
    let committed = Committed::new(store);
    let before = committed.generations().stamp("things");

    now(committed.write(&[create("a")])).unwrap();

    assert!(!before.is_current());
}

#[test]
fn what_others_write_is_announced_and_so_is_its_end() {
    let row = object(&json!({"id": 1})).clone();
    let change = Change::new(things(), ChangeKind::Update, Value::Int(1), Some(row));
    let foreign = Notice::Changed(Arc::new(change));
    let store = Committed::new(Staged {
        inner: MemoryStore::new([things()]),
        fails: || None,
        hangs: None,
        foreign: vec![foreign.clone()],
    });
    let mut changes = store.subscribe();
    let before = store.generations().stamp("things");

    now(store.follow());

    assert!(!before.is_current());
    assert_eq!(heard(&mut changes), [foreign, Notice::Resync(None)]);
}

#[tokio::test]
async fn a_snapshot_waits_for_the_write_under_way_and_holds_it() {
    let gate = Arc::default();
    let store = hanging(&gate);
    let guest = Identity::guest();
    let all = query(&things(), &json!({"fields": ["name"]})).unwrap();
    let all = Access::unrestricted()
        .query(all, &Requester::new(&guest))
        .unwrap();
    let create = [create("a")];
    let (write, snapshot) = (store.write(&create), store.snapshot(&all));
    tokio::pin!(write, snapshot);

    assert!(futures_util::poll!(&mut write).is_pending());
    assert!(futures_util::poll!(&mut snapshot).is_pending());
    gate.notify_one();
    write.await.unwrap();
    let (rows, mut changes) = snapshot.await.unwrap();

    assert_eq!(&rows.json[..], br#"[{"name":"a"}]"#);
    assert_eq!(heard(&mut changes), []);
}
