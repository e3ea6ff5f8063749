//! Messages as text: a request gets its event and id, a reply loses its id. Values are copied, never understood.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{ClientError, Reply};

/// An object's members, in their order, their values as they stand.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// Writes the message that asks for `event`, with these arguments and this id.
///
/// The arguments' own `event` must be the same one, and their `_requestId` gives way.
pub(super) fn request(
    event: &str,
    arguments: &str,
    id: Option<u64>,
) -> Result<String, ClientError> {
    let arguments = match arguments.trim() {
        "" | "null" => "{}",
        arguments => arguments,
    };
    let Members(members) =
        serde_json::from_str(arguments).map_err(|source| ClientError::Arguments {
            event: event.to_owned(),
            source: Some(Arc::new(source)),
        })?;
    let mut text = String::with_capacity(arguments.len() + event.len() + 48);
    text.push_str("{\"event\":");
    text.push_str(&quoted(event));
    if let Some(id) = id {
        text.push_str(&format!(",\"_requestId\":{id}"));
    }
    for (name, value) in members {
        match &*name {
            "event" if is_other(value, event) => {
                let event = event.to_owned();
                return Err(ClientError::OtherEvent { event });
            }
            "event" | "_requestId" => {}
            // The id of the question that this answers: protocol, not envelope.
            "requestId" if event != "input_response" => {}
            _ => push(&mut text, ',', &name, value),
        }
    }
    text.push('}');
    Ok(text)
}

/// The id and the rest of a reply; `None` for whatever came unasked.
pub(super) fn reply(text: &str) -> Option<(u64, Reply)> {
    let Members(members) = serde_json::from_str(text).ok()?;
    let mut ids = members.iter().filter(|(name, _)| name == "_requestId");
    let id = ids.next().map(|(_, id)| id.get())?;
    if id == "null" {
        return None;
    }
    // Ids are ours: whole numbers. A text, a fraction or a second one is no request of this client's.
    let id = match ids.next() {
        None => id.parse().unwrap_or(u64::MAX),
        Some(_) => u64::MAX,
    };
    let mut body = String::with_capacity(text.len());
    let mut failed = false;
    let mut code = String::new();
    for (name, value) in members.iter().filter(|(name, _)| name != "_requestId") {
        failed |= name == "error";
        if name == "code" {
            code = serde_json::from_str(value.get()).unwrap_or_default();
        }
        let mark = if body.is_empty() { '{' } else { ',' };
        push(&mut body, mark, name, value);
    }
    body.push_str(if body.is_empty() { "{}" } else { "}" });
    let code = failed.then_some(code.as_str());
    Some((id, Reply::new(body.into(), code)))
}

/// What a server that stops asks its clients to wait, in milliseconds; `None` for any other message.
pub(super) fn retry_after(text: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Shutdown<'a> {
        #[serde(borrow)]
        event: Cow<'a, str>,
        retry_after_ms: u64,
    }
    // Cheaper than a second parse of every message.
    if !text.contains("server_shutdown") {
        return None;
    }
    let shutdown: Shutdown<'_> = serde_json::from_str(text).ok()?;
    (shutdown.event == "server_shutdown").then_some(shutdown.retry_after_ms)
}

fn is_other(value: &RawValue, event: &str) -> bool {
    let named: Result<Option<Cow<'_, str>>, _> = serde_json::from_str(value.get());
    !matches!(named, Ok(None)) && !matches!(named, Ok(Some(named)) if named == event)
}

fn push(text: &mut String, mark: char, name: &str, value: &RawValue) {
    text.push(mark);
    text.push_str(&quoted(name));
    text.push(':');
    text.push_str(value.get());
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can always be written as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_its_event_and_its_id() {
        let asked = |arguments| request("dispatch", arguments, Some(7)).unwrap();

        assert_eq!(asked(""), r#"{"event":"dispatch","_requestId":7}"#);
        assert_eq!(
            asked(r#" {"zKey":"^List users","limit":1e2,"x\"":null} "#),
            r#"{"event":"dispatch","_requestId":7,"zKey":"^List users","limit":1e2,"x\"":null}"#
        );
        assert_eq!(
            asked(r#"{"event":"dispatch","_requestId":"theirs","requestId":1}"#),
            r#"{"event":"dispatch","_requestId":7}"#
        );
        assert_eq!(
            request("input_response", r#"{"requestId":"q","value":1}"#, None).unwrap(),
            r#"{"event":"input_response","requestId":"q","value":1}"#
        );
    }

    #[test]
    fn arguments_are_an_object_of_the_same_event() {
        for arguments in ["[]", "7", "{", "{} {}", "\u{feff}{}"] {
            let error = request("ping", arguments, None).unwrap_err();
            assert!(matches!(error, ClientError::Arguments { .. }), "{error:?}");
        }
        for arguments in [r#"{"event":"dispatch"}"#, r#"{"event":7}"#] {
            let error = request("ping", arguments, None).unwrap_err();
            assert!(matches!(error, ClientError::OtherEvent { .. }), "{error:?}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(u64, u16, &str)>) {
        let found = reply(text).map(|(id, reply)| {
            let body = String::from_utf8(reply.as_bytes().to_vec()).unwrap();
            (id, reply.status().as_u16(), body)
        });
        let expected = expected.map(|(id, status, body)| (id, status, body.to_owned()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_reply_is_told_by_its_id_and_loses_it() {
        check(
            r#"{"result":[1.50],"_requestId":0}"#,
            Some((0, 200, r#"{"result":[1.50]}"#)),
        );
        check(
            r#"{"_requestId":3,"error":"no","code":"not_found"}"#,
            Some((3, 404, r#"{"error":"no","code":"not_found"}"#)),
        );
        check(
            r#"{"error":"no","_requestId":3}"#,
            Some((3, 500, r#"{"error":"no"}"#)),
        );
        check(r#"{"_requestId":3}"#, Some((3, 200, "{}")));
    }

    #[test]
    fn what_has_no_id_of_ours_is_unasked_or_nobodys() {
        for unasked in [r#"{"event":"x"}"#, "[]", "hello", r#"{"_requestId":null}"#] {
            check(unasked, None);
        }
        for strange in [
            r#"{"_requestId":"1"}"#,
            r#"{"_requestId":1.0}"#,
            r#"{"_requestId":-1}"#,
            r#"{"_requestId":1,"_requestId":1}"#,
        ] {
            check(strange, Some((u64::MAX, 200, "{}")));
        }
    }

    #[test]
    fn only_a_server_that_stops_says_how_long_to_wait() {
        let after = |ms: &str| format!(r#"{{"event":"server_shutdown","retry_after_ms":{ms}}}"#);

        assert_eq!(retry_after(&after("1500")), Some(1500));
        assert_eq!(retry_after(&after("18446744073709551615")), Some(u64::MAX));
        assert_eq!(retry_after(&after("-5")), None);
        assert_eq!(retry_after(&after("1e99")), None);
        assert_eq!(retry_after(&after("\"soon\"")), None);
        assert_eq!(
            retry_after(r#"{"event":"chat","text":"server_shutdown","retry_after_ms":1}"#),
            None
        );
    }
}
