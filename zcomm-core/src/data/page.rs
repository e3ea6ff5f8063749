//! Which part of the rows is wanted: how many, from where. Cursors are opened elsewhere.

use serde_json::Value as Json;

use super::Result;
use super::error::DataError;

/// Which part of the rows is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The most rows, if the caller said.
    pub limit: Option<u64>,
    /// Where to start.
    pub start: Start,
}

/// Where a page starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// After so many rows.
    Offset(u64),
    /// Where the cursor says, still sealed.
    Cursor(String),
}

impl Default for Start {
    fn default() -> Self {
        Self::Offset(0)
    }
}

impl Page {
    /// Reads `limit`, `offset` and `after`, any of which may be absent.
    pub(super) fn parse(
        limit: Option<&Json>,
        offset: Option<&Json>,
        after: Option<&Json>,
    ) -> Result<Self> {
        let limit = limit.map(|json| count(json, "limit")).transpose()?;
        let start = match (offset, after) {
            (Some(_), Some(after)) => {
                return Err(DataError::bad_value(
                    "after",
                    "given without `offset`",
                    after,
                ));
            }
            (Some(offset), None) => Start::Offset(count(offset, "offset")?),
            (None, Some(Json::String(cursor))) => Start::Cursor(cursor.clone()),
            (None, Some(other)) => {
                return Err(DataError::bad_value(
                    "after",
                    "the `_next` of an earlier answer",
                    other,
                ));
            }
            (None, None) => Start::default(),
        };
        Ok(Self { limit, start })
    }
}

/// A count that also fits the signed numbers of SQL.
fn count(json: &Json, at: &str) -> Result<u64> {
    json.as_i64()
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| DataError::bad_value(at, "a whole number, zero or more", json))
}
