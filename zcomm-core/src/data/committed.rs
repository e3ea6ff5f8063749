//! Stands in front of a store: what is written there is known everywhere before its writer is answered.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::broadcast::Sender;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock as Turn, broadcast};

use super::Result;
use super::change::{Change, Changes, Notice};
use super::field::Field;
use super::generations::Generations;
use super::model::Model;
use super::permitted::Permitted;
use super::query::Query;
use super::rows::Rows;
use super::store::{ForeignChanges, Migration, Store};
use super::write::Write;
use super::written::{Outcome, Written};

/// How many notices wait for the slowest subscriber before it is told to start anew.
const QUEUE: usize = 4096;

/// How long a store may take to land a write that nobody waits for any more.
const LANDS_WITHIN: Duration = Duration::from_secs(10);

/// A store whose writes are announced: generations bumped, then notices queued, then the writer answered.
///
/// Writes to one model take turns, so that notices come in the order of the commits. A write bumps its model's
/// generation on every outcome except a proven rollback: a write that timed out, or whose future was dropped, may
/// have landed. Then subscribers are told to start anew, too.
///
/// Whatever writes does it through here, functions of the application included.
///
/// ```
/// use serde_json::json;
/// use zcomm_core::data::{Access, Committed, Field, Kind, MemoryStore, Model, Notice, Requester, Store, Write};
/// use zcomm_core::Identity;
///
/// # async fn run() {
/// let users = Model::builder("users").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
/// let store = Committed::new(MemoryStore::new([users.clone()]));
/// let mut changes = store.subscribe();
/// let before = store.generations().stamp("users");
///
/// let write = Write::create(&users, json!({"data": {"id": 7}}).as_object().unwrap()).unwrap();
/// let guest = Identity::guest();
/// let write = Access::unrestricted().write(write, &Requester::new(&guest)).unwrap();
/// store.write(&[write]).await.unwrap();
///
/// assert!(!before.is_current());
/// assert!(matches!(changes.next().await, Some(Notice::Changed(change)) if change.after.is_some()));
/// # }
/// # futures_util::FutureExt::now_or_never(run()).unwrap();
/// ```
pub struct Committed<S> {
    store: S,
    generations: Generations,
    notices: Announcer,
    turns: Mutex<HashMap<String, Arc<Turn<()>>>>,
    watched: Arc<Watched>,
}

impl<S: Store> Committed<S> {
    /// Stands in front of a store.
    pub fn new(store: S) -> Self {
        Self {
            store,
            generations: Generations::default(),
            notices: Announcer::new(),
            turns: Mutex::default(),
            watched: Arc::default(),
        }
    }

    /// The counters that say whether what was read is still current.
    pub fn generations(&self) -> &Generations {
        &self.generations
    }

    /// All changes from now on.
    pub fn subscribe(&self) -> Changes {
        self.notices.subscribe()
    }

    /// Answers a query, with all changes since that answer: no write falls between the two, nor into both.
    ///
    /// # Errors
    ///
    /// What the store meets.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is changed.
    pub async fn snapshot(&self, query: &Permitted<Query>) -> Result<(Rows, Changes)> {
        // Any number of these at once: they keep writes out, not each other.
        let _turn = self.turn(query.model.name()).read_owned().await;
        let changes = self.subscribe();
        Ok((self.store.read(query).await?, changes))
    }

    /// Has changes of a model tell the values before of these fields, until the watch is dropped.
    ///
    /// The fields of row rules are always told.
    pub fn watch(&self, model: &Model, fields: impl IntoIterator<Item = Arc<Field>>) -> Watch {
        let fields: Vec<Arc<Field>> = fields.into_iter().collect();
        self.watched.count(model.name(), &fields, 1);
        Watch {
            model: model.name().to_owned(),
            fields,
            watched: Arc::clone(&self.watched),
        }
    }

    /// Announces what somebody else wrote to the store.
    pub fn announce(&self, notice: Notice) {
        match &notice {
            Notice::Changed(change) => self.generations.bump(change.model.name()),
            Notice::Resync(Some(model)) => self.generations.bump(model.name()),
            Notice::Resync(None) => self.generations.bump_all(),
        }
        self.send(notice);
    }

    /// Announces what others write to the store, for as long as the store can tell. Whoever owns the store runs it.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a notice that was under way may be lost, so follow anew and resync.
    pub async fn follow(&self) {
        let Some(mut foreign) = self.store.changes() else {
            return;
        };
        while let Some(notice) = foreign.next().await {
            self.announce(notice);
        }
        // From here on others may write unheard.
        self.announce(Notice::Resync(None));
    }

    fn send(&self, notice: Notice) {
        self.notices.send(notice);
    }

    fn wanting_before(&self, write: &Permitted<Write>) -> Permitted<Write> {
        let mut fields = self.watched.fields(write.model.name());
        for owner in owners(&write.model) {
            if !fields.iter().any(|field| field.name == owner.name) {
                fields.push(owner);
            }
        }
        write.clone().wanting_before(fields)
    }

    /// Waits until nobody else writes to these models. Taken in the order of names, so no two wait for each other.
    async fn turns(&self, models: &BTreeMap<String, Arc<Model>>) -> Vec<OwnedRwLockWriteGuard<()>> {
        let mut guards = Vec::with_capacity(models.len());
        for name in models.keys() {
            guards.push(self.turn(name).write_owned().await);
        }
        guards
    }

