//! Reads one field of a model: type, keys, default and rules.

use serde_json::Value as Json;

use super::node::{Node, Shape};
use super::problem::Fault;
use super::reader::Reader;
use crate::data::field::{DefaultValue, Field, Relation};
use crate::data::kind::Kind;
use crate::data::rules::{Format, Pattern, Rules};
use crate::data::value::Value;

const KEYS: &str = "type, pk, auto_increment, unique, required, default, fk, rules, min, max, min_length, max_length, \
                    pattern, format, choices";

/// Reads a field; what is wrong with it is reported, and what is right is kept.
pub(super) fn read(reader: &mut Reader<'_>, model: &str, name: &str, node: &Node) -> Option<Field> {
    let mut at = At {
        reader,
        model,
        name,
    };
    let entries = match &node.shape {
        // The short form: `email: str`.
        Shape::Scalar { .. } => {
            let kind = at.kind(node)?;
            return Some(Field::new(name, kind));
        }
        Shape::Map(entries) => entries,
        Shape::List(_) => {
            at.expected(node, name, "a type or a mapping");
            return None;
        }
    };
    let Some((_, kind)) = entries.iter().find(|(key, _)| key == "type") else {
        at.expected(node, "type", "a type");
        return None;
    };
    let mut field = Field::new(name, at.kind(kind)?);
    for (key, value) in entries.iter().filter(|(key, _)| key != "type") {
        at.property(&mut field, key, value);
    }
    Some(field)
}

/// The field that is being read, for reports.
struct At<'r, 'f> {
    reader: &'r mut Reader<'f>,
    model: &'r str,
    name: &'r str,
}

impl At<'_, '_> {
    fn property(&mut self, field: &mut Field, key: &str, node: &Node) {
        match key {
            "pk" | "primary_key" => field.primary_key = self.flag(key, node),
            "auto_increment" | "autoincrement" => field.auto_increment = self.flag(key, node),
            "unique" => field.unique = self.flag(key, node),
            "required" => field.required = self.flag(key, node),
            "default" => field.default = self.default(field.kind, node),
            "fk" => self.relation(field, node),
            "rules" => match node.map() {
                None => self.expected(node, key, "a mapping"),
                Some(entries) => {
                    for (key, node) in entries {
                        self.rule(field.kind, &mut field.rules, key, node);
                    }
                }
            },
            _ => self.rule(field.kind, &mut field.rules, key, node),
        }
    }

    fn rule(&mut self, kind: Kind, rules: &mut Rules, key: &str, node: &Node) {
        match key {
            "min" => rules.min = self.value(kind, key, node),
            "max" => rules.max = self.value(kind, key, node),
            "min_length" | "minlength" => rules.min_length = self.length(kind, key, node),
            "max_length" | "maxlength" => rules.max_length = self.length(kind, key, node),
            "pattern" => {
                let pattern = node.text().filter(|_| kind == Kind::Text);
                rules.pattern = pattern.and_then(Pattern::new);
                if rules.pattern.is_none() {
                    self.expected(node, key, "a regular expression, on a str field");
                }
            }
            "format" => {
                let format = node.text().filter(|_| kind == Kind::Text);
                rules.format = format.and_then(Format::from_name);
                if rules.format.is_none() {
                    let known = Format::ALL.map(Format::as_str).join(", ");
                    self.expected(node, key, &format!("one of {known}, on a str field"));
                }
            }
            "choices" | "enum" => match node.list() {
                Some(items) if !items.is_empty() => {
                    let values = items.iter().filter_map(|item| self.value(kind, key, item));
                    rules.choices = values.collect();
                }
                _ => self.expected(node, key, "a list of one or more values"),
            },
            _ => self.fault(
                node,
                Fault::UnknownKey {
                    key: key.to_owned(),
                    allowed: KEYS,
                },
            ),
        }
    }

    fn kind(&mut self, node: &Node) -> Option<Kind> {
        let name = node.text().unwrap_or_default();
        let kind = Kind::from_name(name);
        if kind.is_none() {
            let name = name.to_owned();
            self.fault(node, Fault::UnknownType { name });
        }
        kind
    }

    fn default(&mut self, kind: Kind, node: &Node) -> Option<DefaultValue> {
        match node.text() {
            Some("now" | "&date_utils.get_timestamp()") if DefaultValue::Now.suits(kind) => {
                Some(DefaultValue::Now)
            }
            Some("uuid" | "&id_generator.generate_uuid()") if DefaultValue::Uuid.suits(kind) => {
                Some(DefaultValue::Uuid)
            }
            Some(call) if call.starts_with('&') => {
                self.fault(
                    node,
                    Fault::Unsupported {
                        what: format!("the plugin call `{call}`"),
                        instead: "a default is `now`, `uuid` or a literal",
                    },
                );
                None
            }
            _ if node.is_null() => None,
            _ => self.value(kind, "default", node).map(DefaultValue::Literal),
        }
    }

    fn relation(&mut self, field: &mut Field, node: &Node) {
        let dotted = node.text().and_then(|text| text.split_once('.'));
        let part = |name: &str| {
            let mut entries = node.map()?.iter();
            entries.find(|(key, _)| key == name)?.1.text()
        };
        let only = node.map().is_none_or(|entries| entries.len() == 2);
        match dotted.or_else(|| part("table").zip(part("field"))) {
            Some((model, target)) if only => {
                let to = Relation {
                    model: model.to_owned(),
                    field: target.to_owned(),
                };
                self.reader.relation(node.line, self.model, self.name, &to);
                field.relation = Some(to);
            }
            _ => self.expected(node, "fk", "{table: …, field: …} or \"table.field\""),
        }
    }

    fn flag(&mut self, key: &str, node: &Node) -> bool {
        if node.flag().is_none() {
            self.expected(node, key, "true or false");
        }
        node.flag().unwrap_or_default()
    }

    fn length(&mut self, kind: Kind, key: &str, node: &Node) -> Option<usize> {
        let length = node.json().and_then(Json::as_u64);
        let length = length.filter(|_| kind == Kind::Text);
        if length.is_none() {
            self.expected(node, key, "a whole number, on a str field");
        }
        length.and_then(|length| usize::try_from(length).ok())
    }

    /// A value of the field's type. Decimals count as they are written, quoted or not.
    fn value(&mut self, kind: Kind, key: &str, node: &Node) -> Option<Value> {
        let value = match &node.shape {
            Shape::Scalar { json, written } if kind == Kind::Decimal && json.is_number() => {
                Value::from_text(kind, written)
            }
            Shape::Scalar { json, .. } => Value::from_json(kind, json).filter(|it| !it.is_null()),
            Shape::List(_) | Shape::Map(_) => None,
        };
        if value.is_none() {
            self.expected(node, key, kind.expectation());
        }
        value
    }

    fn expected(&mut self, node: &Node, key: &str, expected: &str) {
        let (key, expected) = (key.to_owned(), expected.to_owned());
        self.fault(node, Fault::Expected { key, expected });
    }

    fn fault(&mut self, node: &Node, fault: Fault) {
        self.reader
            .fault(node.line, self.model, Some(self.name), fault);
    }
}
