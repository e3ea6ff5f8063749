//! YAML as a tree in which every node knows its line. Knows no schema.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_saphyr::Spanned;

/// A node and the line it stands in.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) shape: Shape,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Shape {
    /// A scalar, and how the file writes it: `0.10` is not `0.1` to a decimal.
    Scalar {
        json: Json,
        written: String,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Why a text is no YAML.
pub(super) struct SyntaxError {
    pub(super) line: u64,
    pub(super) message: String,
}

impl Node {
    /// Reads one document.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut options = serde_saphyr::Options::default();
        // A snippet could show a `Data_Password` in the line below.
        options.with_snippet = false;
        match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
            Ok(tree) => Ok(Self::of(tree, text)),
            Err(error) => Err(SyntaxError {
                line: error.location().map_or(1, |place| place.line()),
                message: error.without_snippet().to_string(),
            }),
        }
    }

    pub(super) fn json(&self) -> Option<&Json> {
        match &self.shape {
            Shape::Scalar { json, .. } => Some(json),
            Shape::List(_) | Shape::Map(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.json().and_then(Json::as_str)
    }

    pub(super) fn flag(&self) -> Option<bool> {
        self.json().and_then(Json::as_bool)
    }

    pub(super) fn is_null(&self) -> bool {
        self.json().is_some_and(Json::is_null)
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match &self.shape {
            Shape::List(items) => Some(items),
            Shape::Scalar { .. } | Shape::Map(_) => None,
        }
    }

    pub(super) fn map(&self) -> Option<&[(String, Self)]> {
        match &self.shape {
            Shape::Map(entries) => Some(entries),
            Shape::Scalar { .. } | Shape::List(_) => None,
        }
    }

    /// Every item of a list, if all are texts.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        self.list()?.iter().map(Self::text).collect()
    }

    fn of(tree: Spanned<Tree>, source: &str) -> Self {
        let line = tree.referenced.line();
        let shape = match tree.value {
            Tree::Scalar(json) => {
                let written = written(source, tree.defined.span()).unwrap_or_default();
                Shape::Scalar { json, written }
            }
            Tree::List(items) => Shape::List(
                items
                    .into_iter()
                    .map(|item| Self::of(item, source))
                    .collect(),
            ),
            Tree::Map(entries) => {
                let entries = entries.into_iter();
                Shape::Map(
                    entries
                        .map(|(key, node)| (key, Self::of(node, source)))
                        .collect(),
                )
            }
        };
        Self { line, shape }
    }
}

fn written(source: &str, span: serde_saphyr::Span) -> Option<String> {
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    let text = source.get(start..start.checked_add(length)?)?;
    Some(text.trim().to_owned())
}

/// What serde makes of the text, before lines are looked up.
enum Tree {
    Scalar(Json),
    List(Vec<Spanned<Self>>),
    Map(Vec<(String, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree, E> {
        Ok(Tree::Scalar(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Scalar(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Scalar(number.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Tree, E> {
        Err(E::custom("a number beyond 64 bits"))
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Tree, E> {
        Err(E::custom("a number beyond 64 bits"))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Scalar(number.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Scalar(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Json::Null))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Scalar(Json::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map: Vec<(String, _)> = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, _>()? {
            if map.iter().any(|(other, _)| *other == key) {
                return Err(A::Error::custom(format!("`{key}` is there twice")));
            }
            map.push((key, value));
        }
        Ok(Tree::Map(map))
    }
}
