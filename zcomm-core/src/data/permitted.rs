//! A command that the access rules let through. Only they can make one, and only one of these reaches a store.

use std::ops::Deref;
use std::sync::Arc;

use super::Row;
use super::access::Requester;
use super::cursor::CursorKey;
use super::field::Field;
use super::filter::Filter;
use super::query::Query;
use super::rights::{Grant, Rights, rows, visible};
use super::write::{Effect, Write};
use crate::cache::CacheKey;
use crate::caller::ConnectionId;
use crate::identity::Scope;

/// A command that [`Access`](super::Access) let through, rewritten to what the caller may do.
///
/// It reads as the command itself: the filter admits only rows that the caller may see or touch, a query's fields
/// are those that it may read, its limit is set and its cursor opened.
#[derive(Clone, Debug)]
pub struct Permitted<T> {
    command: T,
    pass: Arc<Pass>,
    before: Arc<[Arc<Field>]>,
}

/// What the access rules found out on the way.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    rights: Rights,
    serving: Vec<Grant>,
    connection: Option<ConnectionId>,
    app: Option<Arc<str>>,
    seal: Option<(CursorKey, Vec<u8>)>,
    idempotency: Option<IdempotencyKey>,
}

impl Pass {
    pub(super) fn new(rights: Rights, serving: Vec<Grant>, who: &Requester<'_>) -> Self {
        Self {
            rights,
            serving,
            connection: who.connection(),
            app: who.app(),
            seal: None,
            idempotency: None,
        }
    }

    pub(super) fn sealing(mut self, key: CursorKey, binding: Vec<u8>) -> Self {
        self.seal = Some((key, binding));
        self
    }

    pub(super) fn keyed(mut self, key: Option<IdempotencyKey>) -> Self {
        self.idempotency = key;
        self
    }
}

impl<T> Permitted<T> {
    pub(super) fn new(command: T, pass: Pass) -> Self {
        Self {
            command,
            pass: Arc::new(pass),
            before: Arc::new([]),
        }
    }

    /// The connection that the command came over.
    pub fn connection(&self) -> Option<ConnectionId> {
        self.pass.connection
    }

    /// The application that the command came through; none for the program's own.
    pub fn app(&self) -> Option<&Arc<str>> {
        self.pass.app.as_ref()
    }

    /// All that the caller may do with the model.
    pub fn rights(&self) -> &Rights {
        &self.pass.rights
    }
}

impl<T> Deref for Permitted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.command
    }
}

impl Permitted<Query> {
    /// The fields that an answer has.
    pub fn columns(&self) -> &[Arc<Field>] {
        self.fields.as_deref().unwrap_or_default()
    }

    /// The most rows in the answer.
    pub fn limit(&self) -> u64 {
        self.page.limit.unwrap_or_default()
    }

    /// How many rows to leave out at the start.
    pub fn offset(&self) -> u64 {
        match self.page.start {
            super::Start::Offset(offset) => offset,
            super::Start::Cursor(_) => 0,
        }
    }

    /// Whether every row shows all columns; if not, rows are to be [projected](Self::project) one by one.
    pub fn is_uniform(&self) -> bool {
        let mut grants = self.pass.serving.iter();
        let alone = self.pass.serving.len() == 1;
        let shows_all = |grant: &Grant| {
            let mut columns = self.columns().iter();
            columns.all(|field| grant.access.read.contains(&field.name))
        };
        alone || grants.any(|grant| grant.owner.is_none() && shows_all(grant))
    }

    /// The grants that serve the query; a row shows what those of them show together that admit it.
    pub fn grants(&self) -> &[Grant] {
        &self.pass.serving
    }

    /// The columns of a row that the caller may see.
    ///
    /// The row has at least the [`columns`](Self::columns) and the owner fields of the [`grants`](Self::grants).
    pub fn project(&self, row: &Row) -> Row {
        let shown = match self.is_uniform() {
            true => None,
            false => visible(&self.pass.serving, row),
        };
        let from = shown.as_ref().unwrap_or(row);
        let columns = self.columns().iter();
        let cells = columns.filter_map(|field| from.get_key_value(&field.name));
        let mut row = cells
            .map(|(name, cell)| (name.clone(), cell.clone()))
            .collect();
        self.big_ints.write(&self.model, &mut row);
        row
    }

    /// What the caller sees of a whole row that is or was stored: `None` if it is not among the query's.
    ///
    /// This is what a live query asks of every change.
    pub fn shows(&self, row: &Row) -> Option<Row> {
        self.filter.matches(row).then(|| self.project(row))
    }

    /// The cursor that continues after a whole row.
    pub fn cursor_after(&self, row: &Row) -> String {
        let (key, binding) = self
            .pass
            .seal
            .as_ref()
            .expect("`Access::query` sets a seal");
        key.seal(binding, &self.order.position(row))
    }
}

impl Permitted<Write> {
    /// The rows that the caller may touch, whatever else the write asks for.
    pub fn row_rule(&self) -> Filter {
        rows(&self.pass.serving)
    }

    /// The rows that are to be changed or removed.
    pub fn filter(&self) -> Option<&Filter> {
        match &self.effect {
            Effect::Update { filter, .. } | Effect::Delete { filter } => Some(filter),
            Effect::Create { .. } | Effect::Upsert { .. } => None,
        }
    }

    /// Under which key the answer is to be kept, or found again.
    pub fn idempotency(&self) -> Option<&IdempotencyKey> {
        self.pass.idempotency.as_ref()
    }

    /// The fields whose values before the write are wanted.
    pub fn before(&self) -> &[Arc<Field>] {
        &self.before
    }

    /// The same write, with the fields whose values before it are wanted.
    #[must_use]
    pub fn wanting_before(mut self, fields: impl IntoIterator<Item = Arc<Field>>) -> Self {
        self.before = fields.into_iter().collect();
        self
    }
}

/// Names a write that may come again. Equal only within one scope; the command is told apart by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    key: [u8; 32],
    command: [u8; 32],
}

impl IdempotencyKey {
    pub(super) fn new(
        key: &str,
        scope: &Scope,
        connection: Option<ConnectionId>,
        command: &[u8],
    ) -> Self {
        let mut name = CacheKey::builder(scope).field("idempotency", key);
        // Guests share a scope, but are not one another, nor those of another process that keeps its answers here.
        if let (Scope::Guest { .. }, Some(connection)) = (scope, connection) {
            name = name.field("connection", connection.among_all());
        }
        Self {
            key: *blake3::hash(name.finish().as_bytes()).as_bytes(),
            command: *blake3::hash(command).as_bytes(),
        }
    }

    /// What the answer is kept under.
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The digest of the command that may be answered so.
    pub const fn command(&self) -> &[u8; 32] {
        &self.command
    }
}
