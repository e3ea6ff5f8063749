//! What the outermost object of a message says: its event and its id. Looks at no arguments.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::fault::Fault;

/// The longest id that is echoed.
const LONGEST_ID: usize = 256;

/// The outermost object of a message, borrowed from its text. No tree is built.
#[derive(Debug)]
pub(super) struct Envelope<'m> {
    text: &'m str,
    event: Event<'m>,
    named: bool,
    id: Option<RequestId<'m>>,
}

/// How a message says what it wants.
#[derive(Debug, PartialEq, Eq)]
enum Event<'m> {
    Named(&'m str),
    Unescaped(String),
}

/// What tells a client which of its requests a reply answers. Echoed as it came, under the name that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestId<'m> {
    name: IdName,
    json: &'m str,
    span: Range<usize>,
}

/// Under which name an id came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdName {
    Underscored,
    Plain,
}

impl<'m> RequestId<'m> {
    /// The id as JSON, exactly as it came.
    pub(super) fn json(&self) -> &'m str {
        self.json
    }

    /// The member that a reply carries, up to its value: `"_requestId":`.
    pub(super) fn member(&self) -> &'static str {
        match self.name {
            IdName::Underscored => "\"_requestId\":",
            IdName::Plain => "\"requestId\":",
        }
    }
}

/// The members that decide; all others are passed over.
#[derive(Default)]
struct Members<'m> {
    event: Option<&'m RawValue>,
    action: Option<&'m RawValue>,
    is_command: bool,
    underscored: Option<&'m RawValue>,
    plain: Option<&'m RawValue>,
    twice: Option<&'static str>,
}

impl<'m> Envelope<'m> {
    /// Reads the outermost object of a message.
    ///
    /// # Errors
    ///
    /// A [`Fault`] with the code that its sender is told.
    pub(super) fn of(text: &'m str) -> Result<Self, Fault> {
        let members = Members::of(text)?;
        if let Some(name) = members.twice {
            return Err(Fault::MemberTwice { name });
        }
        let id = members.id(text)?;
        let event = members.event()?;
        let named = members.event.is_some_and(|raw| raw.get() != "null");
        Ok(Self {
            text,
            event,
            named,
            id,
        })
    }

    /// The event that routes the message.
    pub(super) fn event(&self) -> &str {
        match &self.event {
            Event::Named(name) => name,
            Event::Unescaped(name) => name,
        }
    }

    /// Whether the message itself says `event`, and its form does not only imply it.
    pub(super) fn names_event(&self) -> bool {
        self.named
    }

    /// The id, if its sender wants the reply to carry one.
    pub(super) fn id(&self) -> Option<&RequestId<'m>> {
        self.id.as_ref()
    }

    /// The message without its id: two messages that are alike but for the id ask the same.
    pub(super) fn without_id(&self) -> String {
        let mut rest = self.text.to_owned();
        if let Some(id) = &self.id {
            rest.replace_range(id.span.clone(), "");
        }
        rest
    }

    /// A message that names no event, without its id.
    pub(super) fn without_id_of(text: &str) -> String {
        let mut rest = text.to_owned();
        if let Some(id) = Envelope::id_of(text) {
            rest.replace_range(id.span, "");
        }
        rest
    }

    /// The id of a message whose envelope is faulty, so that even then its sender is answered by it.
    pub(super) fn id_of(text: &'m str) -> Option<RequestId<'m>> {
        let members = Members::of(text).ok()?;
        let is_clear = !members.twice.is_some_and(|name| name.ends_with("equestId"));
        members.id(text).ok()?.filter(|_| is_clear)
    }
}

impl<'m> Members<'m> {
    fn of(text: &'m str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(Fault::of_json)
    }

