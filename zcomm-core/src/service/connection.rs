//! What a client needs to connect to a service, with its secrets masked.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{Endpoint, Program, ServiceState};
use crate::secret::Secret;

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tls {
    /// It is not.
    Off,
    /// It must be.
    Required,
}

/// What a client needs to connect; of a stopped service, where it would be.
///
/// `Debug` masks the password wherever it stands.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConnectionInfo {
    /// What the service does.
    pub status: ServiceState,
    /// Where it listens, and as whom to ask it.
    pub endpoint: Endpoint,
    /// Whether the way is encrypted.
    pub tls: Tls,
    /// One text that holds all of it, password included.
    pub connection_string: Secret,
    /// The variables that tools expect, as `DATABASE_URL`.
    pub variables: Vec<(&'static str, Secret)>,
    /// The program that a person talks to it with.
    pub client: Option<ClientRecipe>,
}

impl ConnectionInfo {
    /// A plain connection without variables.
    pub fn new(
        status: ServiceState,
        endpoint: Endpoint,
        connection_string: impl Into<Secret>,
    ) -> Self {
        Self {
            status,
            endpoint,
            tls: Tls::Off,
            connection_string: connection_string.into(),
            variables: Vec::new(),
            client: None,
        }
    }

    /// The same with the program that a person talks to it with.
    #[must_use]
    pub fn with_client(mut self, client: ClientRecipe) -> Self {
        self.client = Some(client);
        self
    }

    /// The same with a variable that tools expect.
    #[must_use]
    pub fn with_variable(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.variables.push((name, value.into()));
        self
    }
}

/// How the service's own client is run: `psql`, `redis-cli`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClientRecipe {
    /// The client.
    pub program: Program,
    /// Its arguments; they stand in the table of processes and hold no secret.
    pub args: Vec<String>,
    /// Variables for it.
    pub env: Vec<(&'static str, Secret)>,
}

impl ClientRecipe {
    /// A client that needs no arguments.
    pub fn new(program: Program) -> Self {
        Self {
            program,
            args: Vec::new(),
            env: Vec::new(),
        }
    }

    /// The same with these arguments appended.
    #[must_use]
    pub fn args<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// The same with a variable.
    #[must_use]
    pub fn env(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.env.push((name, value.into()));
        self
    }
}

impl fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionInfo")
            .field("status", &self.status)
            .field("endpoint", &self.endpoint)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Writes what is not secret: neither the password nor the texts that hold it.
impl Serialize for ConnectionInfo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("ConnectionInfo", 6)?;
        fields.serialize_field("status", &self.status)?;
        fields.serialize_field("host", &self.endpoint.host)?;
        fields.serialize_field("port", &self.endpoint.port)?;
        fields.serialize_field("user", &self.endpoint.user)?;
        fields.serialize_field("database", &self.endpoint.database)?;
        fields.serialize_field("tls", &(self.tls == Tls::Required))?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_json_shows_the_password() {
        let endpoint = Endpoint::local(6379).with_password("hunter2");
        let info = ConnectionInfo::new(
            ServiceState::Running,
            endpoint,
            "redis://:hunter2@127.0.0.1:6379",
        )
        .with_variable("REDIS_URL", "redis://:hunter2@127.0.0.1:6379");

        let json = serde_json::to_string(&info).unwrap();

        assert_eq!(
            json,
            r#"{"status":"running","host":"127.0.0.1","port":6379,"user":null,"database":null,"tls":false}"#
        );
        assert!(!format!("{info:?}").contains("hunter2"));
    }
}
