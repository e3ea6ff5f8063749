//! The arguments of `zFunc`, as people write them: JSON, bare keys, 'single quotes', bare words. Evaluates nothing.
//!
//! ```text
//! args  := [ value { "," value } ]
//! value := JSON | "{" [ key ":" value { "," key ":" value } ] "}" | "[" args "]" | "'" text "'" | word
//! ```

use serde_json::{Map, Value};

/// How deep objects and arrays may nest.
const DEEPEST: usize = 16;

/// Why a text is no list of arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at character {at} of the arguments")]
pub(super) struct Unreadable {
    at: usize,
    expected: &'static str,
}

/// Reads a list of values, separated by commas. Nothing at all is an empty list.
///
/// # Errors
///
/// [`Unreadable`], with the place.
pub(super) fn arguments(text: &str) -> Result<Vec<Value>, Unreadable> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    let values = match reader.peek() {
        None => Vec::new(),
        Some(_) => reader.values(0)?,
    };
    match reader.peek() {
        None => Ok(values),
        Some(_) => Err(reader.expected("a comma or the end")),
    }
}

/// Splits `name, args` at its first comma. The name is a word, and nothing else.
///
/// # Errors
///
/// [`Unreadable`], with the place.
pub(super) fn call(text: &str) -> Result<(&str, Vec<Value>), Unreadable> {
    let (name, rest) = match text.split_once(',') {
        Some((name, rest)) => (name, Some(rest)),
        None => (text, None),
    };
    let name = name.trim();
    if name.is_empty() || !name.chars().all(is_word) {
        let (at, expected) = (0, "the name of a function");
        return Err(Unreadable { at, expected });
    }
    let Some(rest) = rest else {
        return Ok((name, Vec::new()));
    };
    let shift = text[..text.len() - rest.len()].chars().count();
    let values = arguments(rest).map_err(|error| Unreadable {
        at: error.at + shift,
        ..error
    })?;
    if values.is_empty() {
        let (at, expected) = (text.chars().count(), "a value");
        return Err(Unreadable { at, expected });
    }
    Ok((name, values))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn expected(&self, expected: &'static str) -> Unreadable {
        let at = self.text[..self.at].chars().count();
        Unreadable { at, expected }
    }

    fn skip_space(&mut self) {
        // The white space of JSON, and no other.
        let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - rest.len();
    }

    /// Takes the character, and the white space behind it.
    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
            self.skip_space();
        }
        found
    }

    /// At least one value.
    fn values(&mut self, depth: usize) -> Result<Vec<Value>, Unreadable> {
        let mut all = vec![self.value(depth)?];
        while self.take(',') {
            all.push(self.value(depth)?);
        }
        Ok(all)
    }

    /// A value, and the white space behind it.
    fn value(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let value = match self.peek() {
            Some('{' | '[') if depth == DEEPEST => {
                return Err(self.expected("less nesting"));
            }
            Some('{') => self.object(depth + 1)?,
            Some('[') => self.array(depth + 1)?,
            Some('"' | '\'') => self.quoted()?.into(),
            Some(first) if is_word(first) => self.word()?,
            _ => return Err(self.expected("a value")),
        };
        self.skip_space();
        Ok(value)
    }

    fn array(&mut self, depth: usize) -> Result<Value, Unreadable> {
        self.take('[');
        if self.take(']') {
            return Ok(Vec::<Value>::new().into());
        }
        let values = self.values(depth)?;
        if !self.take(']') {
            return Err(self.expected("a comma or `]`"));
        }
        Ok(values.into())
    }

    fn object(&mut self, depth: usize) -> Result<Value, Unreadable> {
        self.take('{');
        let mut members = Map::new();
        if self.take('}') {
            return Ok(members.into());
        }
        loop {
            let key = self.key()?;
            self.skip_space();
            if !self.take(':') {
                return Err(self.expected("`:`"));
            }
            let value = self.value(depth)?;
            if members.contains_key(&key) {
                return Err(self.expected("each key once"));
            }
            members.insert(key, value);
            if self.take('}') {
                return Ok(members.into());
            }
            if !self.take(',') {
                return Err(self.expected("a comma or `}`"));
            }
        }
    }

    fn key(&mut self) -> Result<String, Unreadable> {
        match self.peek() {
            Some('"' | '\'') => self.quoted(),
            Some(first) if is_word(first) => Ok(self.letters().to_owned()),
            _ => Err(self.expected("a key")),
        }
    }

    /// A text in either kind of quotes, with the escapes of JSON, and `\'`.
    fn quoted(&mut self) -> Result<String, Unreadable> {
        // Where a fault is takes a count of all letters before it, so that is worked out for a fault only.
        let unclosed = |text: &Self| text.expected("the end of this text");
        let mut letters = self.rest().char_indices();
        let (_, quote) = letters.next().ok_or_else(|| unclosed(self))?;
        let mut json = String::from('"');
        while let Some((at, letter)) = letters.next() {
            match letter {
                _ if letter == quote => {
                    json.push('"');
                    let text = serde_json::from_str(&json);
                    let text = text.map_err(|_| {
                        self.expected("a text without raw control characters or unknown escapes")
                    })?;
                    self.at += at + quote.len_utf8();
                    return Ok(text);
                }
                '"' => json.push_str("\\\""),
                '\\' => match letters.next() {
                    Some((_, '\'')) => json.push('\''),
                    Some((_, escaped)) => json.extend(['\\', escaped]),
                    None => return Err(unclosed(self)),
                },
                _ => json.push(letter),
            }
        }
        Err(unclosed(self))
    }

    fn letters(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A number, one of JSON's three words, or a word that stands for itself.
    fn word(&mut self) -> Result<Value, Unreadable> {
        let start = self.at;
        let word = self.letters();
        if let Ok(value) = serde_json::from_str::<Value>(word) {
            return Ok(value);
        }
        // Digits alone that are no JSON number are out of range; taken for a text, they would only surprise.
        let is_number = |word: &str| word.parse::<f64>().is_ok_and(f64::is_infinite);
        if word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && is_number(word)
        {
            self.at = start;
            return Err(self.expected("a smaller number"));
        }
        Ok(word.into())
    }
}

