//! JSON that is read only one way: no member twice, no deeper than is sensible. Knows nothing of events.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::fault::Fault;

/// How deep objects and arrays may nest.
const DEEPEST: usize = 16;

/// Reads a text as one JSON object.
///
/// # Errors
///
/// A [`Fault`]: `invalid_json` for what is not JSON, `bad_request` for a member that is there twice, for nesting that
/// is too deep, and for anything but an object.
pub(super) fn object(text: &[u8]) -> Result<Map<String, Value>, Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict { depth: 0 }.deserialize(&mut deserializer);
    let value = value.and_then(|value| deserializer.end().map(|()| value));
    match value.map_err(Fault::of_json)? {
        Value::Object(object) => Ok(object),
        _ => Err(Fault::NotAnObject),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            return Err(E::custom(format_args!("nested deeper than {DEEPEST}")));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut all = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            all.push(value);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut all = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(inner)?;
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "the member `{name}` is there twice"
                )));
            }
            all.insert(name, value);
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zcomm_core::Code;

    use super::*;

    #[track_caller]
    fn fails(text: &str, code: Code, message: &str) {
        let fault = object(text.as_bytes()).unwrap_err();

        assert_eq!(
            (fault.code(), fault.to_string().contains(message)),
            (code, true),
            "{fault}"
        );
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        fails(
            r#"{"a":{"b":1,"b":2}}"#,
            Code::BadRequest,
            "`b` is there twice",
        );
        fails(
            &format!("{}1{}", "[".repeat(17), "]".repeat(17)),
            Code::BadRequest,
            "deeper than 16",
        );
        fails(&"[".repeat(100_000), Code::BadRequest, "deeper than 16");
        fails("[1]", Code::BadRequest, "must be an object");
        fails(r#"{"a":1e400}"#, Code::InvalidJson, "number out of range");
        fails(r#"{"a":"\ud800"}"#, Code::InvalidJson, "");
        fails(r#"{"a":1} x"#, Code::InvalidJson, "trailing");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\]{}:,"\\ue0-9ad. tfn-]{0,64}"#) {
            let _ = object(text.as_bytes());
        }

        #[test]
        fn what_it_reads_is_what_serde_reads(number in any::<i64>(), text in ".{0,8}") {
            let written = serde_json::json!({"a": [number, {"b": text}], "c": null, "d": 1.5, "e": true});

            let read = object(written.to_string().as_bytes()).unwrap();

            prop_assert_eq!(Value::Object(read), written);
        }
    }
}
