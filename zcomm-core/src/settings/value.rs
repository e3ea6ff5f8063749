//! A setting's value: read from what a layer gives, by the kind of its key. Knows no layers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Key, Kind, quantity};
use crate::Secret;

/// What a layer gives, before anybody knows the key: one text, or several.
#[derive(Clone)]
pub(super) enum Raw {
    One(String),
    Many(Vec<String>),
}

/// A value that has passed its key's checks.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    Number(u64),
    Duration(Duration),
    List(Vec<String>),
    Path(PathBuf),
    Secret(Secret),
}

/// Reads what a layer gave; the error says what would have been allowed.
pub(super) fn read(key: &Key, raw: &Raw, base: Option<&Path>) -> Result<Value, String> {
    match (key.kind, raw) {
        (Kind::List, Raw::Many(items)) => Ok(Value::List(items.clone())),
        (Kind::List, Raw::One(text)) => Ok(Value::List(split(text))),
        (_, Raw::Many(_)) => Err(format!("one value, not a list: {}", allowed(key))),
        (_, Raw::One(text)) => scalar(key, text, base).ok_or_else(|| allowed(key)),
    }
}

fn scalar(key: &Key, text: &str, base: Option<&Path>) -> Option<Value> {
    let trimmed = text.trim();
    match key.kind {
        Kind::Text if key.secret => secret(text),
        Kind::Url if key.secret => is_url(trimmed).then(|| secret(trimmed))?,
        Kind::Text => Some(Value::Text(text.to_owned())),
        Kind::Url => is_url(trimmed).then(|| Value::Text(trimmed.to_owned())),
        Kind::Flag => flag(trimmed).map(Value::Flag),
        Kind::Port => trimmed
            .parse()
            .ok()
            .map(|port: u16| Value::Number(port.into())),
        Kind::Count => number(key, trimmed.parse().ok()?),
        Kind::Size => number(key, quantity::size(trimmed)?),
        Kind::Duration => span(key, quantity::span(trimmed)?),
        Kind::List => Some(Value::List(split(text))),
        Kind::Path => path(trimmed, base),
        Kind::Choice(words) => words
            .iter()
            .find(|word| word.eq_ignore_ascii_case(trimmed))
            .map(|word| Value::Text((*word).to_owned())),
    }
}

/// What a key takes, for the end of an error and for the documentation.
pub(super) fn allowed(key: &Key) -> String {
    let bounds = |show: fn(u64) -> String| match key.range {
        Some((least, u64::MAX)) => format!(" of {} or more", show(least)),
        Some((least, most)) => format!(" from {} to {}", show(least), show(most)),
        None => String::new(),
    };
    match key.kind {
        Kind::Text => "a text that is not empty".to_owned(),
        Kind::Flag => "true or false, yes or no, on or off, 1 or 0".to_owned(),
        Kind::Port => "a port from 0 to 65535".to_owned(),
        Kind::Count => format!("a whole number{}", bounds(|number| number.to_string())),
        Kind::Size => format!(
            "a size like 512, 64KiB or 1MiB{}",
            bounds(quantity::show_size)
        ),
        Kind::Duration => format!(
            "a time like 500ms, 30s or 5m{}",
            bounds(quantity::show_span)
        ),
        Kind::List => "texts parted by commas, or a list of them".to_owned(),
        Kind::Path => "a file or folder".to_owned(),
        Kind::Url => "an address with its scheme, like redis://localhost:6379".to_owned(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
    }
}

impl Value {
    /// The value as a user would write it; a secret as `***`.
    pub(super) fn show(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Number(bytes), Kind::Size) => quantity::show_size(*bytes),
            (Self::Number(number), _) => number.to_string(),
            (Self::Text(text), _) => text.clone(),
            (Self::Flag(on), _) => on.to_string(),
            (Self::Duration(span), _) => quantity::show_span(milliseconds(*span)),
            (Self::List(items), _) => items.join(", "),
            (Self::Path(path), _) => path.display().to_string(),
            (Self::Secret(_), _) => "***".to_owned(),
        }
    }
}

/// An empty secret is refused: `TOKEN=` is a token that was lost, and would match an empty one.
fn secret(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| Value::Secret(Secret::new(text)))
}

fn flag(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["true", "yes", "on", "1"]) {
        return Some(true);
    }
    is(&["false", "no", "off", "0"]).then_some(false)
}

fn number(key: &Key, number: u64) -> Option<Value> {
    in_range(key, number).then_some(Value::Number(number))
}

fn span(key: &Key, span: Duration) -> Option<Value> {
    in_range(key, milliseconds(span)).then_some(Value::Duration(span))
}

fn in_range(key: &Key, number: u64) -> bool {
    key.range
        .is_none_or(|(least, most)| (least..=most).contains(&number))
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn path(text: &str, base: Option<&Path>) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    Some(Value::Path(resolve(text, base)))
}

/// Puts a relative path under the folder of the file that names it.
pub(super) fn resolve(text: &str, base: Option<&Path>) -> PathBuf {
    // `./logs` under `/etc/zcomm` should read `/etc/zcomm/logs`.
    let relative = text.strip_prefix("./").unwrap_or(text);
    match base {
        Some(folder) => folder.join(relative),
        None => PathBuf::from(text),
    }
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(plain)
        && !rest.is_empty()
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

fn split(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
