//! The one byte form of a command: two commands are the same only if their bytes are. Tagged and length-prefixed.

use super::filter::{Condition, Filter};
use super::lookup::{Lookup, Part};
use super::order::{Direction, Order};
use super::page::{Page, Start};
use super::query::{BigInts, Query, Shape};
use super::value::Value;
use super::write::{Effect, Values, Write};

/// Collects the parts of a canonical form.
#[derive(Default)]
pub(super) struct Canonical(Vec<u8>);

impl Canonical {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn flag(&mut self, flag: bool) {
        self.0.push(u8::from(flag));
    }

    fn value(&mut self, value: &Value) {
        self.text(&value.to_json().to_string());
    }

    fn values(&mut self, values: &[Value]) {
        self.count(values.len());
        values.iter().for_each(|value| self.value(value));
    }

    pub(super) fn filter(&mut self, filter: &Filter) {
        let (tag, parts) = match filter {
            Filter::All(parts) => ("all", parts.as_slice()),
            Filter::Any(parts) => ("any", parts.as_slice()),
            Filter::Not(part) => ("not", std::slice::from_ref(&**part)),
            Filter::Test(condition) => return self.condition(condition),
        };
        self.text(tag);
        self.count(parts.len());
        parts.iter().for_each(|part| self.filter(part));
    }

    fn condition(&mut self, condition: &Condition) {
        self.text("test");
        self.text(&condition.field.name);
        match &condition.lookup {
            Lookup::Exact(value) => self.tagged("exact", value),
            Lookup::Ne(value) => self.tagged("ne", value),
            Lookup::Gt(value) => self.tagged("gt", value),
            Lookup::Gte(value) => self.tagged("gte", value),
            Lookup::Lt(value) => self.tagged("lt", value),
            Lookup::Lte(value) => self.tagged("lte", value),
            Lookup::In(values) => {
                self.text("in");
                self.values(values);
            }
            Lookup::Nin(values) => {
                self.text("nin");
                self.values(values);
            }
            Lookup::Range(from, to) => {
                self.tagged("range", from);
                self.value(to);
            }
            Lookup::IsNull(null) => {
                self.text("isnull");
                self.flag(*null);
            }
            Lookup::Text { part, text, fold } => {
                self.text(match part {
                    Part::Whole => "whole",
                    Part::Anywhere => "anywhere",
                    Part::Start => "start",
                    Part::End => "end",
                });
                self.flag(*fold);
                self.text(text);
            }
        }
    }

    fn tagged(&mut self, tag: &str, value: &Value) {
        self.text(tag);
        self.value(value);
    }

    pub(super) fn order(&mut self, order: &Order) {
        self.count(order.sorts().len());
        for sort in order.sorts() {
            self.text(&sort.field.name);
            self.flag(sort.direction == Direction::Descending);
        }
    }

    fn row(&mut self, values: &Values) {
        self.count(values.iter().count());
        for (field, value) in values.iter() {
            self.text(&field.name);
            self.value(value);
        }
    }
}

impl Query {
    /// The query as bytes that are equal only for equal queries; a cache's key holds them.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.canonical_into(&mut bytes);
        bytes
    }

    /// The same bytes behind those that are there.
    pub(crate) fn canonical_into(&self, bytes: &mut Vec<u8>) {
        // Taken apart without `..`: a member that is added to a query does not compile until it is in here.
        let Self {
            model,
            filter,
            fields,
            order,
            page: Page { limit, start },
            shape,
            big_ints,
        } = self;
        let mut out = Canonical(std::mem::take(bytes));
        out.text("read");
        out.text(model.name());
        out.filter(filter);
        match fields {
            None => out.text("all"),
            Some(fields) => {
                out.text("named");
                out.count(fields.len());
                fields.iter().for_each(|field| out.text(&field.name));
            }
        }
        out.order(order);
        out.flag(limit.is_some());
        out.number(limit.unwrap_or_default());
        match start {
            Start::Offset(offset) => {
                out.text("offset");
                out.number(*offset);
            }
            Start::Cursor(cursor) => {
                out.text("after");
                out.text(cursor);
            }
        }
        out.flag(*shape == Shape::One);
        out.flag(*big_ints == BigInts::String);
        *bytes = out.into_bytes();
    }
}

impl Write {
    /// The write as bytes that are equal only for equal writes; the idempotency key is not among them.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Canonical::default();
        out.text(self.operation().as_str());
        out.text(self.model.name());
        match &self.effect {
            Effect::Create { rows, bulk } => {
                out.flag(*bulk);
                out.count(rows.len());
                rows.iter().for_each(|row| out.row(row));
            }
            Effect::Update { filter, set } => {
                out.filter(filter);
                out.row(set);
            }
            Effect::Delete { filter } => out.filter(filter),
            Effect::Upsert { row, conflict, .. } => {
                out.row(row);
                conflict.iter().for_each(|field| out.text(&field.name));
            }
        }
        out.flag(self.dry_run);
        out.flag(self.big_ints == BigInts::String);
        out.into_bytes()
    }
}
