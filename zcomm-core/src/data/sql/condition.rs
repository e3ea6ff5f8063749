//! Filters as conditions of SQL. Values stand as numbers of slots; what is in the slots is not seen here.

use sea_query::{Expr, ExprTrait, Func};

use super::dialect::Dialect;
use crate::data::field::Field;
use crate::data::filter::{Condition, Filter};
use crate::data::kind::Kind;
use crate::data::lookup::{Lookup, Part};
use crate::data::value::Value;

/// Gives out slots in the order in which [`Shape`](super::shape::Shape) fills them.
#[derive(Debug)]
pub(super) struct Slots {
    dialect: Dialect,
    next: i32,
}

impl Slots {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, next: 0 }
    }

    /// A placeholder for the next value, which is of this kind.
    pub(super) fn bound(&mut self, kind: Kind) -> Expr {
        self.dialect.placeholder(kind, self.number())
    }

    /// The number of the next slot.
    pub(super) fn number(&mut self) -> i32 {
        let slot = self.next;
        self.next += 1;
        slot
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The condition that a row of the filter satisfies; NULL counts as false.
    ///
    /// SQL has a third truth value and the language has not. It matters only where something is negated, so it is
    /// made false there, and a condition that an index could serve stays as plain as it is.
    pub(super) fn filter(&mut self, filter: &Filter) -> Expr {
        match filter {
            Filter::All(parts) => {
                let parts = parts.iter().map(|part| self.filter(part));
                parts.reduce(Expr::and).unwrap_or_else(|| truth(true))
            }
            Filter::Any(parts) => {
                let parts = parts.iter().map(|part| self.filter(part));
                parts.reduce(Expr::or).unwrap_or_else(|| truth(false))
            }
            Filter::Not(part) => {
                let part = self.filter(part);
                Expr::from(Func::coalesce([part, truth(false)])).not()
            }
            Filter::Test(condition) => self.test(&condition.field, &Test::of(condition)),
        }
    }

    fn test(&mut self, field: &Field, test: &Test<'_>) -> Expr {
        let column = || Dialect::column(field);
        match test {
            Test::Never => truth(false),
            Test::Always => truth(true),
            Test::Null(true) => column().is_null(),
            Test::Null(false) => column().is_not_null(),
            Test::Compare(sign, _) => self.compare(field, *sign),
            Test::OneOf { values, null, not } => {
                let values: Vec<Expr> = values.iter().map(|_| self.bound(field.kind)).collect();
                let same = self.dialect.same(field);
                match (not, null) {
                    (false, false) => same.is_in(values),
                    (false, true) => same.is_in(values).or(column().is_null()),
                    (true, false) => same.is_not_in(values).or(column().is_null()),
                    (true, true) => same.is_not_in(values).and(column().is_not_null()),
                }
            }
            Test::Between(..) => {
                let from = self.compare(field, Sign::Gte);
                from.and(self.compare(field, Sign::Lte))
            }
            Test::Text { part, fold, .. } => self.text(field, *part, *fold),
        }
    }

    fn compare(&mut self, field: &Field, sign: Sign) -> Expr {
        let value = self.bound(field.kind);
        let column = match sign {
            Sign::Equal | Sign::Unequal => self.dialect.same(field),
            _ => self.dialect.sorted(field),
        };
        match sign {
            Sign::Equal => column.eq(value),
            Sign::Unequal => column.ne(value).or(Dialect::column(field).is_null()),
            Sign::Gt => column.gt(value),
            Sign::Gte => column.gte(value),
            Sign::Lt => column.lt(value),
            Sign::Lte => column.lte(value),
        }
    }

    fn text(&mut self, field: &Field, part: Part, fold: bool) -> Expr {
        let slot = self.number();
        let text = || self.dialect.placeholder(Kind::Text, slot);
        let length = || Expr::from(Func::cust(sea_query::Alias::new("length")).arg(text()));
        let column = match fold {
            true => Dialect::lower(Dialect::column(field)),
            false if part == Part::Whole => self.dialect.same(field),
            // What a function makes of a column has no collation of its own.
            false => Dialect::column(field),
        };
        match part {
            Part::Whole => column.eq(text()),
            Part::Anywhere => self.dialect.place_of(text(), column).gt(Expr::cust("0")),
            Part::Start => {
                let substr = Func::cust(sea_query::Alias::new("substr"));
                let start = substr.args([column, Expr::cust("1"), length()]);
                Expr::from(start).eq(text())
            }
            Part::End => self.dialect.end(column, length()).eq(text()),
        }
    }
}

/// A constant that both dialects know.
pub(super) fn truth(truth: bool) -> Expr {
    Expr::cust(if truth { "TRUE" } else { "FALSE" })
}

/// How a column is compared with a value that is not NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    Unequal,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// A lookup as SQL has to be asked: NULL is told apart from values, and lists have few lengths.
#[derive(Debug)]
pub(super) enum Test<'a> {
    Never,
    Always,
    Null(bool),
    Compare(Sign, &'a Value),
    OneOf {
        values: Vec<&'a Value>,
        null: bool,
        not: bool,
    },
    Between(&'a Value, &'a Value),
    Text {
        part: Part,
        text: &'a str,
        fold: bool,
    },
}

impl<'a> Test<'a> {
    pub(super) fn of(condition: &'a Condition) -> Self {
        match &condition.lookup {
            Lookup::Exact(Value::Null) => Self::Null(true),
            Lookup::Ne(Value::Null) => Self::Null(false),
            Lookup::Exact(value) => Self::Compare(Sign::Equal, value),
            Lookup::Ne(value) => Self::Compare(Sign::Unequal, value),
            Lookup::Gt(value) => Self::Compare(Sign::Gt, value),
            Lookup::Gte(value) => Self::Compare(Sign::Gte, value),
            Lookup::Lt(value) => Self::Compare(Sign::Lt, value),
            Lookup::Lte(value) => Self::Compare(Sign::Lte, value),
            Lookup::In(values) => Self::one_of(values, false),
            Lookup::Nin(values) => Self::one_of(values, true),
            Lookup::Range(from, to) => Self::Between(from, to),
            Lookup::IsNull(null) => Self::Null(*null),
            // The last no characters of a text would be all of it.
            Lookup::Text { part, text, .. } if text.is_empty() && *part != Part::Whole => {
                Self::Null(false)
            }
            Lookup::Text { part, text, fold } => Self::Text {
                part: *part,
                text,
                fold: *fold,
            },
        }
    }

    /// A list is filled up to a power of two with its last value, or every length would be a text of its own.
    fn one_of(all: &'a [Value], not: bool) -> Self {
        let null = all.iter().any(Value::is_null);
        let mut values: Vec<&Value> = all.iter().filter(|value| !value.is_null()).collect();
        let Some(&last) = values.last() else {
            return match (null, not) {
                (true, not) => Self::Null(!not),
                (false, true) => Self::Always,
                (false, false) => Self::Never,
            };
        };
        values.resize(values.len().next_power_of_two(), last);
        Self::OneOf { values, null, not }
    }
}
