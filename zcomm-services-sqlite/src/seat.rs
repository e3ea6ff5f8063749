//! The connection of one thread, which is left outside of any transaction after each job. Knows no jobs.

use crate::config::{Config, Place};
use crate::error::Error;
use crate::session::Session;

/// Opens a connection: one that writes, or one that reads.
type Open = fn(&Config) -> Result<Session, Error>;

/// Where a thread has its connection, and gets another one should it be of no use any more.
#[derive(Debug)]
pub(crate) struct Seat {
    session: Option<Session>,
    config: Config,
    open: Open,
}

impl Seat {
    /// A seat with its first connection.
    pub(crate) fn open(config: &Config, open: Open) -> Result<Self, Error> {
        Ok(Self {
            session: Some(open(config)?),
            config: config.clone(),
            open,
        })
    }

    /// The connection; another one where the last was given up.
    pub(crate) fn session(&mut self) -> Result<&Session, Error> {
        let session = match self.session.take() {
            Some(session) => session,
            None => (self.open)(&self.config)?,
        };
        Ok(self.session.insert(session))
    }

    /// Ends what a job left behind: its deadline, and a transaction that it neither committed nor rolled back.
    ///
    /// Within that, no later write could begin, and no other process could write.
    pub(crate) fn settle(&mut self) {
        let Some(session) = &self.session else { return };
        session.end();
        if session.connection().is_autocommit() {
            return;
        }
        let rolled_back = session.connection().execute_batch("ROLLBACK");
        match (rolled_back, &self.config.place) {
            (Ok(()), _) => tracing::warn!("a command left its transaction open; it is rolled back"),
            // Closing is what rolls back then.
            (Err(error), Place::File(_)) => {
                tracing::error!(%error, "a transaction cannot be rolled back; its connection is closed");
                self.session = None;
            }
            // Memory is gone with its connection, so this is tried again after the next job.
            (Err(error), Place::Memory) => {
                tracing::error!(%error, "a transaction cannot be rolled back");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

    use super::*;

    const LEFT_OPEN: &str = "BEGIN IMMEDIATE; INSERT INTO things VALUES (1)";

    /// A table, and a transaction in it that nobody ended.
    fn left_open(seat: &mut Seat) {
        let connection = seat.session().unwrap().connection();
        connection
            .execute_batch("CREATE TABLE things (id INTEGER)")
            .unwrap();
        connection.execute_batch(LEFT_OPEN).unwrap();
    }

    #[track_caller]
    fn check_that_nothing_is_left(seat: &mut Seat) {
        let connection = seat.session().unwrap().connection();
        assert!(connection.is_autocommit());
        let count = "SELECT count(*) FROM things";
        let count = connection.query_row(count, [], |row| row.get::<_, i64>(0));
        assert_eq!(count, Ok(0));
        connection.execute_batch(LEFT_OPEN).unwrap();
    }

    #[test]
    fn a_transaction_that_is_left_open_is_rolled_back() {
        let mut seat = Seat::open(&Config::memory(), Session::writer).unwrap();
        left_open(&mut seat);

        seat.settle();

        check_that_nothing_is_left(&mut seat);
    }

    #[test]
    fn a_connection_that_cannot_roll_back_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::file(folder.path().join("data.db"));
        let mut seat = Seat::open(&config, Session::writer).unwrap();
        let refuse = |context: AuthContext<'_>| match context.action {
            AuthAction::Transaction {
                operation: TransactionOperation::Rollback,
            } => Authorization::Deny,
            _ => Authorization::Allow,
        };
        seat.session = seat.session.map(|session| session.asking(refuse));
        left_open(&mut seat);

        seat.settle();

        check_that_nothing_is_left(&mut seat);
    }
}
