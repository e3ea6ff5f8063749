//! A read: which rows of a model, which fields of them, in which order, how many. Says nothing of who asks.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Result;
use super::arguments::Arguments;
use super::error::DataError;
use super::field::Field;
use super::filter::{self, Filter};
use super::model::Model;
use super::order::Order;
use super::page::Page;
use crate::action::Operation;

/// A read, parsed against its model: whatever it names is there.
///
/// ```
/// use serde_json::json;
/// use zcomm_core::Code;
/// use zcomm_core::data::{Field, Kind, Model, Query};
///
/// let users = Model::builder("users").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
/// let error = Query::parse(&users, json!({"where": {"nmae": "Ada"}}).as_object().unwrap()).unwrap_err();
/// assert_eq!(error.code(), Code::UnknownField);
/// assert_eq!(error.to_string(), "`users` has no field `nmae` (in `where.nmae`)");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Query {
    /// The model.
    pub model: Arc<Model>,
    /// Which rows.
    pub filter: Filter,
    /// Which fields, where the caller named them; else all it may read.
    pub fields: Option<Vec<Arc<Field>>>,
    /// In which order.
    pub order: Order,
    /// Which part of them.
    pub page: Page,
    /// Whether one row is meant or any number.
    pub shape: Shape,
    /// How large integers are written.
    pub big_ints: BigInts,
}

/// Whether a read is answered by rows or by a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// An array.
    Rows,
    /// The row, or null.
    One,
}

/// How integers beyond 2^53 are written, which JavaScript's numbers cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BigInts {
    /// As JSON numbers.
    #[default]
    Number,
    /// As strings of digits.
    String,
}

impl Query {
    /// Reads the arguments of a read.
    ///
    /// # Errors
    ///
    /// Whatever the model does not have, and whatever is of the wrong type or beyond a limit.
    pub fn parse(model: &Arc<Model>, arguments: &Map<String, Json>) -> Result<Self> {
        let arguments = Arguments::new(Operation::Read, arguments)?;
        let big_ints = arguments.big_ints()?;
        let given = arguments.filter()?.filter(|json| !json.is_null());
        let filter = match given {
            None => Filter::all(),
            Some(json) => filter::parse(model, json, big_ints.reading())?,
        };
        let fields = arguments.find("fields").map(|json| fields(model, json));
        let order = match arguments.find("order_by") {
            None => Order::by_key(model),
            Some(json) => Order::parse(model, json)?,
        };
        let [limit, offset, after] = ["limit", "offset", "after"].map(|name| arguments.find(name));
        Ok(Self {
            model: Arc::clone(model),
            filter,
            fields: fields.transpose()?.flatten(),
            order,
            page: Page::parse(limit, offset, after)?,
            shape: match given {
                None | Some(Json::Object(_)) => Shape::Rows,
                Some(_) => Shape::One,
            },
            big_ints,
        })
    }

    /// The same, as `^Get` means it: one row, where the filter is nothing but the primary key.
    #[must_use]
    pub fn as_get(mut self) -> Self {
        if self.filter.lone_key().is_some() {
            self.shape = Shape::One;
        }
        self
    }
}

/// Reads the names of fields; `None` for `"*"`.
fn fields(model: &Model, json: &Json) -> Result<Option<Vec<Arc<Field>>>> {
    let wrong = || DataError::bad_value("fields", "an array of one or more field names", json);
    let names = match json {
        Json::String(all) if all == "*" => return Ok(None),
        Json::Array(names) if !names.is_empty() => names,
        _ => return Err(wrong()),
    };
    let mut fields: Vec<Arc<Field>> = Vec::with_capacity(names.len());
    for name in names {
        let field = model.known(name.as_str().ok_or_else(wrong)?, "fields")?;
        if !fields.iter().any(|other| other.name == field.name) {
            fields.push(Arc::clone(field));
        }
    }
    Ok(Some(fields))
}
