//! A question to the person before a client, and what counts as its answer. Asks nobody.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::fault::Fault;

/// How long a person may think, unless it is said: a little less than a request may take.
const THINKING: Duration = Duration::from_secs(25);

/// A question to the person before a client.
///
/// ```
/// use std::time::Duration;
/// use zcomm_ws::bifrost::Question;
///
/// let colour = Question::choice("Which colour?", ["red", "green"]).default("red");
/// let name = Question::text("Your name?").timeout(Duration::from_secs(10));
/// # let _ = (colour, name);
/// ```
#[derive(Clone, Debug)]
pub struct Question {
    kind: Kind,
    prompt: String,
    options: Option<Value>,
    default: Option<Value>,
    limit: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Password,
    Confirm,
    Choice,
    Form,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Password => "password",
            Self::Confirm => "confirm",
            Self::Choice => "choice",
            Self::Form => "form",
        }
    }
}

impl Question {
    /// A text is wanted.
    pub fn text(prompt: impl Into<String>) -> Self {
        Self::new(Kind::Text, prompt.into(), None)
    }

    /// A text that nobody else is to see.
    pub fn password(prompt: impl Into<String>) -> Self {
        Self::new(Kind::Password, prompt.into(), None)
    }

    /// Yes or no.
    pub fn confirm(prompt: impl Into<String>) -> Self {
        Self::new(Kind::Confirm, prompt.into(), None)
    }

    /// One of these.
    pub fn choice<V: Into<Value>>(
        prompt: impl Into<String>,
        options: impl IntoIterator<Item = V>,
    ) -> Self {
        let options = options.into_iter().map(Into::into).collect();
        Self::new(Kind::Choice, prompt.into(), Some(Value::Array(options)))
    }

    /// Several fields at once; each is an object with a `name`, and what else the page needs to show it.
    pub fn form(prompt: impl Into<String>, fields: impl IntoIterator<Item = Value>) -> Self {
        let fields = fields.into_iter().collect();
        Self::new(Kind::Form, prompt.into(), Some(Value::Array(fields)))
    }

    /// What is there before anybody types.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// How long the person may think. Within a request this counts against the request's time. Default: 25 s.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    fn new(kind: Kind, prompt: String, options: Option<Value>) -> Self {
        Self {
            kind,
            prompt,
            options,
            default: None,
            limit: THINKING,
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// The message that asks it.
    pub(super) fn request(&self, id: &str) -> Value {
        let mut request = Map::new();
        request.insert("event".into(), "input_request".into());
        request.insert("requestId".into(), id.into());
        request.insert("type".into(), self.kind.as_str().into());
        request.insert("prompt".into(), self.prompt.as_str().into());
        if let Some(options) = &self.options {
            request.insert("options".into(), options.clone());
        }
        if let Some(default) = &self.default {
            request.insert("default".into(), default.clone());
        }
        let limit = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
        request.insert("timeout_ms".into(), json!(limit));
        request.into()
    }

    /// Lets through what is an answer to it; a page may send anything.
    pub(super) fn check(&self, value: Value) -> Result<Value, Fault> {
        let (fits, expected) = match self.kind {
            Kind::Text | Kind::Password => (value.is_string(), "a text"),
            Kind::Confirm => (value.is_boolean(), "true or false"),
            Kind::Choice => {
                let options = self.options.as_ref().and_then(Value::as_array);
                let is_one = options.is_some_and(|options| options.contains(&value));
                (is_one, "one of the options")
            }
            Kind::Form => (value.is_object(), "an object"),
        };
        let name = "value";
        if fits {
            Ok(value)
        } else {
            Err(Fault::BadMember { name, expected })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_says_what_it_wants() {
        let question = Question::choice("Which?", ["a", "b"])
            .default("a")
            .timeout(Duration::from_secs(1));

        assert_eq!(
            question.request("ask-1"),
            json!({
                "event": "input_request", "requestId": "ask-1", "type": "choice", "prompt": "Which?",
                "options": ["a", "b"], "default": "a", "timeout_ms": 1000
            })
        );
    }

    #[test]
    fn only_answers_are_let_through() {
        for (question, right, wrong) in [
            (Question::text("?"), json!("x"), json!(1)),
            (Question::password("?"), json!("x"), json!(null)),
            (Question::confirm("?"), json!(false), json!("yes")),
            (Question::choice("?", [1, 2]), json!(2), json!(3)),
            (
                Question::form("?", [json!({"name": "a"})]),
                json!({"a": 1}),
                json!([1]),
            ),
        ] {
            assert_eq!(question.check(right.clone()).unwrap(), right);
            assert!(question.check(wrong).is_err(), "{question:?}");
        }
    }
}
