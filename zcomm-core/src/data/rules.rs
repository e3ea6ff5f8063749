//! What a field asks of its values beyond their type. Checked before any store sees them, so the same everywhere.

use std::cmp::Ordering;

use regex_lite::Regex;

use super::value::Value;

/// What a value has to satisfy. NULL satisfies everything; `required` is the field's own.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Rules {
    /// The least value.
    pub min: Option<Value>,
    /// The greatest value.
    pub max: Option<Value>,
    /// The fewest code points.
    pub min_length: Option<usize>,
    /// The most code points.
    pub max_length: Option<usize>,
    /// What the text must match somewhere.
    pub pattern: Option<Pattern>,
    /// What the text must look like.
    pub format: Option<Format>,
    /// The only values allowed; empty for any.
    pub choices: Vec<Value>,
}

impl Rules {
    /// What a value would have to be where it is against a rule; `None` where it satisfies them all.
    pub fn broken_by(&self, value: &Value) -> Option<String> {
        if value.is_null() {
            return None;
        }
        self.out_of_range(value)
            .or_else(|| self.not_chosen(value))
            .or_else(|| match value {
                Value::Text(text) => self.bad_text(text),
                _ => None,
            })
    }

    fn out_of_range(&self, value: &Value) -> Option<String> {
        let beyond = |bound: &&Value, side| value.total_cmp(bound) == side;
        if let Some(min) = self.min.as_ref().filter(|min| beyond(min, Ordering::Less)) {
            return Some(format!("at least {}", min.to_json()));
        }
        let max = self.max.as_ref();
        let max = max.filter(|max| beyond(max, Ordering::Greater))?;
        Some(format!("at most {}", max.to_json()))
    }

    fn not_chosen(&self, value: &Value) -> Option<String> {
        if self.choices.is_empty() || self.choices.contains(value) {
            return None;
        }
        let choices: Vec<String> = self
            .choices
            .iter()
            .map(|choice| choice.to_json().to_string())
            .collect();
        Some(format!("one of {}", choices.join(", ")))
    }

    fn bad_text(&self, text: &str) -> Option<String> {
        let length = text.chars().count();
        if let Some(min) = self.min_length.filter(|&min| length < min) {
            return Some(format!("a text of at least {min} characters"));
        }
        if let Some(max) = self.max_length.filter(|&max| length > max) {
            return Some(format!("a text of at most {max} characters"));
        }
        if let Some(format) = self.format.filter(|format| !format.fits(text)) {
            return Some(format.expectation().to_owned());
        }
        let pattern = self.pattern.as_ref().filter(|it| !it.0.is_match(text))?;
        Some(format!("a text that matches {}", pattern.0.as_str()))
    }
}

/// A regular expression that is matched in linear time.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles an expression; `None` if it is none.
    pub fn new(expression: &str) -> Option<Self> {
        Regex::new(expression).ok().map(Self)
    }

    /// The expression.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// What a text can be asked to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// An e-mail address.
    Email,
    /// An absolute http or https address.
    Url,
    /// A UUID.
    Uuid,
    /// A telephone number of 7 to 15 digits.
    Phone,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Email, Self::Url, Self::Uuid, Self::Phone];

    /// The name in schema files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Url => "url",
            Self::Uuid => "uuid",
            Self::Phone => "phone",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Whether a text looks like it.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Url => is_url(text),
            Self::Uuid => text.parse::<super::value::Uuid>().is_ok(),
            Self::Phone => is_phone(text),
        }
    }

    const fn expectation(self) -> &'static str {
        match self {
            Self::Email => "an e-mail address",
            Self::Url => "an http or https address",
            Self::Uuid => "a UUID",
            Self::Phone => "a telephone number of 7 to 15 digits",
        }
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|char: char| char.is_whitespace() || char.is_control())
    };
    let labels_are_named = host.contains('.') && host.split('.').all(plain);
    text.len() <= 254 && plain(local) && !local.contains('@') && labels_are_named
}

fn is_url(text: &str) -> bool {
    text.parse::<http::Uri>().is_ok_and(|url| {
        let web = matches!(url.scheme_str(), Some("http" | "https"));
        web && url.host().is_some_and(|host| !host.is_empty())
    })
}

fn is_phone(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let written = |byte: u8| byte.is_ascii_digit() || b" -.()/".contains(&byte);
    (7..=15).contains(&digits) && number.bytes().all(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &Rules, value: &Value, expected: Option<&str>) {
        assert_eq!(rules.broken_by(value).as_deref(), expected, "{value:?}");
    }

    #[test]
    fn bounds_belong_to_the_range() {
        let rules = Rules {
            min: Some(Value::Int(13)),
            max: Some(Value::Int(120)),
            ..Rules::default()
        };

        check(&rules, &Value::Int(12), Some("at least 13"));
        check(&rules, &Value::Int(13), None);
        check(&rules, &Value::Int(120), None);
        check(&rules, &Value::Int(121), Some("at most 120"));
        check(&rules, &Value::Null, None);
    }

    #[test]
    fn lengths_count_code_points() {
        let rules = Rules {
            min_length: Some(2),
            max_length: Some(3),
            ..Rules::default()
        };

        check(
            &rules,
            &Value::Text("é".into()),
            Some("a text of at least 2 characters"),
        );
        check(&rules, &Value::Text("ééé".into()), None);
        check(
            &rules,
            &Value::Text("abcd".into()),
            Some("a text of at most 3 characters"),
        );
    }

    #[test]
    fn texts_are_matched_chosen_and_shaped() {
        let pattern = Rules {
            pattern: Pattern::new("^[a-z]+$"),
            ..Rules::default()
        };
        let choices = Rules {
            choices: vec![Value::Text("a".into()), Value::Text("b".into())],
            ..Rules::default()
        };

        check(&pattern, &Value::Text("abc".into()), None);
        check(
            &pattern,
            &Value::Text("a1".into()),
            Some("a text that matches ^[a-z]+$"),
        );
        check(
            &choices,
            &Value::Text("c".into()),
            Some(r#"one of "a", "b""#),
        );
    }

    #[test]
    fn formats_tell_right_from_wrong() {
        for (format, right, wrong) in [
            (Format::Email, "ada@example.org", "ada@example"),
            (Format::Email, "a.b+c@ex.am.ple", "a b@example.org"),
            (
                Format::Url,
                "https://example.org/x?y",
                "javascript:alert(1)",
            ),
            (Format::Url, "http://localhost:8765", "https://"),
            (Format::Phone, "+49 (30) 123-4567", "12345"),
            (
                Format::Uuid,
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "a0eebc99",
            ),
        ] {
            assert!(format.fits(right), "{right}");
            assert!(!format.fits(wrong), "{wrong}");
        }
    }
}
