//! What is wrong with a message, as its sender is told. Knows nothing of how it is sent.

use http::Method;
use serde_json::error::Category;
use zcomm_core::{Code, Error, Operation};

use super::relaxed::Unreadable;

/// What is wrong with a message, or with the moment it came at.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the message is not UTF-8")]
    NotUtf8,
    #[error("the message is not JSON: {found}")]
    NotJson { found: serde_json::Error },
    #[error("the message has the wrong shape: {found}")]
    WrongShape { found: serde_json::Error },
    #[error("the message must be an object")]
    NotAnObject,
    #[error("the member `{name}` is there twice")]
    MemberTwice { name: &'static str },
    #[error("`{name}` is not a text")]
    NotText { name: &'static str },
    #[error("the message has no `{name}`")]
    Missing { name: &'static str },
    #[error("`{name}` is empty")]
    Empty { name: &'static str },
    #[error("the message has no `event`")]
    NoEvent,
    #[error("the request id is an object or an array")]
    IdNotScalar,
    #[error("the request id is longer than {most} bytes")]
    IdTooLong { most: usize },
    #[error("nothing answers the event `{name}`")]
    NoSuchEvent { name: String },
    #[error("nothing answers the event `{name}`; known here: {}", known.join(", "))]
    UnknownEvent { name: String, known: Vec<String> },
    #[error("`zHorizontal` must be an object or a text")]
    Horizontal,
    #[error("the message names no `model`")]
    NoModel,
    #[error("the message asks to {one} and to {two}")]
    TwoOperations { one: Operation, two: Operation },
    #[error("the message names the models `{one}` and `{two}`")]
    TwoModels { one: String, two: String },
    #[error(
        "the message does not say what to do: use an `action` (create, read, update, delete, upsert) with a `model`, or a `zKey` like `^List users`"
    )]
    NothingMeant,
    #[error(
        "no command is registered as `{key}`{}: use an `action` (create, read, update, delete, upsert) with a `model`, or a `zKey` like `^List users`",
        Registered(known)
    )]
    NoSuchCommand { key: String, known: Vec<String> },
    #[error("no function is registered as `{name}`{}", Registered(known))]
    NoSuchFunction { name: String, known: Vec<String> },
    #[error("no route is registered as `{path}`")]
    NoSuchRoute { path: String },
    #[error("there is no file `{path}`")]
    NoSuchFile { path: String },
    #[error("`{path}` is not below the folder whose files are open")]
    OutsideRoot { path: String },
    #[error("the file is larger than {most} bytes")]
    FileTooLarge { most: usize },
    #[error("no folder is open: see `open_root`")]
    NoRoot,
    #[error("the message holds two commands; send them one by one")]
    TwoCommands,
    #[error("`{name}(` is not closed")]
    Unclosed { name: &'static str },
    #[error("`{name}` needs an argument: put it into `zHorizontal`")]
    NoArgument { name: &'static str },
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("these are not the arguments that it takes: {found}")]
    Arguments { found: serde_json::Error },
    #[error("a handler of the application panicked")]
    Panicked,
    #[error("a client may have {most} subscriptions")]
    TooManySubscriptions { most: usize },
    #[error("there is no such subscription on this connection")]
    NoSubscription,
    #[error("a subscription is either to a `model` or to a `topic`")]
    TwoTargets,
    #[error("the connection has ended")]
    Gone,
    #[error("{most} questions wait for this client already")]
    TooManyQuestions { most: usize },
    #[error("`{name}` stands in the message and in `zHorizontal`; give it once")]
    ArgumentTwice { name: String },
    #[error("`{name}` must be {expected}")]
    BadMember {
        name: &'static str,
        expected: &'static str,
    },
    #[error("too many messages; wait before you send more")]
    TooFast,
    #[error("too many requests of this connection are in flight")]
    Saturated,
    #[error("`{event}` needs a socket: connect to this address by WebSocket")]
    NeedsSocket { event: String },
    #[error("the content type must be application/json")]
    ContentType,
    #[error("the path names the event `{path}`, the body `{body}`")]
    PathAndBodyDiffer { path: String, body: String },
    #[error("there is nothing to {method} at `{path}`; events are posted")]
    NothingThere { method: Method, path: String },
    #[error("this page may not send requests here; see `websocket.allowed_origins`")]
    PageRefused,
    #[error("the identity of this connection changed while the request was under way; ask again")]
    Renewed,
    #[error("a message cannot be a stream")]
    Streamed,
    #[error("the request did not pass `{missing}`")]
    LayerMissing { missing: &'static str },
    #[error("this server keeps no answers")]
    NoCache,
    #[error("the store did a write and said nothing of it")]
    SilentStore,
}

impl Fault {
    /// What a JSON parser met: no JSON at all, or JSON of the wrong shape.
    pub(super) fn of_json(found: serde_json::Error) -> Self {
        match found.classify() {
            Category::Data => Self::WrongShape { found },
            Category::Syntax | Category::Eof | Category::Io => Self::NotJson { found },
        }
    }

    /// The stable code that its sender is told.
    pub(super) fn code(&self) -> Code {
        match self {
            Self::NotUtf8 | Self::NotJson { .. } => Code::InvalidJson,
            Self::NoSuchEvent { .. } | Self::UnknownEvent { .. } => Code::UnknownEvent,
            Self::BadMember { .. } | Self::Unreadable(_) | Self::Arguments { .. } => Code::BadValue,
            Self::TooFast
            | Self::Saturated
            | Self::TooManyQuestions { .. }
            | Self::TooManySubscriptions { .. } => Code::TooManyRequests,
            Self::NothingThere { .. }
            | Self::NoSubscription
            | Self::NoSuchFunction { .. }
            | Self::NoSuchRoute { .. }
            | Self::NoSuchFile { .. } => Code::NotFound,
            Self::FileTooLarge { .. } => Code::TooLarge,
            Self::NoRoot | Self::Gone => Code::Unavailable,
            Self::PageRefused | Self::OutsideRoot { .. } => Code::Forbidden,
            Self::Renewed => Code::Unauthorized,
            Self::Streamed | Self::LayerMissing { .. } | Self::SilentStore | Self::Panicked => {
                Code::Internal
            }
            _ => Code::BadRequest,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault.code(), fault)
    }
}

/// As much of a peer's text as an error repeats.
pub(super) fn brief(text: &str) -> String {
    match text.char_indices().nth(64) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// What an application registered, where it registered anything.
struct Registered<'a>(&'a [String]);

impl std::fmt::Display for Registered<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [] => Ok(()),
            names => write!(f, " (registered: {})", names.join(", ")),
        }
    }
}