    /// What writes to a model wait for, and snapshots of it.
    fn turn(&self, model: &str) -> Arc<Turn<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(model) {
            return Arc::clone(turn);
        }
        Arc::clone(turns.entry(model.to_owned()).or_default())
    }

    fn announce_written(&self, writes: &[Permitted<Write>], written: &Written) {
        let pairs = || {
            let pairs = writes.iter().zip(&written.outcomes);
            pairs
                .filter(|(write, outcome)| !write.dry_run && !outcome.replayed && outcome.count > 0)
        };
        for (write, _) in pairs() {
            self.generations.bump(write.model.name());
        }
        for (write, outcome) in pairs() {
            self.announce_outcome(write, outcome);
        }
    }

    fn announce_outcome(&self, write: &Permitted<Write>, outcome: &Outcome) {
        if outcome.changed.is_empty() {
            return self.send(Notice::Resync(Some(Arc::clone(&write.model))));
        }
        for changed in &outcome.changed {
            let change = Change {
                model: Arc::clone(&write.model),
                kind: changed.kind,
                id: changed.id.clone(),
                before: changed.before.clone(),
                after: changed.after.clone(),
                origin: write.connection(),
                app: write.app().cloned(),
            };
            self.send(Notice::Changed(Arc::new(change)));
        }
    }
}

#[async_trait]
impl<S: Store> Store for Committed<S> {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        self.store.read(query).await
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        let models: BTreeMap<String, Arc<Model>> = writes
            .iter()
            .map(|write| (write.model.name().to_owned(), Arc::clone(&write.model)))
            .collect();
        let _turns = self.turns(&models).await;
        let writes: Vec<_> = writes
            .iter()
            .map(|write| self.wanting_before(write))
            .collect();
        let doubt = Doubt {
            generations: &self.generations,
            notices: &self.notices,
            models,
        };
        match self.store.write(&writes).await {
            Ok(written) => {
                doubt.dispel();
                self.announce_written(&writes, &written);
                Ok(written)
            }
            Err(error) if error.is_rolled_back() => {
                doubt.dispel();
                Err(error)
            }
            // Whether it was written nobody knows: the doubt is dropped undispelled.
            Err(error) => Err(error),
        }
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        self.store.models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        let migration = self.store.migrate(model).await?;
        if !migration.steps.is_empty() {
            self.announce(Notice::Resync(Some(Arc::clone(model))));
        }
        Ok(migration)
    }

    fn changes(&self) -> Option<ForeignChanges> {
        self.store.changes()
    }
}

impl<S> fmt::Debug for Committed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committed")
            .field("subscribers", &self.notices.sender.receiver_count())
            .finish_non_exhaustive()
    }
}

/// The queue of notices, which numbers them.
struct Announcer {
    sender: Sender<(u64, Notice)>,
    /// The number of the last notice. Held while one is sent, so that numbers come in the order of the queue.
    last: Mutex<u64>,
}

impl Announcer {
    fn new() -> Self {
        Self {
            sender: broadcast::channel(QUEUE).0,
            last: Mutex::default(),
        }
    }

    fn send(&self, notice: Notice) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        // Without subscribers there is nobody to tell.
        let _ = self.sender.send((*last, notice));
    }

    fn subscribe(&self) -> Changes {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Changes::new(self.sender.subscribe(), *last)
    }
}

/// A write whose outcome is not known yet; dropped so, it counts as written.
struct Doubt<'a> {
    generations: &'a Generations,
    notices: &'a Announcer,
    models: BTreeMap<String, Arc<Model>>,
}

impl Doubt<'_> {
    fn dispel(mut self) {
        self.models.clear();
    }
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        for (name, model) in std::mem::take(&mut self.models) {
            self.generations.doubt(&name, LANDS_WITHIN);
            self.notices.send(Notice::Resync(Some(model)));
        }
    }
}

/// Keeps the values before of some fields in the changes of a model, as long as it lives.
#[derive(Debug)]
pub struct Watch {
    model: String,
    fields: Vec<Arc<Field>>,
    watched: Arc<Watched>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.count(&self.model, &self.fields, -1);
    }
}

/// How many watches there are of each field.
#[derive(Debug, Default)]
struct Watched {
    models: RwLock<HashMap<String, Counts>>,
}

type Counts = Vec<(Arc<Field>, isize)>;

impl Watched {
    fn fields(&self, model: &str) -> Vec<Arc<Field>> {
        let models = self.models.read().unwrap_or_else(PoisonError::into_inner);
        let counts = models.get(model).into_iter().flatten();
        counts.map(|(field, _)| Arc::clone(field)).collect()
    }

    fn count(&self, model: &str, fields: &[Arc<Field>], by: isize) {
        let mut models = self.models.write().unwrap_or_else(PoisonError::into_inner);
        let counts = models.entry(model.to_owned()).or_default();
        for field in fields {
            match counts
                .iter_mut()
                .find(|(other, _)| other.name == field.name)
            {
                Some((_, count)) => *count += by,
                None => counts.push((Arc::clone(field), by)),
            }
        }
        counts.retain(|(_, count)| *count > 0);
    }
}

/// The fields that row rules of the model look at.
fn owners(model: &Model) -> Vec<Arc<Field>> {
    let rules = model.access().into_iter();
    let owners = rules.flat_map(super::ModelAccess::owners);
    owners
        .filter_map(|name| model.field(name))
        .cloned()
        .collect()
}
