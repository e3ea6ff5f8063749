//! What a server replied to one request.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use zcomm_core::Code;

use super::ClientError;

/// A server's reply: the whole object, without the id that led it here.
#[derive(Clone, Debug)]
pub struct Reply {
    bytes: Bytes,
    status: StatusCode,
}

impl Reply {
    pub(super) fn new(bytes: Bytes, code: Option<&str>) -> Self {
        let status = match code {
            None => StatusCode::OK,
            Some(code) => {
                Code::from_wire(code).map_or(StatusCode::INTERNAL_SERVER_ERROR, Code::status)
            }
        };
        Self { bytes, status }
    }

    /// The status that the same reply has over HTTP: 200, or that of its code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Whether the server did what it was asked.
    pub fn is_ok(&self) -> bool {
        self.status == StatusCode::OK
    }

    /// The object as JSON.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The object as JSON, given up.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The whole object, read as a type of your own.
    ///
    /// # Errors
    ///
    /// [`ClientError::Reply`] if it is of another form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.bytes).map_err(unreadable)
    }

    /// What the server answered: the member `result`, or the whole object where there is none.
    ///
    /// # Errors
    ///
    /// [`ClientError::Answered`] if it refused or failed, [`ClientError::Reply`] if the result is of another form.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        if !self.is_ok() {
            return Err(self.failure());
        }
        let members: ResultOnly<'_> = serde_json::from_slice(&self.bytes).map_err(unreadable)?;
        match members.result {
            Some(result) => serde_json::from_str(result.get()).map_err(unreadable),
            None => self.json(),
        }
    }

    fn failure(&self) -> ClientError {
        match self.json::<Failure>() {
            Ok(Failure {
                error,
                code,
                details,
            }) => ClientError::Answered {
                code,
                error,
                details,
            },
            Err(error) => error,
        }
    }
}

#[derive(Deserialize)]
struct ResultOnly<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
    #[serde(default)]
    code: String,
    details: Option<Value>,
}

fn unreadable(source: serde_json::Error) -> ClientError {
    ClientError::Reply {
        source: Arc::new(source),
    }
}
