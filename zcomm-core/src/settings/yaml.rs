//! The machine file: YAML taken apart into dotted paths, each with its line. Knows no keys.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::value::Raw;

/// A value of the file, under its dotted path.
pub(super) struct Leaf {
    pub(super) path: String,
    /// `None` where the shape fits no setting: a mapping inside a list.
    pub(super) raw: Option<Raw>,
    pub(super) line: u64,
}

/// Why a text is no YAML, or not the YAML of a configuration.
pub(super) struct SyntaxError {
    pub(super) line: u64,
    pub(super) message: String,
}

/// Takes a text apart, in the order in which it is written.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, SyntaxError> {
    let mut options = serde_saphyr::Options::default();
    // A snippet of the file in an error would show the secret in the line below.
    options.with_snippet = false;
    // The parser keeps comments and refuses many in a row: ours is a file made of comments.
    options.emit_comments = false;
    let document: Option<Spanned<Node>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| syntax(&error))?;
    let Some(document) = document else {
        return Ok(Vec::new());
    };
    match document.value {
        Node::Null => Ok(Vec::new()),
        Node::Map(entries) => {
            let mut found = Vec::new();
            walk(text, "", entries, &mut found);
            Ok(found)
        }
        Node::Text(_) | Node::Plain | Node::List(_) => Err(SyntaxError {
            line: document.referenced.line(),
            message: "expected `key: value` lines".to_owned(),
        }),
    }
}

fn walk(source: &str, prefix: &str, entries: Vec<(String, Spanned<Node>)>, found: &mut Vec<Leaf>) {
    for (name, node) in entries {
        let path = match prefix {
            "" => name,
            _ => format!("{prefix}.{name}"),
        };
        let line = node.referenced.line();
        match node.value {
            Node::Map(entries) => walk(source, &path, entries, found),
            // `port:` with nothing behind it leaves the layers below in force.
            Node::Null => {}
            _ => found.push(Leaf {
                path,
                raw: raw(source, &node),
                line,
            }),
        }
    }
}

fn raw(source: &str, node: &Spanned<Node>) -> Option<Raw> {
    match &node.value {
        Node::List(items) => items
            .iter()
            .map(|item| one(source, item))
            .collect::<Option<_>>()
            .map(Raw::Many),
        _ => one(source, node).map(Raw::One),
    }
}

fn one(source: &str, node: &Spanned<Node>) -> Option<String> {
    match &node.value {
        Node::Text(text) => Some(text.clone()),
        Node::Plain => as_written(source, node),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// A number or boolean exactly as it stands in the file: a token `0123` must not become `123`.
fn as_written(source: &str, node: &Spanned<Node>) -> Option<String> {
    let span = node.defined.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let text = source.get(start..start.checked_add(length)?)?;
    Some(text.trim().to_owned())
}

fn syntax(error: &serde_saphyr::Error) -> SyntaxError {
    let message = match error.without_snippet() {
        // The parser's own words advise a programmer to call something else.
        serde_saphyr::Error::MultipleDocuments { .. } => "more than one document".to_owned(),
        other => other.to_string(),
    };
    SyntaxError {
        line: error.location().map_or(1, |place| place.line()),
        message,
    }
}

/// A node of any shape; scalars that are not texts keep only their place.
enum Node {
    Null,
    Text(String),
    Plain,
    List(Vec<Spanned<Self>>),
    Map(Vec<(String, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Node::Map(map))
    }
}
