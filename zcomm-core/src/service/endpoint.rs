//! Where a service listens, and as whom it is asked.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// Where a service listens, and as whom to ask it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoint {
    /// A name or address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The folder of the Unix socket, where there is one that is to be preferred.
    pub socket_dir: Option<PathBuf>,
    /// The user, where the service has users.
    pub user: Option<String>,
    /// The password, where one is needed.
    pub password: Option<Secret>,
    /// The database, where the service has several.
    pub database: Option<String>,
    /// How long one probe may take.
    pub limit: Duration,
}

impl Endpoint {
    /// A place on this machine, asked as nobody, with a second's patience.
    pub fn local(port: u16) -> Self {
        Self::new("127.0.0.1", port)
    }

    /// A place, asked as nobody, with a second's patience.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            socket_dir: None,
            user: None,
            password: None,
            database: None,
            limit: Duration::from_secs(1),
        }
    }

    /// The same place, asked as a user with a password.
    #[must_use]
    pub fn as_user(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.user = Some(user.into());
        self.password = Some(password.into());
        self
    }

    /// The same place with a password that needs no user.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The same place and a database there.
    #[must_use]
    pub fn with_database(mut self, database: impl Into<String>) -> Self {
        self.database = Some(database.into());
        self
    }

    /// The same place with another patience.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An IPv6 address has colons of its own.
        if self.host.contains(':') {
            return write!(f, "[{}]:{}", self.host, self.port);
        }
        write!(f, "{}:{}", self.host, self.port)
    }
}
