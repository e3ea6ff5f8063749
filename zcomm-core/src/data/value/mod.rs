//! One value of a field, typed: from JSON, to JSON, and compared. Knows nothing of rows.

mod date;
mod decimal;
mod instant;
mod uuid;

use std::borrow::Cow;
use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::kind::Kind;

pub use date::Date;
pub use decimal::Decimal;
pub use instant::Instant;
pub use uuid::Uuid;

/// A value that fits the type of its field, or NULL.
///
/// ```
/// use serde_json::json;
/// use zcomm_core::data::{Kind, Value};
///
/// let price = Value::from_json(Kind::Decimal, &json!("12.50")).unwrap();
/// assert_eq!(price.to_json(), json!("12.5"));
/// assert_eq!(Value::from_json(Kind::Decimal, &json!(12.5)), None);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A [`Kind::Int`].
    Int(i64),
    /// A [`Kind::Float`]; finite.
    Float(f64),
    /// A [`Kind::Decimal`].
    Decimal(Decimal),
    /// A [`Kind::Bool`].
    Bool(bool),
    /// A [`Kind::Text`].
    Text(String),
    /// A [`Kind::DateTime`].
    DateTime(Instant),
    /// A [`Kind::Date`].
    Date(Date),
    /// A [`Kind::Uuid`].
    Uuid(Uuid),
    /// A [`Kind::Json`]; never JSON's null.
    Json(Json),
    /// A [`Kind::Blob`].
    Blob(Vec<u8>),
}

impl Value {
    /// Takes a JSON value as one of this type; `None` where it does not fit.
    ///
    /// JSON types are not converted into each other, except integers for floats, and strings for the types that JSON
    /// does not have.
    pub fn from_json(kind: Kind, json: &Json) -> Option<Self> {
        let text = || json.as_str();
        Some(match kind {
            _ if json.is_null() => Self::Null,
            Kind::Int => Self::Int(json.as_i64()?),
            Kind::Float => Self::float(json.as_f64()?)?,
            Kind::Decimal => Self::Decimal(text()?.parse().ok()?),
            Kind::Bool => Self::Bool(json.as_bool()?),
            Kind::Text => Self::Text(text().filter(|text| !text.contains('\0'))?.to_owned()),
            Kind::DateTime => Self::DateTime(text()?.parse().ok()?),
            Kind::Date => Self::Date(text()?.parse().ok()?),
            Kind::Uuid => Self::Uuid(text()?.parse().ok()?),
            Kind::Json if holds_nul(json) => return None,
            Kind::Json => Self::Json(json.clone()),
            Kind::Blob => Self::Blob(STANDARD.decode(text()?).ok()?),
        })
    }

    /// The value in its canonical JSON form: equal values, equal bytes.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Int(number) => Json::from(*number),
            Self::Float(number) => Json::from(*number),
            Self::Decimal(number) => Json::String(number.as_str().to_owned()),
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Text(text) => Json::String(text.clone()),
            Self::DateTime(instant) => Json::String(instant.to_string()),
            Self::Date(date) => Json::String(date.to_string()),
            Self::Uuid(uuid) => Json::String(uuid.to_string()),
            Self::Json(json) => json.clone(),
            Self::Blob(bytes) => Json::String(STANDARD.encode(bytes)),
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Takes a text, such as a user's name or a default in a file, as a value of this type.
    pub fn from_text(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Int => text.parse().ok().map(Self::Int),
            Kind::Float => Self::float(text.parse().ok()?),
            Kind::Bool => text.parse().ok().map(Self::Bool),
            Kind::Json => None,
            _ => Self::from_json(kind, &Json::String(text.to_owned())),
        }
    }

    /// How a stored cell stands to this value; `None` if either is NULL, or the two cannot be compared.
    pub(super) fn compare_cell(&self, cell: &Json) -> Option<Ordering> {
        let text = || cell.as_str();
        match self {
            Self::Null => None,
            Self::Int(number) => Some(cell.as_i64()?.cmp(number)),
            Self::Float(number) => cell.as_f64()?.partial_cmp(number),
            Self::Decimal(number) => Some(text()?.parse::<Decimal>().ok()?.cmp(number)),
            Self::Bool(flag) => Some(cell.as_bool()?.cmp(flag)),
            // UTF-8 sorts as its code points do, so bytes may be compared.
            Self::Text(other) => Some(text()?.cmp(other)),
            Self::DateTime(instant) => Some(text()?.parse::<Instant>().ok()?.cmp(instant)),
            Self::Date(date) => Some(text()?.parse::<Date>().ok()?.cmp(date)),
            Self::Uuid(uuid) => Some(text()?.parse::<Uuid>().ok()?.cmp(uuid)),
            Self::Json(json) => (json == cell).then_some(Ordering::Equal),
            Self::Blob(bytes) => {
                (STANDARD.decode(text()?).ok()? == *bytes).then_some(Ordering::Equal)
            }
        }
    }

    /// Whether a stored cell is this value; NULL is NULL.
    pub(super) fn is_cell(&self, cell: &Json) -> bool {
        match self {
            Self::Null => cell.is_null(),
            _ => self.compare_cell(cell) == Some(Ordering::Equal),
        }
    }

    /// The order of two values of one type, NULL first.
    pub fn total_cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(two)) => one.cmp(two),
            (Self::Float(one), Self::Float(two)) => one.partial_cmp(two).unwrap_or(Ordering::Equal),
            (Self::Decimal(one), Self::Decimal(two)) => one.cmp(two),
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::DateTime(one), Self::DateTime(two)) => one.cmp(two),
            (Self::Date(one), Self::Date(two)) => one.cmp(two),
            (Self::Uuid(one), Self::Uuid(two)) => one.cmp(two),
            (Self::Blob(one), Self::Blob(two)) => one.cmp(two),
            _ => other.is_null().cmp(&self.is_null()),
        }
    }

    /// A finite number; minus zero becomes zero, which stores do not all keep apart.
    fn float(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Float(number + 0.0))
    }
}

