//! One connection: how it is opened, and the deadline that its statements end at. Knows no models.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{CachedStatement, Connection, OpenFlags};
use zcomm_core::data::sql::{DECIMAL, LOWER, Statement, compare_decimals, simple_lower};

use crate::cell;
use crate::config::{Config, Place, Synchronous};
use crate::error::Error;

/// How many statements a connection keeps prepared.
const PREPARED: usize = 128;
/// After how many steps of SQLite's machine the deadline is looked at: some microseconds.
const STEPS: i32 = 200;

/// A connection, and what ends its statements.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    watch: Arc<Watch>,
}

/// When the present command has to end.
#[derive(Debug, Default)]
struct Watch {
    command: Mutex<Option<(Instant, Arc<AtomicBool>)>>,
}

impl Watch {
    fn is_over(&self) -> bool {
        let command = self.command.lock().unwrap_or_else(PoisonError::into_inner);
        command.as_ref().is_some_and(|(deadline, abandoned)| {
            abandoned.load(Ordering::Relaxed) || Instant::now() >= *deadline
        })
    }
}

impl Session {
    /// The connection that writes; it makes the file where there is none.
    pub(crate) fn writer(config: &Config) -> Result<Self, Error> {
        let session = Self::open(config)?;
        if let Place::File(path) = &config.place {
            session.set_up(config).map_err(|source| Error::Open {
                path: path.clone(),
                source,
            })?;
            let encoding: String =
                session
                    .connection
                    .pragma_query_value(None, "encoding", |row| row.get(0))?;
            if encoding != "UTF-8" {
                let path = path.clone();
                return Err(Error::Encoding { path, encoding });
            }
        }
        Ok(session)
    }

    /// A connection that reads.
    pub(crate) fn reader(config: &Config) -> Result<Self, Error> {
        let session = Self::open(config)?;
        session.connection.pragma_update(None, "query_only", true)?;
        Ok(session)
    }

    fn open(config: &Config) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = match &config.place {
            Place::Memory => Connection::open_in_memory_with_flags(flags)?,
            Place::File(path) => {
                make_folder(path)?;
                make_file(path)?;
                let opened = Connection::open_with_flags(literal(path), flags);
                opened.map_err(|source| Error::Open {
                    path: path.clone(),
                    source,
                })?
            }
        };
        connection.set_prepared_statement_cache_capacity(PREPARED);
        connection.busy_timeout(config.timeout)?;
        // Or a column that the table lacks would be a text, and a condition on it true of every row or of none.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        // A schema that somebody put into the file must not call what we register here.
        connection.pragma_update(None, "trusted_schema", false)?;
        register(&connection)?;
        let watch = Arc::new(Watch::default());
        let seen = Arc::clone(&watch);
        connection.progress_handler(STEPS, Some(move || seen.is_over()))?;
        Ok(Self { connection, watch })
    }

    fn set_up(&self, config: &Config) -> rusqlite::Result<()> {
        let synchronous = match config.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        self.connection
            .pragma_update(None, "synchronous", synchronous)?;
        // The answer is the mode that there is now; where the file system has no shared memory, it is the old one.
        let mode: String =
            self.connection
                .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if !mode.eq_ignore_ascii_case("wal") {
            tracing::warn!(
                mode,
                "the database cannot be in WAL mode: reads wait for writes"
            );
        }
        Ok(())
    }

    /// Begins a command, which ends at the deadline, or once nobody waits for it.
    pub(crate) fn begin(&self, deadline: Instant, abandoned: Arc<AtomicBool>) -> Result<(), Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.connection
            .busy_timeout(left.max(Duration::from_millis(1)))?;
        self.set(Some((deadline, abandoned)));
        Ok(())
    }

    /// Ends the command: what comes now, such as undoing it, is not interrupted.
    pub(crate) fn end(&self) {
        self.set(None);
    }

    /// Whether the command's time is up, or nobody waits for it.
    pub(crate) fn is_over(&self) -> bool {
        self.watch.is_over()
    }

    fn set(&self, command: Option<(Instant, Arc<AtomicBool>)>) {
        *self
            .watch
            .command
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = command;
    }

    /// A statement with its values bound.
    pub(crate) fn bind(&self, statement: &Statement) -> rusqlite::Result<CachedStatement<'_>> {
        let mut prepared = self.connection.prepare_cached(&statement.text)?;
        for (place, value) in (1..).zip(&statement.values) {
            prepared.raw_bind_parameter::<usize, _>(place, cell::parameter(value))?;
        }
        Ok(prepared)
    }

    /// Runs a statement for what it does; the number of rows that it touched.
    pub(crate) fn run(&self, statement: &Statement) -> rusqlite::Result<usize> {
        self.bind(statement)?.raw_execute()
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The same, with somebody who allows or denies what statements do.
    #[cfg(test)]
    pub(crate) fn asking(
        mut self,
        whom: impl FnMut(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization
        + Send
        + 'static,
    ) -> Self {
        let asked = self.connection.authorizer(Some(whom));
        asked.expect("a new connection takes an authorizer");
        self
    }
}

/// What the statements of the core count on.
fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(LOWER, 1, flags, |context| {
        let text = context.get_raw(0).as_str_or_null()?;
        Ok(text.map(|text| simple_lower(text).into_owned()))
    })?;
    connection.create_collation(DECIMAL, compare_decimals)
}

/// Data are for their owner: a file that has to be made is made so, before anything is in it.
///
/// SQLite gives the files that it puts beside it the same rights.
fn make_file(path: &Path) -> Result<(), Error> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => Err(Error::Create {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}

/// A path that SQLite does not take for a URI or for a name of its own, such as `:memory:`.
fn literal(path: &Path) -> PathBuf {
    match path.is_relative() {
        true => Path::new(".").join(path),
        false => path.to_owned(),
    }
}

/// Data are for their owner: a folder that has to be made is made so.
fn make_folder(path: &Path) -> Result<(), Error> {
    let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(());
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| Error::Folder {
        path: path.to_owned(),
        source,
    })
}
