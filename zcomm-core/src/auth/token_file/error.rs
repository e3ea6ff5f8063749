//! What can be wrong with a token file, in words that say what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a token file was not read or not written. Says nothing of what stands in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// The system would not do it.
    #[error("could not {doing} `{}`", path.display())]
    Io {
        /// What was to be done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// There is a folder or a pipe in the file's place.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// Which one.
        path: PathBuf,
    },
    /// The file's mode allows more than its owner to read and write it.
    #[error(
        "`{path}` has mode {mode:04o}, and must be for its owner alone; run `chmod 600 {path}`",
        path = path.display()
    )]
    NotPrivate {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is somebody else's, who could let anybody in.
    #[error(
        "`{path}` belongs to the user with the number {owner}, and this program runs as {runs_as}; \
         run it as the owner, or `chown {runs_as} {path}`",
        path = path.display()
    )]
    NotOurs {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this program.
        runs_as: u32,
    },
    /// The file is larger than any list of tokens.
    #[error("`{}` is larger than {limit} bytes", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// The file is not JSON.
    #[error("`{}`, line {line}, column {column}: not valid JSON", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where, from 1 on.
        line: usize,
        /// Where in the line, from 1 on.
        column: usize,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The file is JSON that means nothing here.
    #[error("`{}`: `{field}` must be {expected}", path.display())]
    Field {
        /// Which file.
        path: PathBuf,
        /// Which value, as a path: `tokens[2].expires`.
        field: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// No token has this name.
    #[error("no token in `{}` has the id `{id}`", path.display())]
    UnknownId {
        /// Which file.
        path: PathBuf,
        /// The name that was looked for.
        id: String,
    },
    /// Another program is changing the file and does not come to an end.
    #[error("another program holds `{}` for more than {} s", path.display(), waited.as_secs())]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The system has no randomness to make a token of.
    #[error("the system gives no random bytes")]
    Random {
        /// What the system said.
        #[source]
        source: getrandom::Error,
    },
}

impl TokenFileError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "token_file_io",
            Self::NotAFile { .. } => "token_file_not_a_file",
            Self::NotPrivate { .. } => "token_file_not_private",
            Self::NotOurs { .. } => "token_file_not_ours",
            Self::TooLarge { .. } => "token_file_too_large",
            Self::Syntax { .. } => "token_file_syntax",
            Self::Field { .. } => "token_file_field",
            Self::UnknownId { .. } => "unknown_token_id",
            Self::Locked { .. } => "token_file_locked",
            Self::Random { .. } => "no_randomness",
        }
    }

    /// Whether the same may succeed later, with the file as it is.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Locked { .. })
    }
}
