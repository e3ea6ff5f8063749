//! What differs between the dialects: types, collations, a few functions. Knows no commands.

use sea_query::{
    Alias, Expr, ExprTrait, Func, Order as Side, PostgresQueryBuilder, SelectStatement,
};
use sea_query::{NullOrdering, QueryStatementWriter, SqliteQueryBuilder, Values};

use super::{DECIMAL, LOWER};
use crate::data::field::Field;
use crate::data::kind::Kind;
use crate::data::order::{Direction, Sort};

/// A way of writing SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// SQLite 3.38 or later.
    Sqlite,
    /// PostgreSQL 13 or later.
    Postgres,
}

impl Dialect {
    /// The type that a column of this kind is declared with.
    ///
    /// SQLite looks for words in it: whatever has `TEXT` in it keeps texts as they are.
    pub const fn column_type(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Sqlite, Kind::Int) => "INTEGER",
            (Self::Sqlite, Kind::Float) => "REAL",
            (Self::Sqlite, Kind::Decimal) => "DECIMAL_TEXT",
            (Self::Sqlite, Kind::Bool) => "BOOLEAN",
            (Self::Sqlite, Kind::Text) => "TEXT",
            (Self::Sqlite, Kind::DateTime) => "DATETIME_TEXT",
            (Self::Sqlite, Kind::Date) => "DATE_TEXT",
            (Self::Sqlite, Kind::Uuid) => "UUID_TEXT",
            (Self::Sqlite, Kind::Json) => "JSON_TEXT",
            (Self::Sqlite, Kind::Blob) => "BLOB",
            (Self::Postgres, Kind::Int) => "bigint",
            (Self::Postgres, Kind::Float) => "double precision",
            (Self::Postgres, Kind::Decimal) => "numeric",
            (Self::Postgres, Kind::Bool) => "boolean",
            (Self::Postgres, Kind::Text) => "text COLLATE \"C\"",
            (Self::Postgres, Kind::DateTime) => "timestamptz(3)",
            (Self::Postgres, Kind::Date) => "date",
            (Self::Postgres, Kind::Uuid) => "uuid",
            // Not `jsonb`, which puts keys into an order of its own.
            (Self::Postgres, Kind::Json) => "json",
            (Self::Postgres, Kind::Blob) => "bytea",
        }
    }

    /// The kind of a column that is declared with this type; types of other people's tables are known, too.
    pub fn kind(self, declared: &str) -> Kind {
        let own = Kind::ALL
            .into_iter()
            .find(|&kind| self.column_type(kind).eq_ignore_ascii_case(declared));
        let declared = || declared.to_ascii_lowercase();
        let known = own.or_else(|| foreign(&declared()));
        known.unwrap_or_else(|| match self {
            Self::Sqlite => by_affinity(&declared()),
            Self::Postgres => Kind::Text,
        })
    }

    pub(super) fn column(field: &Field) -> Expr {
        Expr::col(Alias::new(&field.name))
    }

    /// A column as it is compared for being the same: equal values have equal bytes.
    ///
    /// In SQLite a table of somebody else may have a column whose collation takes other texts for the same. Where that
    /// is ours, an index over it serves as well.
    pub(super) fn same(self, field: &Field) -> Expr {
        let column = Self::column(field);
        match self {
            Self::Sqlite if is_kept_as_text(field.kind) => {
                Expr::cust_with_expr("? COLLATE BINARY", column)
            }
            _ => column,
        }
    }

    /// A column as it is sorted and compared by size: texts by code point, decimals by number.
    pub(super) fn sorted(self, field: &Field) -> Expr {
        let column = Self::column(field);
        match (self, field.kind) {
            (Self::Sqlite, Kind::Decimal) => {
                Expr::cust_with_expr(format!("? COLLATE {DECIMAL}"), column)
            }
            (Self::Sqlite, _) => self.same(field),
            (Self::Postgres, Kind::Text) => Expr::cust_with_expr("$1 COLLATE \"C\"", column),
            _ => column,
        }
    }

    /// A placeholder for a value of this kind.
    ///
    /// What PostgreSQL would want in a binary form of its own is sent as text and cast there.
    pub(super) fn placeholder(self, kind: Kind, slot: i32) -> Expr {
        let bare = Expr::val(slot);
        match (self, kind) {
            (
                Self::Postgres,
                Kind::Decimal | Kind::DateTime | Kind::Date | Kind::Uuid | Kind::Json,
            ) => {
                let named = self.column_type(kind).trim_end_matches("(3)");
                bare.cast_as(Alias::new("text")).cast_as(Alias::new(named))
            }
            _ => bare,
        }
    }

    pub(super) fn lower(text: Expr) -> Expr {
        Func::cust(Alias::new(LOWER)).arg(text).into()
    }

    pub(super) fn place_of(self, part: Expr, whole: Expr) -> Expr {
        let name = match self {
            Self::Sqlite => "instr",
            Self::Postgres => "strpos",
        };
        Func::cust(Alias::new(name)).args([whole, part]).into()
    }

    /// As many code points of a text's end as another text has.
    pub(super) fn end(self, whole: Expr, length: Expr) -> Expr {
        match self {
            Self::Sqlite => {
                let from = Expr::cust_with_expr("-?", length);
                Func::cust(Alias::new("substr")).args([whole, from]).into()
            }
            Self::Postgres => Func::cust(Alias::new("right")).args([whole, length]).into(),
        }
    }

    pub(super) fn order_by(self, statement: &mut SelectStatement, sort: &Sort) {
        let (side, nulls) = match sort.direction {
            Direction::Ascending => (Side::Asc, NullOrdering::First),
            Direction::Descending => (Side::Desc, NullOrdering::Last),
        };
        let by = self.sorted(&sort.field);
        match self {
            // It is how SQLite sorts anyway, and it uses an index only where nobody says so.
            Self::Sqlite => statement.order_by_expr(by, side),
            Self::Postgres => statement.order_by_expr_with_nulls(by, side, nulls),
        };
    }

    pub(super) fn build(self, statement: &impl QueryStatementWriter) -> (String, Values) {
        match self {
            Self::Sqlite => statement.build(SqliteQueryBuilder),
            Self::Postgres => statement.build(PostgresQueryBuilder),
        }
    }
}

