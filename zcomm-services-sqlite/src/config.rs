//! The rows of SQLite in the table of settings, and what they amount to. Opens nothing.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use zcomm_core::Settings;
use zcomm_core::data::StoreAddress;
use zcomm_core::settings::Key;

use crate::Error;

/// The settings of SQLite.
pub const KEYS: &[Key] = &[
    Key::count("sqlite.readers")
        .env("SQLITE_READERS")
        .between(1, 64)
        .doc("Threads that read, each with a connection of its own; without it, one per processor."),
    Key::choice("sqlite.synchronous", &["full", "normal"])
        .env("SQLITE_SYNCHRONOUS")
        .default("full")
        .doc("Whether a write is answered once it is on the disk (full), or may be lost with the power (normal); the file stays whole either way."),
];

/// How a store is opened.
///
/// ```
/// use zcomm_services_sqlite::{Config, Place};
///
/// let mut config = Config::file("/srv/shop/data.db");
/// config.readers = 2;
/// assert_eq!(config.place, Place::File("/srv/shop/data.db".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where the rows are.
    pub place: Place,
    /// How many threads read a file. Default: one per processor, and two at least.
    pub readers: usize,
    /// How many commands wait for a thread before the next one is refused. Default: 1024 for each kind of thread.
    pub queue: usize,
    /// How long a command may take, its waiting included. Default: 10 s.
    pub timeout: Duration,
    /// When a write counts as written. Default: full.
    pub synchronous: Synchronous,
}

/// Where the rows are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory, and gone with the store.
    Memory,
    /// In a file, which is made where there is none.
    File(PathBuf),
}

/// When a write counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Once it is on the disk.
    #[default]
    Full,
    /// Once the system has it; the last writes may be lost with the power, and nothing else is.
    Normal,
}

impl Config {
    /// A store in memory.
    pub fn memory() -> Self {
        Self::at(Place::Memory)
    }

    /// A store in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::at(Place::File(path.into()))
    }

    fn at(place: Place) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        Self {
            place,
            readers: processors.clamp(2, 16),
            queue: 1024,
            timeout: Duration::from_secs(10),
            synchronous: Synchronous::Full,
        }
    }

    /// What an address and the settings say.
    ///
    /// # Errors
    ///
    /// [`Error::NoFile`] where the address names neither a file nor memory.
    pub fn of(address: &StoreAddress<'_>, settings: &Settings) -> Result<Self, Error> {
        let mut config = match address.rest() {
            ":memory:" | "memory:" => Self::memory(),
            "" => return Err(Error::NoFile),
            path => Self::file(address.resolve(path)),
        };
        if let Some(readers) = settings.count("sqlite.readers") {
            config.readers = usize::try_from(readers).unwrap_or(config.readers);
        }
        if let Some(timeout) = settings.duration("query_timeout") {
            config.timeout = timeout;
        }
        if settings.text("sqlite.synchronous") == Some("normal") {
            config.synchronous = Synchronous::Normal;
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::defaults(KEYS.iter().chain(zcomm_core::settings::KEYS))
    }

    #[track_caller]
    fn check(url: &str, place: &Place) {
        let settings = settings();

        let config = Config::of(&StoreAddress::new(url, "/srv".as_ref()), &settings).unwrap();

        assert_eq!(config.place, *place, "{url}");
    }

    #[test]
    fn an_address_names_a_file_or_memory() {
        check("sqlite::memory:", &Place::Memory);
        check("sqlite://:memory:", &Place::Memory);
        check("sqlite://./data.db", &Place::File("/srv/./data.db".into()));
        check("sqlite:data.db", &Place::File("/srv/data.db".into()));
        check("sqlite:///var/data.db", &Place::File("/var/data.db".into()));
    }

    #[test]
    fn an_address_without_a_file_is_refused() {
        let settings = settings();
        for url in ["sqlite", "sqlite:", "sqlite://"] {
            let refused = Config::of(&StoreAddress::new(url, "/srv".as_ref()), &settings);

            assert_eq!(refused.unwrap_err().code(), "no_file", "{url}");
        }
    }
}