/// Simple lower case, one code point for one, as the `i…` lookups compare.
pub(super) fn lower(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(lower_char).collect())
}

fn lower_char(char: char) -> char {
    // Only U+0130 becomes more than one code point in full lower case; in simple lower case it is `i`.
    char.to_lowercase().next().unwrap_or(char)
}

/// Whether a text within has U+0000, which not every store can keep.
fn holds_nul(json: &Json) -> bool {
    match json {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(holds_nul),
        Json::Object(map) => map
            .iter()
            .any(|(key, value)| key.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "cases read better as literals"
    )]
    fn check(kind: Kind, given: Json, expected: Option<Json>) {
        let value = Value::from_json(kind, &given);

        assert_eq!(
            value.map(|value| value.to_json()),
            expected,
            "{kind} {given}"
        );
    }

    #[test]
    fn json_types_are_not_converted_into_each_other() {
        check(Kind::Int, json!(7), Some(json!(7)));
        check(Kind::Int, json!(7.0), None);
        check(Kind::Int, json!("7"), None);
        check(Kind::Int, json!(u64::MAX), None);
        check(Kind::Float, json!(7), Some(json!(7.0)));
        check(Kind::Float, json!("7"), None);
        check(Kind::Float, json!(-0.0), Some(json!(0.0)));
        check(Kind::Bool, json!(true), Some(json!(true)));
        check(Kind::Bool, json!(1), None);
        check(Kind::Text, json!("a"), Some(json!("a")));
        check(Kind::Text, json!(1), None);
        check(Kind::Decimal, json!(1), None);
    }

    #[test]
    fn strings_stand_for_the_types_that_json_lacks() {
        check(Kind::Decimal, json!("-012.500"), Some(json!("-12.5")));
        check(Kind::Date, json!("2024-02-29"), Some(json!("2024-02-29")));
        check(Kind::Date, json!("2023-02-29"), None);
        check(
            Kind::DateTime,
            json!("2024-01-01T01:30:00.1239+02:00"),
            Some(json!("2023-12-31T23:30:00.123Z")),
        );
        check(
            Kind::Uuid,
            json!("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
            Some(json!("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        );
        check(Kind::Blob, json!("AP8="), Some(json!("AP8=")));
        check(Kind::Blob, json!("A"), None);
    }

    #[test]
    fn nul_is_no_part_of_a_text() {
        check(Kind::Text, json!("a\0b"), None);
        check(Kind::Json, json!({"a": ["\0"]}), None);
        check(Kind::Json, json!({"\0": 1}), None);
    }

    #[test]
    fn lower_case_is_one_code_point_for_one() {
        assert_eq!(lower("ÄΣİK"), "äσik");
        assert_eq!(lower("plain"), "plain");
    }
}
