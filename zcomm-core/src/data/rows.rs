//! The answer to a read, as JSON bytes. Nobody parses it again on its way out.

use bytes::Bytes;

use super::Row;
use super::kind::Kind;
use super::model::Model;
use super::query::BigInts;

/// The largest integer that JavaScript's numbers hold, and all below it.
const LARGEST_SAFE: u64 = 1 << 53;

/// The answer to a read.
///
/// ```
/// use zcomm_core::data::Rows;
///
/// let rows = Rows::new(&br#"[{"id":1}]"#[..], 1, None);
/// assert_eq!(&rows.one()[..], br#"{"id":1}"#);
/// assert!(!rows.has_more());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rows {
    /// A JSON array of objects.
    pub json: Bytes,
    /// How many there are.
    pub count: usize,
    /// The cursor that continues, if rows were left off.
    pub next: Option<String>,
}

impl Rows {
    /// An array that a store has serialized.
    pub fn new(json: impl Into<Bytes>, count: usize, next: Option<String>) -> Self {
        Self {
            json: json.into(),
            count,
            next,
        }
    }

    /// Serializes rows.
    pub fn of(rows: &[Row], next: Option<String>) -> Self {
        let json = serde_json::to_vec(rows).expect("rows are JSON already");
        Self::new(json, rows.len(), next)
    }

    /// Whether rows were left off.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// The one row, or null, where one was asked for.
    pub fn one(&self) -> Bytes {
        match self.count {
            0 => Bytes::from_static(b"null"),
            _ => self.json.slice(1..self.json.len() - 1),
        }
    }
}

impl BigInts {
    /// Writes the large integers of a row in this form.
    pub fn write(self, model: &Model, row: &mut Row) {
        if self == Self::Number {
            return;
        }
        for (name, cell) in row {
            let number = cell
                .as_i64()
                .filter(|number| number.unsigned_abs() > LARGEST_SAFE);
            let is_int = model
                .field(name)
                .is_some_and(|field| field.kind == Kind::Int);
            if let Some(number) = number.filter(|_| is_int) {
                *cell = number.to_string().into();
            }
        }
    }
}
