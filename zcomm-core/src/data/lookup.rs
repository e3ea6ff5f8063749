//! How a field can be compared with a value. Holds typed values, evaluates nothing.

use super::kind::Kind;
use super::value::Value;

/// A comparison, by Django's names.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Lookup {
    /// The same; NULL is the same as NULL.
    Exact(Value),
    /// Not the same; a NULL field is not the same as any value.
    Ne(Value),
    /// Greater.
    Gt(Value),
    /// Greater or the same.
    Gte(Value),
    /// Less.
    Lt(Value),
    /// Less or the same.
    Lte(Value),
    /// One of these, NULL included.
    In(Vec<Value>),
    /// None of these.
    Nin(Vec<Value>),
    /// Between the two, both included.
    Range(Value, Value),
    /// NULL, or not NULL.
    IsNull(bool),
    /// Part of a text.
    Text {
        /// Where the part stands.
        part: Part,
        /// The part; in lower case where `fold` is set.
        text: String,
        /// Whether both sides are compared in simple lower case.
        fold: bool,
    },
}

/// Where in a text something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// It is the whole text.
    Whole,
    /// Anywhere.
    Anywhere,
    /// At the start.
    Start,
    /// At the end.
    End,
}

/// What a lookup takes after its name.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    OneOrNull(fn(Value) -> Lookup),
    One(fn(Value) -> Lookup),
    Many(fn(Vec<Value>) -> Lookup),
    Two,
    Flag,
    Text(Part, bool),
}

/// Every lookup by its name, in the protocol's order.
const LOOKUPS: [(&str, Shape); 17] = [
    ("exact", Shape::OneOrNull(Lookup::Exact)),
    ("iexact", Shape::Text(Part::Whole, true)),
    ("ne", Shape::OneOrNull(Lookup::Ne)),
    ("gt", Shape::One(Lookup::Gt)),
    ("gte", Shape::One(Lookup::Gte)),
    ("lt", Shape::One(Lookup::Lt)),
    ("lte", Shape::One(Lookup::Lte)),
    ("in", Shape::Many(Lookup::In)),
    ("nin", Shape::Many(Lookup::Nin)),
    ("contains", Shape::Text(Part::Anywhere, false)),
    ("icontains", Shape::Text(Part::Anywhere, true)),
    ("startswith", Shape::Text(Part::Start, false)),
    ("istartswith", Shape::Text(Part::Start, true)),
    ("endswith", Shape::Text(Part::End, false)),
    ("iendswith", Shape::Text(Part::End, true)),
    ("isnull", Shape::Flag),
    ("range", Shape::Two),
];

impl Lookup {
    /// The names of the lookups that fields of a type have.
    pub fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
        let fits = move |name: &&str| match *name {
            "isnull" => true,
            "exact" | "ne" | "in" | "nin" => kind != Kind::Json,
            "gt" | "gte" | "lt" | "lte" | "range" => kind.is_ordered(),
            _ => kind == Kind::Text,
        };
        LOOKUPS.iter().map(|&(name, _)| name).filter(fits)
    }

    /// The shape of a lookup that fields of this type have.
    pub(super) fn shape(kind: Kind, name: &str) -> Option<Shape> {
        Self::names(kind).find(|known| *known == name)?;
        LOOKUPS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|&(_, shape)| shape)
    }
}