    fn event(&self) -> Result<Event<'m>, Fault> {
        for (name, given) in [("event", self.event), ("action", self.action)] {
            let Some(raw) = given.filter(|raw| raw.get() != "null") else {
                continue;
            };
            let event = text_of(raw).ok_or(Fault::NotText { name })?;
            return match &event {
                Event::Named("") => Err(Fault::Empty { name }),
                _ => Ok(event.canonical()),
            };
        }
        if self.is_command {
            return Ok(Event::Named("dispatch"));
        }
        Err(Fault::NoEvent)
    }

    fn id(&self, text: &'m str) -> Result<Option<RequestId<'m>>, Fault> {
        let given = match (self.underscored, self.plain) {
            (Some(raw), _) => Some((IdName::Underscored, raw)),
            // In an answer to the server's own question, `requestId` names that question.
            (None, Some(raw)) if !self.answers_a_question() => Some((IdName::Plain, raw)),
            _ => None,
        };
        let Some((name, raw)) = given.filter(|(_, raw)| raw.get() != "null") else {
            return Ok(None);
        };
        let json = raw.get();
        if json.starts_with(['{', '[']) {
            return Err(Fault::IdNotScalar);
        }
        if json.len() > LONGEST_ID {
            return Err(Fault::IdTooLong { most: LONGEST_ID });
        }
        Ok(Some(RequestId {
            name,
            json,
            span: span_of_member(text, json),
        }))
    }

    fn answers_a_question(&self) -> bool {
        self.event
            .is_some_and(|raw| raw.get() == "\"input_response\"")
    }
}

impl Event<'_> {
    /// Old and short names of events.
    fn canonical(self) -> Self {
        let name = match &self {
            Event::Named(name) => name,
            Event::Unescaped(name) => name.as_str(),
        };
        match name {
            "set_query_cache_ttl" => Event::Named("set_cache_ttl"),
            "create" | "read" | "update" | "delete" | "upsert" => Event::Named("dispatch"),
            _ => self,
        }
    }
}

fn text_of(raw: &RawValue) -> Option<Event<'_>> {
    if let Ok(name) = serde_json::from_str::<&str>(raw.get()) {
        return Some(Event::Named(name));
    }
    serde_json::from_str::<String>(raw.get())
        .ok()
        .map(Event::Unescaped)
}

/// Where the member that has this value stands, one comma included.
fn span_of_member(text: &str, value: &str) -> Range<usize> {
    let start = value.as_ptr() as usize - text.as_ptr() as usize;
    let end = start + value.len();
    let before = text[..start].trim_end().trim_end_matches(':').trim_end();
    // The name ends with a quote; the one before it begins it, as names of ids hold no quotes.
    let name = before[..before.len() - 1].rfind('"').unwrap_or(0);
    let head = text[..name].trim_end();
    if let Some(head) = head.strip_suffix(',') {
        return head.len()..end;
    }
    let tail = text[end..].trim_start();
    let comma = usize::from(tail.starts_with(','));
    name..text.len() - tail.len() + comma
}

impl<'de: 'm, 'm> Deserialize<'de> for Members<'m> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(Members::default()))
    }
}

struct MembersVisitor<'m>(Members<'m>);

impl<'de: 'm, 'm> Visitor<'de> for MembersVisitor<'m> {
    type Value = Members<'m>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Members<'m>, A::Error> {
        while let Some(name) = map.next_key::<Name>()? {
            let members = &mut self.0;
            let (slot, name) = match name {
                Name::Event => (&mut members.event, "event"),
                Name::Action => (&mut members.action, "action"),
                Name::Underscored => (&mut members.underscored, "_requestId"),
                Name::Plain => (&mut members.plain, "requestId"),
                Name::Command => {
                    members.is_command = true;
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if slot.replace(map.next_value()?).is_some() {
                members.twice = Some(name);
            }
        }
        Ok(self.0)
    }
}

enum Name {
    Event,
    Action,
    Command,
    Underscored,
    Plain,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "event" => Name::Event,
                    "action" => Name::Action,
                    "zKey" | "cmd" => Name::Command,
                    "_requestId" => Name::Underscored,
                    "requestId" => Name::Plain,
                    _ => Name::Other,
                })
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

#[cfg(test)]
mod tests {
    use zcomm_core::Code;

    use super::*;

    #[track_caller]
    fn routes(text: &str, event: &str, id: Option<&str>) {
        let envelope = Envelope::of(text).unwrap();

        assert_eq!(envelope.event(), event, "{text}");
        assert_eq!(
            envelope
                .id()
                .map(|id| format!("{}{}", id.member(), id.json()))
                .as_deref(),
            id,
            "{text}"
        );
    }

    #[track_caller]
    fn fails(text: &str, code: Code, message: &str) {
        let fault = Envelope::of(text).unwrap_err();

        assert_eq!(
            (fault.code(), fault.to_string().contains(message)),
            (code, true),
            "{fault}"
        );
    }

