//! One column of one row: from SQLite to JSON and from a value to a parameter. Knows no rows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use serde_json::Value as Json;
use zcomm_core::data::{Kind, Value};

/// What integers JavaScript's numbers hold, and all below it.
const LARGEST_SAFE: u64 = 1 << 53;

/// A value as it is bound.
pub(crate) fn parameter(value: &Value) -> ToSqlOutput<'_> {
    let text = |text: String| ToSqlOutput::Owned(Owned::Text(text));
    match value {
        Value::Int(number) => ToSqlOutput::Owned(Owned::Integer(*number)),
        Value::Float(number) => ToSqlOutput::Owned(Owned::Real(*number)),
        Value::Bool(flag) => ToSqlOutput::Owned(Owned::Integer(i64::from(*flag))),
        Value::Decimal(number) => ToSqlOutput::Borrowed(ValueRef::Text(number.as_str().as_bytes())),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        Value::DateTime(instant) => text(instant.to_string()),
        Value::Date(date) => text(date.to_string()),
        Value::Uuid(uuid) => text(uuid.to_string()),
        Value::Json(json) => text(json.to_string()),
        _ => ToSqlOutput::Owned(Owned::Null),
    }
}

/// Writes a cell as JSON, as the reference would; what is not of the field's type, since somebody else wrote it, as
/// what it is.
pub(crate) fn write(out: &mut Vec<u8>, kind: Kind, cell: ValueRef<'_>, big_ints_as_text: bool) {
    match (kind, cell) {
        (_, ValueRef::Null) => out.extend_from_slice(b"null"),
        (Kind::Bool, ValueRef::Integer(flag @ 0..=1)) => {
            out.extend_from_slice(if flag == 1 { b"true" } else { b"false" });
        }
        (Kind::Int, ValueRef::Integer(number))
            if big_ints_as_text && number.unsigned_abs() > LARGEST_SAFE =>
        {
            json(out, &number.to_string());
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "SQLite keeps whole floats as integers where that is exact"
        )]
        (Kind::Float, ValueRef::Integer(number)) => json(out, &(number as f64)),
        (_, ValueRef::Integer(number)) => json(out, &number),
        (_, ValueRef::Real(number)) => json(out, &number),
        (Kind::Json, ValueRef::Text(text)) if is_json(text) => out.extend_from_slice(text),
        (_, ValueRef::Text(text)) => json(out, &String::from_utf8_lossy(text)),
        (_, ValueRef::Blob(bytes)) => json(out, &STANDARD.encode(bytes)),
    }
}

/// The same as a value of JSON.
pub(crate) fn read(kind: Kind, cell: ValueRef<'_>) -> Json {
    match (kind, cell) {
        (_, ValueRef::Null) => Json::Null,
        (Kind::Bool, ValueRef::Integer(flag @ 0..=1)) => Json::Bool(flag == 1),
        #[expect(
            clippy::cast_precision_loss,
            reason = "SQLite keeps whole floats as integers where that is exact"
        )]
        (Kind::Float, ValueRef::Integer(number)) => Json::from(number as f64),
        (_, ValueRef::Integer(number)) => Json::from(number),
        (_, ValueRef::Real(number)) => Json::from(number),
        (Kind::Json, ValueRef::Text(text)) => {
            serde_json::from_slice(text).unwrap_or_else(|_| lossy(text))
        }
        (_, ValueRef::Text(text)) => lossy(text),
        (_, ValueRef::Blob(bytes)) => Json::String(STANDARD.encode(bytes)),
    }
}

fn lossy(text: &[u8]) -> Json {
    Json::String(String::from_utf8_lossy(text).into_owned())
}

/// Anybody may have written to the file, and what is not JSON would break the reply that it stands in.
fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

fn json(out: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(out, value).expect("memory takes whatever is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, cell: ValueRef<'_>, expected: &str) {
        let mut out = Vec::new();
        write(&mut out, kind, cell, false);

        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(read(kind, cell).to_string(), expected);
    }

    #[test]
    fn cells_are_written_as_the_reference_writes_values() {
        check(Kind::Bool, ValueRef::Integer(1), "true");
        check(Kind::Float, ValueRef::Integer(7), "7.0");
        check(Kind::Float, ValueRef::Real(0.1), "0.1");
        check(Kind::Text, ValueRef::Text(b"a\"\n"), r#""a\"\n""#);
        check(
            Kind::Json,
            ValueRef::Text(b"{\"b\":1,\"a\":2}"),
            r#"{"b":1,"a":2}"#,
        );
        check(Kind::Blob, ValueRef::Blob(&[0, 255]), "\"AP8=\"");
    }

    #[test]
    fn what_somebody_else_wrote_breaks_no_reply() {
        check(
            Kind::Json,
            ValueRef::Text(b"}, \"a\": 1"),
            r#""}, \"a\": 1""#,
        );
        check(Kind::Text, ValueRef::Text(b"\xff"), "\"\u{fffd}\"");
        check(Kind::Bool, ValueRef::Integer(7), "7");
        check(Kind::Float, ValueRef::Real(f64::INFINITY), "null");
    }

    #[test]
    fn large_integers_are_texts_where_that_is_asked_for() {
        let mut out = Vec::new();
        for number in [1 << 53, (1 << 53) + 1] {
            write(&mut out, Kind::Int, ValueRef::Integer(number), true);
        }

        assert_eq!(out, b"9007199254740992\"9007199254740993\"");
    }
}
