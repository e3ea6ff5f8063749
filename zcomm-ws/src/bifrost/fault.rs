//! What is wrong with a message, as its sender is told. Knows nothing of how it is sent.

use std::fmt;

use serde_json::error::Category;
use zcomm_core::{Code, Error};

/// What is wrong with a message, and the code that stands for it.
#[derive(Debug)]
pub struct Fault {
    /// The stable code.
    pub code: Code,
    message: String,
}

impl Fault {
    /// A fault with the sentence that its sender reads.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A message of the wrong shape.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, message)
    }

    /// What a JSON parser met: no JSON at all, or JSON of the wrong shape.
    pub(super) fn of_json(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::bad_request(format!("the message must be an object: {error}")),
            Category::Syntax | Category::Eof | Category::Io => Self::new(
                Code::InvalidJson,
                format!("the message is not JSON: {error}"),
            ),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault.code, fault)
    }
}
