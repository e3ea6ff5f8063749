//! SQL text for the stores that speak it: one language in two dialects. Connects to nothing.
//!
//! Whatever a caller sent stands in [`Statement::values`] and is bound; it never comes near the text. The text knows
//! only names of a [`Model`](super::Model), which are letters, digits and underscores, and quotes even those.
//!
//! ```
//! use serde_json::json;
//! use zcomm_core::Identity;
//! use zcomm_core::data::sql::{Dialect, Sql};
//! use zcomm_core::data::{Access, Field, Kind, Model, Query, Requester, Value};
//!
//! let users = Model::builder("users").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
//! let query = Query::parse(&users, json!({"where": 7}).as_object().unwrap()).unwrap();
//! let guest = Identity::guest();
//! let query = Access::unrestricted().query(query, &Requester::new(&guest)).unwrap();
//!
//! let statement = Sql::new(Dialect::Sqlite).select(&query);
//!
//! assert_eq!(&*statement.text, r#"SELECT "id" FROM "users" WHERE "id" = ? ORDER BY "id" ASC LIMIT ?"#);
//! assert_eq!(statement.values, [Value::Int(7), Value::Int(1001)]);
//! ```
//!
//! # What a store has to bring
//!
//! * In both dialects the function `zcomm_lower(text)`: simple lower case, one code point for one. SQLite gets
//!   [`simple_lower`] registered as a scalar function. On PostgreSQL the store creates an SQL function of that name
//!   as `lower($1 COLLATE "C.UTF-8")`, whose case mapping is the simple one of the server's Unicode version; where that
//!   is older than the program's, letters that came later are compared as they are.
//! * On SQLite the collation `zcomm_decimal`, which is [`compare_decimals`]; on PostgreSQL nothing, decimals are
//!   `numeric` there.

mod condition;
mod ddl;
mod dialect;
mod plan;
mod select;
mod shape;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::value::{Decimal, Value, lower};
use plan::Plans;

pub use ddl::{NameOf, add_index, add_unique, create, index_name, unique_name};
pub use dialect::Dialect;
pub use write::Upsert;

/// The function by which texts are compared without regard to case.
pub const LOWER: &str = "zcomm_lower";

/// The collation in which SQLite sorts decimals.
pub const DECIMAL: &str = "zcomm_decimal";

/// A text with a placeholder for each of its values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// The text, which holds no value of anybody's.
    pub text: Arc<str>,
    /// What is bound to the placeholders, in their order.
    pub values: Vec<Value>,
}

/// Puts commands into one dialect. Texts are kept: a command that differs from an earlier one only in its values has
/// the same text, and it is not written again.
#[derive(Debug)]
pub struct Sql {
    dialect: Dialect,
    plans: Mutex<Plans>,
}

impl Sql {
    /// Writes in this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            plans: Mutex::default(),
        }
    }

    /// The statement of a shape; `write` puts it into words where no earlier one had that shape.
    fn statement<S: sea_query::QueryStatementWriter>(
        &self,
        shape: shape::Shape,
        write: impl FnOnce(&mut condition::Slots) -> S,
    ) -> Statement {
        let (key, values) = shape.into_parts();
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.find(&key) {
            return plan.bind(values);
        }
        let mut slots = condition::Slots::new(self.dialect);
        let plan = plan::Plan::of(self.dialect, &write(&mut slots));
        plans.keep(key, plan).bind(values)
    }
}

/// Simple lower case, one code point for one, as the `i…` lookups compare.
pub fn simple_lower(text: &str) -> Cow<'_, str> {
    lower(text)
}

/// The order of two decimals; what is none comes first, in the order of its bytes.
pub fn compare_decimals(one: &str, two: &str) -> Ordering {
    let (a, b) = (one.parse::<Decimal>().ok(), two.parse::<Decimal>().ok());
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()).then_with(|| one.cmp(two)),
    }
}

#[cfg(test)]
mod tests;
