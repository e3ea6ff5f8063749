//! The store: which thread does what, and what it is told. The work itself is in `page`, `transaction`, `catalog`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use zcomm_core::data::sql::{Dialect, Sql};
use zcomm_core::data::{
    DataError, ForeignChanges, Migration, Model, Permitted, Query, Rows, Store, Write, Written,
};

use crate::catalog;
use crate::config::{Config, Place};
use crate::error::Error;
use crate::page::Reading;
use crate::seat::Seat;
use crate::session::Session;
use crate::transaction::Transaction;
use crate::workers::Workers;

/// Whoever waits for a write counts on it to have landed, or not, within ten seconds.
const LONGEST_WRITE: Duration = Duration::from_secs(8);

/// Rows in a file of SQLite, or in its memory.
///
/// Dropping the last handle ends its threads, and waits for them.
#[derive(Debug)]
pub struct SqliteStore {
    sql: Arc<Sql>,
    timeout: Duration,
    writer: Workers,
    /// None for memory, which has only one connection.
    readers: Option<Workers>,
}

impl SqliteStore {
    /// Opens a store, and makes its file where there is none. Tables are made by [`migrate`](Store::migrate).
    ///
    /// # Errors
    ///
    /// Whatever keeps the file from being a database that can be written to.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let writer = Seat::open(config, Session::writer)?;
        let readers = match &config.place {
            Place::Memory => None,
            Place::File(_) => {
                let readers =
                    (0..config.readers.max(1)).map(|_| Seat::open(config, Session::reader));
                let readers = readers.collect::<Result<_, _>>()?;
                Some(Workers::start("read", readers, config.queue)?)
            }
        };
        Ok(Self {
            sql: Arc::new(Sql::new(Dialect::Sqlite)),
            timeout: config.timeout,
            writer: Workers::start("write", vec![writer], config.queue)?,
            readers,
        })
    }

    fn reader(&self) -> &Workers {
        self.readers.as_ref().unwrap_or(&self.writer)
    }

    async fn transact<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, DataError> + Send + 'static,
    ) -> Result<T, DataError> {
        let (sql, limit) = (Arc::clone(&self.sql), self.timeout.min(LONGEST_WRITE));
        let transact = move |session: &Session| {
            work(&Transaction {
                session,
                sql: &sql,
                limit,
            })
        };
        self.writer.run(limit, transact).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows, DataError> {
        let reading = Reading::of(&self.sql, query);
        let (model, limit) = (Arc::clone(&query.model), self.timeout);
        let read = move |session: &Session| {
            let found = reading.carry_out(session);
            found.map_err(|error| Error::from(error).into_data(Some(&model), limit))
        };
        let found = self.reader().run(limit, read).await?;
        Ok(found.answer(query))
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written, DataError> {
        let writes = writes.to_vec();
        self.transact(move |transaction| transaction.write(&writes))
            .await
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>, DataError> {
        let limit = self.timeout;
        let read = move |session: &Session| {
            let models = catalog::models(session.connection());
            models.map_err(|error| Error::from(error).into_data(None, limit))
        };
        self.reader().run(limit, read).await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration, DataError> {
        let model = Arc::clone(model);
        self.transact(move |transaction| catalog::migrate(transaction, &model))
            .await
    }

    /// None: SQLite tells nobody what another process wrote.
    fn changes(&self) -> Option<ForeignChanges> {
        None
    }
}
