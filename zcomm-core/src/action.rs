//! What a caller wants to do, as far as a policy has to know it. Carries names, not values.

use std::fmt;

use http::request::Parts;

/// The five things that can be done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Add rows.
    Create,
    /// Look at rows.
    Read,
    /// Change rows.
    Update,
    /// Remove rows.
    Delete,
    /// Add a row, or change the one that is there.
    Upsert,
}

impl Operation {
    /// Every operation, in the order in which the protocol lists them.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Upsert,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Upsert => "upsert",
        }
    }

    /// The operation of that name on the wire.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == text)
    }

    /// Whether rows may be different afterwards.
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Read)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a caller wants to do; an [`AuthPolicy`](crate::AuthPolicy) says whether it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action<'a> {
    /// Send an event that names no rows: `ping`, `discover`, one of the application's own.
    Event(&'a str),
    /// Do something with the rows of a model.
    Data {
        /// The model's name.
        model: &'a str,
        /// What to do with its rows.
        operation: Operation,
    },
    /// Call a function that the application registered.
    Call(&'a str),
    /// Run a command that the application registered under a key.
    Run(&'a str),
    /// Resolve a route.
    Link(&'a str),
    /// Read a file below the configured root.
    Open(&'a str),
    /// Receive what is published on a topic.
    Join(&'a str),
    /// Publish on a topic.
    Publish(&'a str),
}

impl<'a> Action<'a> {
    /// The action of a request that nothing has resolved further: its path names the event.
    pub fn of_path(request: &'a Parts) -> Self {
        Self::Event(request.uri.path().trim_start_matches('/'))
    }
}

impl fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(name) => write!(f, "send `{name}`"),
            Self::Data { model, operation } => write!(f, "{operation} `{model}`"),
            Self::Call(name) => write!(f, "call `{name}`"),
            Self::Run(key) => write!(f, "run `{key}`"),
            Self::Link(path) => write!(f, "follow `{path}`"),
            Self::Open(path) => write!(f, "open `{path}`"),
            Self::Join(topic) => write!(f, "join `{topic}`"),
            Self::Publish(topic) => write!(f, "publish on `{topic}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name() {
        for operation in Operation::ALL {
            assert_eq!(Operation::from_wire(operation.as_str()), Some(operation));
        }
        assert!(Operation::Upsert.is_write() && !Operation::Read.is_write());
    }

    #[test]
    fn actions_read_as_the_end_of_a_sentence() {
        let delete = Action::Data {
            model: "users",
            operation: Operation::Delete,
        };

        assert_eq!(
            format!("eve may not {delete}"),
            "eve may not delete `users`"
        );
    }
}
