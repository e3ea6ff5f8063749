//! What can go wrong before an application's communication is there.

use std::path::PathBuf;

use crate::core::data::SchemaError;
use crate::core::settings::Invalid;
use crate::core::{RegistryError, TokenFileError};
use crate::settings::Unreadable;

/// Why a [`Comm`](crate::Comm) could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Settings that are wrong, all of them at once.
    #[error(transparent)]
    Settings(#[from] Invalid),
    /// A plugin that is there twice.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A part that could not be made or did not answer.
    #[error(transparent)]
    Part(#[from] crate::core::Error),
    /// A file of settings that is there and cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The working directory is gone or closed to us.
    #[error("the working directory cannot be used; name the project's folder")]
    NoProject {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The folder that was named as the project's is none.
    #[error("the project's folder `{}` does not exist", .path.display())]
    ProjectMissing {
        /// What was named.
        path: PathBuf,
    },
    /// A folder or file of schemas that cannot be read.
    #[error("cannot read `{}`", .path.display())]
    UnreadableSchema {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Schemas that are wrong, all of them at once.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A file or folder that could not be written.
    #[error("cannot write {}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Tokens are required, and there are none.
    #[error(
        "`websocket.require_auth` is set, and there is no token: set WEBSOCKET_TOKEN, or make one with `zcomm token new`"
    )]
    NoToken,
    /// Something says whose tokens are believed, and nobody is asked for one.
    #[error(
        "`{key}` is set, and nobody is asked for a token: set `websocket.require_auth` as well"
    )]
    NobodyIsAsked {
        /// The setting.
        key: &'static str,
    },
    /// A policy that cannot be made of its settings.
    #[error("the policy `{name}` cannot be made")]
    Policy {
        /// The plugin's name.
        name: String,
        /// What is wrong with the settings.
        #[source]
        source: Box<crate::core::Error>,
    },
    /// A server that could not be bound with these settings.
    #[cfg(feature = "ws")]
    #[error(transparent)]
    Server(#[from] zcomm_ws::Error),
    /// A token file that is not as it has to be.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    /// Another logger is installed already.
    #[error(
        "a tracing subscriber is installed already; call `Comm::builder().log()` before any other, or leave it out"
    )]
    LogInstalled,
    /// Blocking calls inside an async runtime would block it.
    #[error("`comm.blocking()` was called inside an async runtime; use the async calls there")]
    InsideRuntime,
    /// The system gave no threads for a runtime.
    #[error("cannot start a runtime")]
    Runtime {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings(_) => "invalid_settings",
            Self::Registry(error) => error.code(),
            Self::Part(error) => error.code().as_str(),
            Self::Unreadable(error) => error.code(),
            Self::NoProject { .. } => "no_project",
            Self::ProjectMissing { .. } => "project_missing",
            Self::UnreadableSchema { .. } => "unreadable_schema",
            Self::Schema(_) => "invalid_schema",
            Self::Unwritable { .. } => "unwritable_file",
            Self::NoToken => "no_token",
            Self::NobodyIsAsked { .. } => "nobody_is_asked",
            Self::Policy { .. } => "policy_settings",
            #[cfg(feature = "ws")]
            Self::Server(error) => error.code(),
            Self::TokenFile(error) => error.code(),
            Self::LogInstalled => "log_installed",
            Self::InsideRuntime => "inside_runtime",
            Self::Runtime { .. } => "no_runtime",
        }
    }

    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Part(error) if error.is_retryable())
    }
}
