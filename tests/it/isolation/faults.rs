//! The faults that a run has to find, each in a part that takes the place of the right one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use zcomm::cache::{Answers, PerIdentity};
use zcomm::core::data::{
    Access, DataError, ForeignChanges, Generations, MemoryStore, Migration, Model, Permitted,
    Query, Requester, Rows, Store as _, Write, Written,
};
use zcomm::core::{
    AnswerCache, BoxService, CacheKey, CacheKeyer, CacheRequest, CacheStats, Clearing, Command,
    Identity, Operation, Remembered, Scope, data,
};

use super::world::{MODELS, World, created, name};

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NoRoleInTheKey,
    JoinedFields,
    NoScopeCheck,
    LateBump,
    NoBumpAfterATimeOut,
    PermitsLeftOut,
}

impl Fault {
    pub(super) const ALL: [Self; 6] = [
        Self::NoRoleInTheKey,
        Self::JoinedFields,
        Self::NoScopeCheck,
        Self::LateBump,
        Self::NoBumpAfterATimeOut,
        Self::PermitsLeftOut,
    ];
}

/// Makes keys of less than a scope.
pub(super) struct Keyer(Fault);

impl Keyer {
    pub(super) fn of(fault: Fault) -> Option<Self> {
        use Fault::{JoinedFields, NoRoleInTheKey, NoScopeCheck};
        matches!(fault, NoRoleInTheKey | JoinedFields | NoScopeCheck).then_some(Self(fault))
    }
}

impl CacheKeyer for Keyer {
    fn key(&self, request: &CacheRequest<'_>, scope: &Scope) -> Option<CacheKey> {
        let scope = match (self.0, scope.clone()) {
            (Fault::NoScopeCheck, _) => Identity::guest().scope(),
            (
                Fault::NoRoleInTheKey,
                Scope::User {
                    user,
                    app,
                    auth_context,
                    ..
                },
            ) => Scope::User {
                user,
                app,
                roles: [].into(),
                auth_context,
            },
            (
                Fault::JoinedFields,
                Scope::User {
                    user,
                    app,
                    roles,
                    auth_context,
                },
            ) => {
                let joined = format!("{user}|{app}|{roles:?}|{auth_context}");
                Identity::user(joined).scope()
            }
            (_, scope) => scope,
        };
        PerIdentity.key(request, &scope)
    }
}

/// Leads the front to believe that every answer is one to a `ping`.
pub(super) struct Unpermitted(pub(super) Answers);

impl AnswerCache for Unpermitted {
    fn recall(&self, scope: &Scope, message: &[u8]) -> Option<Remembered> {
        let mut remembered = self.0.recall(scope, message)?;
        remembered.command = Arc::new(Command::Event("ping".to_owned()));
        Some(remembered)
    }

    fn around(&self, events: BoxService) -> BoxService {
        self.0.around(events)
    }

    fn stats(&self, scope: &Scope) -> CacheStats {
        self.0.stats(scope)
    }

    fn clear(&self, what: Clearing<'_>) {
        self.0.clear(what);
    }

    fn keep_for(&self, scope: Option<&Scope>, ttl: Duration) {
        self.0.keep_for(scope, ttl);
    }
}

/// A store in memory of which every few writes to the last model time out, and land all the same.
pub(super) struct Store {
    memory: MemoryStore,
    fault: Option<Fault>,
    /// What the cache follows in place of the right generations.
    wrong: Generations,
    writes: AtomicUsize,
}

impl Store {
    pub(super) async fn of(world: &World, fault: Option<Fault>) -> Self {
        let schema = world.schema();
        let memory = MemoryStore::new(schema.models().to_vec());
        let (nobody, access) = (Identity::guest(), Access::unrestricted());
        for model in 0..MODELS {
            for row in world.rows(model) {
                let data = serde_json::json!({"data": created(row)});
                let data = data.as_object().unwrap();
                let model = schema.model(&name(model)).unwrap();
                let write = Write::parse(model, Operation::Create, data).unwrap();
                let write = access.write(write, &Requester::new(&nobody)).unwrap();
                memory.write(&[write]).await.unwrap();
            }
        }
        Self {
            memory,
            fault,
            wrong: Generations::default(),
            writes: AtomicUsize::new(0),
        }
    }

    /// The generations that the cache is to follow, where they are the fault.
    pub(super) fn generations(&self) -> Option<&Generations> {
        let wrong = matches!(
            self.fault,
            Some(Fault::LateBump | Fault::NoBumpAfterATimeOut)
        );
        wrong.then_some(&self.wrong)
    }

    /// Others have their turn before the bump, as they have wherever it does not come before the answer.
    fn bump_after_the_answer(&self, model: &str) {
        let (generations, model) = (self.wrong.clone(), model.to_owned());
        tokio::spawn(async move {
            for _ in 0..64 {
                tokio::task::yield_now().await;
            }
            generations.bump(&model);
        });
    }
}

#[async_trait]
impl data::Store for Store {
    async fn read(&self, query: &Permitted<Query>) -> data::Result<Rows> {
        let rows = self.memory.read(query).await;
        // Others have their turn between an answer and its arrival, as they have with any real store.
        tokio::task::yield_now().await;
        rows
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> data::Result<Written> {
        let model = writes[0].model.name();
        let written = self.memory.write(writes).await;
        if self.fault == Some(Fault::LateBump) {
            self.bump_after_the_answer(model);
        }
        let count = self.writes.fetch_add(1, Ordering::SeqCst);
        if model == name(MODELS - 1) && count.is_multiple_of(3) {
            return Err(DataError::Timeout {
                limit: Duration::from_secs(10),
            });
        }
        if self.fault == Some(Fault::NoBumpAfterATimeOut) {
            self.wrong.bump(model);
        }
        written
    }

    async fn models(&self) -> data::Result<Vec<Arc<Model>>> {
        self.memory.models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> data::Result<Migration> {
        self.memory.migrate(model).await
    }

    fn changes(&self) -> Option<ForeignChanges> {
        None
    }
}