/// The kinds whose values SQLite keeps as texts, which have a collation.
const fn is_kept_as_text(kind: Kind) -> bool {
    use Kind::{Date, DateTime, Decimal, Json, Text, Uuid};
    matches!(kind, Text | Decimal | DateTime | Date | Uuid | Json)
}

/// The nearest kind, by the words that SQL dialects have for it; none where there is no such word.
fn foreign(declared: &str) -> Option<Kind> {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    let starts = |words: &[&str]| words.iter().any(|word| declared.starts_with(word));
    let kind = if starts(&["bool"]) {
        Kind::Bool
    } else if starts(&["timestamp", "datetime"]) {
        Kind::DateTime
    } else if starts(&["date"]) {
        Kind::Date
    } else if starts(&["uuid"]) {
        Kind::Uuid
    } else if starts(&["json"]) {
        Kind::Json
    } else if starts(&["numeric", "decimal"]) {
        Kind::Decimal
    } else if has(&["blob", "bytea", "binary"]) {
        Kind::Blob
    } else if has(&["real", "floa", "doub"]) {
        Kind::Float
    } else if has(&["int", "serial"]) && !has(&["interval", "point"]) {
        Kind::Int
    } else {
        return None;
    };
    Some(kind)
}

/// What SQLite makes of values by a declared type that no dialect has a kind for.
///
/// It looks for words, too, and knows fewer: a column of `STRING` is numeric to it, so `007` is kept as the number 7.
fn by_affinity(declared: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["int"]) {
        Kind::Int
    } else if has(&["char", "clob", "text"]) || declared.is_empty() {
        Kind::Text
    } else {
        Kind::Decimal
    }
}