/// What words are made of. No quotes, brackets or operators: nothing that could be read as code.
fn is_word(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(letter, '_' | '-' | '.' | '+' | '@' | '/' | '$' | '%' | '#')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn reads(text: &str, expected: Value) {
        assert_eq!(arguments(text).map(Value::from), Ok(expected), "{text}");
    }

    #[track_caller]
    fn fails(text: &str, message: &str) {
        assert_eq!(arguments(text).unwrap_err().to_string(), message, "{text}");
    }

    #[test]
    fn what_people_write_is_read() {
        reads("", json!([]));
        reads(" {cart_id: 123} ", json!([{"cart_id": 123}]));
        reads("'it\\'s', \"a\\u0041\"", json!(["it's", "aA"]));
        reads(
            "alice, 2024-10-15, -1.5e3",
            json!(["alice", "2024-10-15", -1500.0]),
        );
        reads("true, null, True, NaN", json!([true, null, "True", "NaN"]));
        reads(
            "[a, {b: [], 'c d': {}}]",
            json!([["a", {"b": [], "c d": {}}]]),
        );
        reads("01, é", json!(["01", "é"]));
    }

    #[test]
    fn a_long_list_is_read_in_one_pass() {
        let texts = 300_000;

        let read = arguments(&vec!["''"; texts].join(","));

        // With a count of the letters before each text, this would take minutes.
        assert_eq!(read.map(|read| read.len()), Ok(texts));
    }

    #[test]
    fn what_could_be_code_is_not() {
        fails(
            "__import__('os')",
            "expected a comma or the end at character 10 of the arguments",
        );
        fails(
            "1 + 1",
            "expected a comma or the end at character 2 of the arguments",
        );
        fails(
            "a;b",
            "expected a comma or the end at character 1 of the arguments",
        );
        fails(
            "{a: 1, a: 2}",
            "expected each key once at character 11 of the arguments",
        );
        fails(
            "'open",
            "expected the end of this text at character 0 of the arguments",
        );
        fails("1,", "expected a value at character 2 of the arguments");
        fails(
            "1e400",
            "expected a smaller number at character 0 of the arguments",
        );
        fails(
            &"[".repeat(100_000),
            "expected less nesting at character 16 of the arguments",
        );
    }

    #[test]
    fn a_call_is_a_name_and_its_arguments() {
        assert_eq!(
            call("total, {id: 1}, x"),
            Ok(("total", vec![json!({"id": 1}), json!("x")]))
        );
        assert_eq!(call(" total "), Ok(("total", vec![])));
        assert!(call("__import__('os')").is_err());
        assert!(call("total,").is_err());
        assert!(call("").is_err());
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9f64).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect::<Map<_, _>>().into()),
            ]
        })
    }

    /// The value as somebody with single quotes and bare keys would write it.
    fn relaxed(value: &Value) -> String {
        match value {
            Value::String(text) => {
                let json = value.to_string();
                let inner = &json[1..json.len() - 1];
                let _ = text;
                format!("'{}'", inner.replace('\'', "\\'"))
            }
            Value::Array(values) => {
                let all: Vec<String> = values.iter().map(relaxed).collect();
                format!("[ {} ]", all.join(" ,"))
            }
            Value::Object(members) => {
                let member = |(key, value): (&String, &Value)| {
                    let bare = !key.is_empty() && key.chars().all(is_word);
                    let key = if bare {
                        key.clone()
                    } else {
                        relaxed(&key.as_str().into())
                    };
                    format!("{key} : {}", relaxed(value))
                };
                format!(
                    "{{{}}}",
                    members.iter().map(member).collect::<Vec<_>>().join(", ")
                )
            }
            other => other.to_string(),
        }
    }

    proptest! {
        #[test]
        fn json_is_read_as_json(values in prop::collection::vec(json_value(), 1..4)) {
            let text = values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(arguments(&text).unwrap(), values);
        }

        #[test]
        fn relaxed_forms_mean_the_same(value in json_value()) {
            prop_assert_eq!(arguments(&relaxed(&value)).unwrap(), vec![value]);
        }

        #[test]
        fn no_text_brings_it_down(text in "[\\[\\]{}:,'\"\\\\a-c0-9e+. -]{0,40}|.*") {
            // What is read is plain JSON, and reads again as itself.
            if let Ok(values) = arguments(&text) {
                let again = values.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
                prop_assert_eq!(arguments(&again).unwrap(), values);
            }
        }
    }
}
