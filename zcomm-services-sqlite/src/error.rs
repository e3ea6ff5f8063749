//! What SQLite can meet, and what callers are told of it. Never carries a row's values.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ffi;
use rusqlite::{Error as Driver, ErrorCode};
use zcomm_core::Code;
use zcomm_core::data::{DataError, Given, Model};

/// What kept SQLite from opening or answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address names no file.
    #[error("the address names no file; write `sqlite://./data.db`, or `sqlite::memory:`")]
    NoFile,
    /// The folder of the file cannot be made.
    #[error("cannot make the folder of {}", path.display())]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not there and cannot be made.
    #[error("cannot make the database {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file cannot be opened, or is none of SQLite's.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The texts of the file are not in UTF-8, so they would not sort by code point.
    #[error("the database {} keeps texts in {encoding}; only UTF-8 sorts by code point", path.display())]
    Encoding {
        /// The file.
        path: PathBuf,
        /// What it has.
        encoding: String,
    },
    /// The system gave no thread.
    #[error("cannot start a thread")]
    Thread {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// SQLite refused a statement or failed.
    #[error("SQLite failed")]
    Driver(#[from] rusqlite::Error),
    /// Every connection was busy, and as many commands as may wait were waiting.
    #[error("{waiting} commands are waiting already")]
    QueueFull {
        /// How many may wait.
        waiting: usize,
    },
    /// The thread that had the command ended without an answer.
    #[error("the thread that had the command ended without an answer")]
    Lost,
    /// A table that no model describes.
    #[error("the table `{table}` is there, and it has not exactly one column as its primary key")]
    NotAModel {
        /// The table.
        table: String,
    },
    /// A model describes a column that its table has not.
    #[error("the table has no column `{column}`, which its model describes")]
    NoColumn {
        /// The column.
        column: String,
    },
}

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoFile => "no_file",
            Self::Folder { .. } => "no_folder",
            Self::Create { .. } => "cannot_create",
            Self::Open { .. } => "cannot_open",
            Self::Encoding { .. } => "encoding",
            Self::Thread { .. } => "no_thread",
            Self::Driver(_) => "sqlite",
            Self::QueueFull { .. } => "queue_full",
            Self::Lost => "lost",
            Self::NotAModel { .. } => "not_a_model",
            Self::NoColumn { .. } => "no_column",
        }
    }

    /// Whether the same may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Driver(error) => is_passing(error),
            Self::QueueFull { .. } | Self::Thread { .. } => true,
            _ => false,
        }
    }

    fn of(error: Driver) -> Self {
        match missing_column(&error) {
            Some(column) => Self::NoColumn { column },
            None => Self::Driver(error),
        }
    }

    /// What callers of the store are told. Until a commit is tried, whatever fails is rolled back.
    pub(crate) fn into_data(self, model: Option<&Model>, limit: Duration) -> DataError {
        let rolled_back = !matches!(self, Self::Lost);
        match self {
            Self::Driver(error) => match driver(&error, model, limit) {
                Some(known) => known,
                None => failed(Self::of(error), rolled_back),
            },
            other => failed(other, rolled_back),
        }
    }
}

fn failed(error: Error, rolled_back: bool) -> DataError {
    let (store, passing) = ("sqlite", error.is_retryable());
    let source = error.into();
    match passing {
        true => DataError::Unavailable {
            store,
            rolled_back,
            source,
        },
        false => DataError::Store {
            store,
            rolled_back,
            source,
        },
    }
}

/// What a driver's error says about the command, if it is the command's.
fn driver(error: &Driver, model: Option<&Model>, limit: Duration) -> Option<DataError> {
    let name = || model.map_or_else(String::new, |model| model.name().to_owned());
    const NO_TABLE: &str = "no such table";
    match error {
        Driver::SqliteFailure(_, Some(message)) if message.starts_with(NO_TABLE) => {
            Some(DataError::UnknownModel { name: name() })
        }
        Driver::SqliteFailure(failure, message) => match failure.code {
            ErrorCode::OperationInterrupted => Some(DataError::Timeout { limit }),
            ErrorCode::ConstraintViolation => {
                let message = message.as_deref().unwrap_or_default();
                Some(constraint(failure.extended_code, message, name()))
            }
            _ => None,
        },
        Driver::SqlInputError { msg, .. } if msg.starts_with(NO_TABLE) => {
            Some(DataError::UnknownModel { name: name() })
        }
        _ => None,
    }
}

/// `no such column: "email"` where a condition names it, `table users has no column named email` where a row does.
fn missing_column(error: &Driver) -> Option<String> {
    let (Driver::SqlInputError { msg, .. } | Driver::SqliteFailure(_, Some(msg))) = error else {
        return None;
    };
    let rest = msg.strip_prefix("no such column: ");
    let column = rest.or_else(|| Some(msg.split_once(" has no column named ")?.1))?;
    let named = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let column = column.trim_start_matches('"').chars().take_while(named);
    Some(column.collect())
}

/// `UNIQUE constraint failed: users.email, users.team` names the columns, and no values.
fn constraint(code: i32, message: &str, model: String) -> DataError {
    let columns = message.split_once(": ").map_or("", |(_, columns)| columns);
    let columns = columns.split(", ").map(|column| {
        let name = column.rsplit_once('.').map_or(column, |(_, name)| name);
        name.to_owned()
    });
    let fields: Vec<String> = columns.collect();
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => DataError::Conflict { model, fields },
        ffi::SQLITE_CONSTRAINT_NOTNULL => DataError::BadValue {
            at: format!("data.{}", fields.join(", ")),
            expected: "given".to_owned(),
            given: Given::Null,
        },
        _ => DataError::BadValue {
            at: "data".to_owned(),
            expected: format!("what the table `{model}` takes by its own constraints"),
            given: Given::Object(fields.len()),
        },
    }
}

fn is_passing(error: &Driver) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
        )
    )
}

impl From<Error> for zcomm_core::Error {
    fn from(error: Error) -> Self {
        Self::other(Code::Unavailable, error)
    }
}
