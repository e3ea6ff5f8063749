//! What keeps rows: the seam below which SQLite, PostgreSQL, MongoDB and memory answer alike.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;

use super::Result;
use super::change::Notice;
use super::field::Field;
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
    /// That no two rows have the same value in a field.
    AddUnique(String),
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
        let both = |field: &&Arc<Field>| found.field(&field.name).is_some_and(|it| !it.unique);
        let unique = wanted.fields().iter().filter(both);
        let unique = unique.filter(|field| field.unique && !field.primary_key);
        let unique = unique.map(|field| Step::AddUnique(field.name.clone()));
        let known = |name: &String| found.indexes().iter().any(|index| index.name == *name);
        let indexes = wanted.indexes().iter().map(|index| &index.name);
        let indexes = indexes.filter(|name| !known(name));
        let steps = fields.cloned().map(Step::AddField);
        Self {
            steps: steps
                .chain(unique)
                .chain(indexes.cloned().map(Step::AddIndex))
                .collect(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddModel(name) => write!(f, "add model {name}"),
            Self::AddField(name) => write!(f, "add field {name}"),
            Self::AddUnique(name) => write!(f, "make {name} unique"),
            Self::AddIndex(name) => write!(f, "add index {name}"),
        }
    }
}

/// Where a store is: a URL, or a scheme with what that store makes of the rest.
///
/// ```
/// use zcomm_core::data::StoreAddress;
///
/// let address = StoreAddress::new("sqlite://./data.db", "/srv/shop".as_ref());
/// assert_eq!(address.scheme(), "sqlite");
/// assert_eq!(address.rest(), "./data.db");
/// assert_eq!(address.resolve("./data.db"), std::path::Path::new("/srv/shop/./data.db"));
/// ```
#[derive(Clone, Copy)]
pub struct StoreAddress<'a> {
    url: &'a str,
    base: &'a Path,
}

impl<'a> StoreAddress<'a> {
    /// The address that this text is, with the folder that relative paths in it start from.
    pub fn new(url: &'a str, base: &'a Path) -> Self {
        Self { url, base }
    }

    /// The whole text. It may hold a password.
    pub fn url(&self) -> &'a str {
        self.url
    }

    /// What stands before the first colon; without one, all of it.
    pub fn scheme(&self) -> &'a str {
        self.url
            .split_once(':')
            .map_or(self.url, |(scheme, _)| scheme)
    }

    /// What stands behind the scheme and its `//`.
    pub fn rest(&self) -> &'a str {
        let rest = self.url.split_once(':').map_or("", |(_, rest)| rest);
        rest.strip_prefix("//").unwrap_or(rest)
    }

    /// A path of the address, from the folder that it is relative to.
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.base.join(path)
    }
}

impl fmt::Debug for StoreAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreAddress")
            .field("scheme", &self.scheme())
            .finish_non_exhaustive()
    }
}
