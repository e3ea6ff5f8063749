//! Notices of writes, in the order of their commits, and the bounded queue they travel in.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::Row;
use super::model::Model;
use super::value::Value;
use crate::caller::ConnectionId;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new.
    Create,
    /// It is different.
    Update,
    /// It is gone.
    Delete,
}

impl ChangeKind {
    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Create, Self::Update, Self::Delete];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// One row that was written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The model.
    pub model: Arc<Model>,
    /// What became of the row.
    pub kind: ChangeKind,
    /// The row's primary key.
    pub id: Value,
    /// Values before the write: the fields that row rules and live filters look at. None for a new row, nor where
    /// they are not known.
    pub before: Option<Row>,
    /// The whole row afterwards; none where it is gone.
    pub after: Option<Row>,
    /// The connection that wrote, which is told nothing.
    pub origin: Option<ConnectionId>,
    /// The application that wrote; others are told nothing. None where the program itself or somebody outside wrote.
    pub app: Option<Arc<str>>,
}

impl Change {
    /// A change of which nothing is known but the row that there is now.
    pub fn new(model: Arc<Model>, kind: ChangeKind, id: Value, after: Option<Row>) -> Self {
        Self {
            model,
            kind,
            id,
            before: None,
            after,
            origin: None,
            app: None,
        }
    }
}

/// What subscribers of changes hear.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A row was written.
    Changed(Arc<Change>),
    /// Changes were lost, of one model or of all: whatever is known of rows may be out of date.
    Resync(Option<Arc<Model>>),
}

/// The changes from a moment on, in the order of their commits within each model.
#[derive(Debug)]
pub struct Changes {
    receiver: Receiver<(u64, Notice)>,
    at: u64,
}

impl Changes {
    pub(super) fn new(receiver: Receiver<(u64, Notice)>, at: u64) -> Self {
        Self { receiver, at }
    }

    /// The number of the notice that was heard last, counted over all models; before any, of the last one that is not
    /// heard here.
    ///
    /// It tells two who hear the same changes which of them is ahead.
    pub fn position(&self) -> u64 {
        self.at
    }

    /// Waits for the next notice; `None` once nothing can write any more.
    ///
    /// Whoever is so slow that the queue overtakes it hears [`Notice::Resync`] in place of what it missed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no notice is lost with the future.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.receiver.recv().await {
            Ok((at, notice)) => {
                self.at = at;
                Some(notice)
            }
            Err(RecvError::Lagged(missed)) => {
                self.at += missed;
                Some(Notice::Resync(None))
            }
            Err(RecvError::Closed) => None,
        }
    }
}