    #[test]
    fn the_event_is_named_or_follows_from_an_old_form() {
        routes(r#"{"event":"ping"}"#, "ping", None);
        routes(
            r#"{"action":"get_schema","model":"users"}"#,
            "get_schema",
            None,
        );
        routes(r#"{"event":null,"action":"ping"}"#, "ping", None);
        routes(r#"{"zKey":"^List users"}"#, "dispatch", None);
        routes(r#"{"cmd":"zFunc(f)"}"#, "dispatch", None);
        routes(r#"{"event":"read","model":"users"}"#, "dispatch", None);
        routes(
            r#"{"event":"set_query_cache_ttl","ttl":5}"#,
            "set_cache_ttl",
            None,
        );
        routes(r#"{"\u0065vent":"p\u0069ng"}"#, "ping", None);
    }

    #[test]
    fn an_id_is_any_scalar_and_keeps_its_type_and_name() {
        routes(
            r#"{"event":"ping","_requestId":0}"#,
            "ping",
            Some(r#""_requestId":0"#),
        );
        routes(
            r#"{"event":"ping","_requestId":""}"#,
            "ping",
            Some(r#""_requestId":"""#),
        );
        routes(
            r#"{"event":"ping","_requestId": false }"#,
            "ping",
            Some(r#""_requestId":false"#),
        );
        routes(
            r#"{"event":"ping","requestId":"a"}"#,
            "ping",
            Some(r#""requestId":"a""#),
        );
        routes(
            r#"{"event":"ping","requestId":1,"_requestId":2}"#,
            "ping",
            Some(r#""_requestId":2"#),
        );
        routes(r#"{"event":"ping","_requestId":null}"#, "ping", None);
        routes(
            r#"{"event":"input_response","requestId":"q1","value":1}"#,
            "input_response",
            None,
        );
    }

    #[test]
    fn a_faulty_envelope_is_named() {
        fails("", Code::InvalidJson, "JSON");
        fails("hello", Code::InvalidJson, "JSON");
        fails("\u{feff}{}", Code::InvalidJson, "JSON");
        fails("[]", Code::BadRequest, "object");
        fails("null", Code::BadRequest, "object");
        fails("\"x\"", Code::BadRequest, "object");
        fails("{}", Code::BadRequest, "no `event`");
        fails(r#"{"event":7}"#, Code::BadRequest, "`event` is not a text");
        fails(
            r#"{"event":["ping"]}"#,
            Code::BadRequest,
            "`event` is not a text",
        );
        fails(r#"{"event":""}"#, Code::BadRequest, "`event` is empty");
        fails(
            r#"{"event":"a","event":"b"}"#,
            Code::BadRequest,
            "`event` is there twice",
        );
        fails(
            r#"{"event":"a","_requestId":{}}"#,
            Code::BadRequest,
            "object or an array",
        );
        fails(
            &format!(r#"{{"event":"a","_requestId":"{}"}}"#, "x".repeat(255)),
            Code::BadRequest,
            "longer than 256",
        );
    }

    #[test]
    fn the_id_is_cut_out_wherever_it_stands() {
        for text in [
            r#"{"_requestId":7,"event":"ping","a":1}"#,
            r#"{ "_requestId" : 7 , "event":"ping","a":1}"#,
            r#"{"event":"ping","_requestId":7,"a":1}"#,
            r#"{"event":"ping","a":1,"_requestId":"7"}"#,
            r#"{"event":"ping","a":1 , "_requestId" : -7.5e3 }"#,
        ] {
            let rest = Envelope::of(text).unwrap().without_id();

            let parsed: serde_json::Value = serde_json::from_str(&rest).unwrap();
            assert_eq!(
                parsed,
                serde_json::json!({"event": "ping", "a": 1}),
                "{text} became {rest}"
            );
        }
        assert_eq!(
            Envelope::of(r#"{"zKey":"a","_requestId":1}"#)
                .unwrap()
                .without_id(),
            r#"{"zKey":"a"}"#
        );
    }

    #[test]
    fn a_faulty_message_still_yields_its_id() {
        for text in [
            r#"{"event":7,"_requestId":3}"#,
            r#"{"event":"a","event":"b","_requestId":3}"#,
        ] {
            assert_eq!(Envelope::id_of(text).unwrap().json(), "3", "{text}");
        }
        assert_eq!(
            Envelope::id_of(r#"{"event":"a","_requestId":3,"_requestId":4}"#),
            None
        );
    }
}
