//! What of a command decides its text, as bytes, and apart from it the values. Writes no SQL.

use super::condition::Test;
use crate::data::field::Field;
use crate::data::filter::Filter;
use crate::data::lookup::Part;
use crate::data::order::{Direction, Sort};
use crate::data::value::Value;

/// Two commands of one shape have one text, and their values stand in the same places.
#[derive(Debug)]
pub(super) struct Shape {
    key: Vec<u8>,
    values: Vec<Value>,
}

impl Shape {
    /// The shape of some kind of statement on a model.
    pub(super) fn new(statement: u8, model: &str) -> Self {
        let mut shape = Self {
            key: Vec::with_capacity(160),
            values: Vec::with_capacity(4),
        };
        shape.tag(statement);
        shape.name(model);
        shape
    }

    pub(super) fn into_parts(self) -> (Vec<u8>, Vec<Value>) {
        (self.key, self.values)
    }

    pub(super) fn tag(&mut self, tag: u8) {
        self.key.push(tag);
    }

    fn name(&mut self, name: &str) {
        let length = u8::try_from(name.len()).expect("names have at most 63 bytes");
        self.key.push(length);
        self.key.extend_from_slice(name.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.key.extend_from_slice(&(count as u64).to_be_bytes());
    }

    pub(super) fn field(&mut self, field: &Field) {
        self.name(&field.name);
        self.key.push(field.kind as u8);
    }

    pub(super) fn fields<'f>(&mut self, fields: impl ExactSizeIterator<Item = &'f Field>) {
        self.count(fields.len());
        fields.for_each(|field| self.field(field));
    }

    pub(super) fn value(&mut self, value: Value) {
        self.values.push(value);
    }

    pub(super) fn sort(&mut self, sort: &Sort) {
        self.field(&sort.field);
        self.tag(u8::from(sort.direction == Direction::Descending));
    }

    pub(super) fn filter(&mut self, filter: &Filter) {
        let (tag, parts) = match filter {
            Filter::All(parts) => (b'&', parts.as_slice()),
            Filter::Any(parts) => (b'|', parts.as_slice()),
            Filter::Not(part) => (b'!', std::slice::from_ref(&**part)),
            Filter::Test(condition) => {
                self.tag(b'?');
                self.field(&condition.field);
                return self.test(&Test::of(condition));
            }
        };
        self.tag(tag);
        self.count(parts.len());
        parts.iter().for_each(|part| self.filter(part));
    }

    fn test(&mut self, test: &Test<'_>) {
        match test {
            Test::Never => self.tag(b'0'),
            Test::Always => self.tag(b'1'),
            Test::Null(null) => self.key.extend([b'N', u8::from(*null)]),
            Test::Compare(sign, value) => {
                self.key.extend([b'C', *sign as u8]);
                self.value((*value).clone());
            }
            Test::OneOf { values, null, not } => {
                self.key.extend([b'I', u8::from(*null), u8::from(*not)]);
                self.count(values.len());
                self.values.extend(values.iter().copied().cloned());
            }
            Test::Between(from, to) => {
                self.tag(b'R');
                self.values.extend([(*from).clone(), (*to).clone()]);
            }
            Test::Text { part, text, fold } => {
                let part = match part {
                    Part::Whole => 0,
                    Part::Anywhere => 1,
                    Part::Start => 2,
                    Part::End => 3,
                };
                self.key.extend([b'T', part, u8::from(*fold)]);
                self.value(Value::Text((*text).to_owned()));
            }
        }
    }
}
