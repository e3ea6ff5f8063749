//! What keeps rows: the seam below which SQLite, PostgreSQL, MongoDB and memory answer alike.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;

use super::Result;
use super::change::Notice;
use super::model::Model;
use super::permitted::Permitted;
use super::query::Query;
use super::rows::Rows;
use super::write::Write;
use super::written::Written;

/// Keeps rows.
///
/// [`Committed`](super::Committed) calls it, many times at once; nobody else writes through it. An implementor
/// guarantees that
///
/// * an answer is byte for byte that of the reference evaluator ([`Filter::matches`](super::Filter::matches),
///   [`Order::compare`](super::Order::compare)), order included;
/// * values reach the database only as bound parameters;
/// * a list of writes is one transaction, or the answer says that it was not;
/// * every wait has a deadline;
/// * a write whose future is dropped is rolled back, or has landed within ten seconds;
/// * [`DataError::is_rolled_back`](super::DataError::is_rolled_back) is true only of errors after which nothing was
///   written.
#[async_trait]
pub trait Store: Send + Sync {
    /// Answers a query: at most [`limit`](Permitted::limit) rows, and a cursor if there are more.
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows>;

    /// Does all of these writes, or none.
    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written>;

    /// The models as the store has them.
    async fn models(&self) -> Result<Vec<Arc<Model>>>;

    /// Adds to the store what the model has and it has not. Nothing is ever dropped or changed.
    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration>;

    /// Writes of others, never our own, where the store can tell.
    fn changes(&self) -> Option<ForeignChanges>;
}

#[async_trait]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        (**self).read(query).await
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        (**self).write(writes).await
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        (**self).models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        (**self).migrate(model).await
    }

    fn changes(&self) -> Option<ForeignChanges> {
        (**self).changes()
    }
}

/// Writes of others, as they become known.
pub type ForeignChanges = Pin<Box<dyn Stream<Item = Notice> + Send>>;

/// What a migration adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// What is added, in order.
    pub steps: Vec<Step>,
}

/// One thing that a migration adds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The model, with all of its fields.
    AddModel(String),
    /// A field.
    AddField(String),
    /// An index.
    AddIndex(String),
}

impl Migration {
    /// What has to be added to a model as it is to make it the model that is wanted.
    pub fn between(found: Option<&Model>, wanted: &Model) -> Self {
        let Some(found) = found else {
            return Self {
                steps: vec![Step::AddModel(wanted.name().to_owned())],
            };
        };
        let fields = wanted.fields().iter().map(|field| &field.name);
        let fields = fields.filter(|name| found.field(name).is_none());
        let known = |name: &String| found.indexes().iter().any(|index| index.name == *name);
        let indexes = wanted.indexes().iter().map(|index| &index.name);
        let indexes = indexes.filter(|name| !known(name));
        let steps = fields.cloned().map(Step::AddField);
        Self {
            steps: steps.chain(indexes.cloned().map(Step::AddIndex)).collect(),
        }
    }
}
