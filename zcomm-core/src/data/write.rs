//! A write: what to add, change or remove. Says nothing of who asks, and does none of it.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::arguments::Arguments;
use super::error::{DataError, brief};
use super::field::{Field, Reading};
use super::filter::{self, Filter};
use super::model::Model;
use super::query::BigInts;
use super::value::Value;
use super::{Result, Row};
use crate::action::Operation;

/// The longest idempotency key, in bytes.
const LONGEST_KEY: usize = 255;

/// A write, parsed against its model: every name is known, every value fits its field.
///
/// ```
/// use serde_json::json;
/// use zcomm_core::data::{Field, Kind, Model, Write};
///
/// let users = Model::builder("users").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
/// let parse = |arguments: serde_json::Value| Write::delete(&users, arguments.as_object().unwrap());
/// assert!(parse(json!({"where": 7})).unwrap().key.is_some());
/// assert_eq!(
///     parse(json!({})).unwrap_err().to_string(),
///     "this delete has a filter that admits every row; say `\"all\": true` if that is meant"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Write {
    /// The model.
    pub model: Arc<Model>,
    /// What to do.
    pub effect: Effect,
    /// The row's key, where exactly one row is named by it.
    pub key: Option<Value>,
    /// Whether only the number of rows is wanted.
    pub dry_run: bool,
    /// Under which name a repetition of this write would come.
    pub idempotency_key: Option<String>,
    /// How large integers are written in the answer.
    pub big_ints: BigInts,
}

/// What a write does.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Adds rows.
    Create {
        /// The rows, with what is named of them.
        rows: Vec<Values>,
        /// Whether they came as an array.
        bulk: bool,
    },
    /// Changes rows.
    Update {
        /// Which rows.
        filter: Filter,
        /// What they hold afterwards.
        set: Values,
    },
    /// Removes rows.
    Delete {
        /// Which rows.
        filter: Filter,
    },
    /// Adds a row, or changes the one that agrees with it in some fields.
    Upsert {
        /// The row as it is added.
        row: Values,
        /// The fields that change where the row is there already.
        set: Vec<Arc<Field>>,
        /// The fields that tell whether it is there.
        conflict: Vec<Arc<Field>>,
    },
}

/// Values under their fields, each field once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(Arc<Field>, Value)>);

impl Values {
    /// Every field that is named, with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Field>, &Value)> {
        self.0.iter().map(|(field, value)| (field, value))
    }

    /// The value of a field, if it is named.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.iter()
            .find(|(field, _)| field.name == name)
            .map(|(_, value)| value)
    }

    /// The whole row that these values make; what is not named is NULL.
    pub fn to_row(&self, model: &Model) -> Row {
        let cell = |field: &Arc<Field>| self.value(&field.name).map_or(Json::Null, Value::to_json);
        let fields = model.fields().iter();
        fields
            .map(|field| (field.name.clone(), cell(field)))
            .collect()
    }

    pub(super) fn put(&mut self, field: &Arc<Field>, value: Value) {
        self.0.push((Arc::clone(field), value));
    }

    fn parse(model: &Model, json: &Json, at: &str, reading: Reading) -> Result<Self> {
        let Some(map) = json.as_object().filter(|map| !map.is_empty()) else {
            return Err(DataError::bad_value(
                at,
                "an object with one or more fields",
                json,
            ));
        };
        let values = map.iter().map(|(name, json)| {
            let at = format!("{at}.{}", brief(name));
            let field = model.known(name, &at)?;
            let value = field.value(json, &at, reading)?;
            if value.is_null() && field.is_never_null() {
                return Err(DataError::bad_value(at, field.kind.expectation(), json));
            }
            Ok((Arc::clone(field), value))
        });
        values.collect::<Result<_>>().map(Self)
    }
}

impl Write {
    /// Reads the arguments of a write.
    ///
    /// # Errors
    ///
    /// Whatever the model does not have, whatever is of the wrong type or against a rule, and an update or delete of
    /// every row that does not say so.
    pub fn parse(
        model: &Arc<Model>,
        operation: Operation,
        arguments: &Map<String, Json>,
    ) -> Result<Self> {
        match operation {
            Operation::Create => Self::create(model, arguments),
            Operation::Update => Self::update(model, arguments),
            Operation::Delete => Self::delete(model, arguments),
            Operation::Upsert => Self::upsert(model, arguments),
            Operation::Read => Err(DataError::MissingArgument {
                operation,
                name: "an operation that writes",
            }),
        }
    }

    /// Reads the arguments of a create: `data` is one row or an array of rows.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn create(model: &Arc<Model>, arguments: &Map<String, Json>) -> Result<Self> {
        let arguments = Arguments::new(Operation::Create, arguments)?;
        let reading = arguments.big_ints()?.reading();
        let effect = match arguments.data()? {
            Json::Array(items) if !items.is_empty() => {
                let rows = items.iter().enumerate().map(|(place, item)| {
                    Values::parse(model, item, &format!("data[{place}]"), reading)
                });
                Effect::Create {
                    rows: rows.collect::<Result<_>>()?,
                    bulk: true,
                }
            }
            item => Effect::Create {
                rows: vec![Values::parse(model, item, "data", reading)?],
                bulk: false,
            },
        };
        let mut write = Self::new(model, effect, &arguments)?;
        write.idempotency_key = idempotency_key(&arguments)?;
        Ok(write)
    }

    /// Reads the arguments of an update: `data` and `where`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn update(model: &Arc<Model>, arguments: &Map<String, Json>) -> Result<Self> {
        let arguments = Arguments::new(Operation::Update, arguments)?;
        let data = arguments.data()?;
        let set = Values::parse(model, data, "data", arguments.big_ints()?.reading())?;
        if let Some((key, _)) = set.iter().find(|(field, _)| field.primary_key) {
            let at = format!("data.{}", key.name);
            let expected = "left out: a row keeps its primary key";
            return Err(DataError::bad_value(at, expected, data));
        }
        let filter = guarded(model, Operation::Update, &arguments)?;
        Self::new(model, Effect::Update { filter, set }, &arguments)
    }

    /// Reads the arguments of a delete: `where`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn delete(model: &Arc<Model>, arguments: &Map<String, Json>) -> Result<Self> {
        let arguments = Arguments::new(Operation::Delete, arguments)?;
        let filter = guarded(model, Operation::Delete, &arguments)?;
        Self::new(model, Effect::Delete { filter }, &arguments)
    }

    /// Reads the arguments of an upsert: `data`, and `conflict_fields` where they are not plain.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn upsert(model: &Arc<Model>, arguments: &Map<String, Json>) -> Result<Self> {
        let arguments = Arguments::new(Operation::Upsert, arguments)?;
        let reading = arguments.big_ints()?.reading();
        let row = Values::parse(model, arguments.data()?, "data", reading)?;
        let conflict = conflict(model, &row, arguments.find("conflict_fields"))?;
        let decides = |field: &Arc<Field>| conflict.iter().any(|other| other.name == field.name);
        let named = row.iter().map(|(field, _)| field);
        // A row keeps its primary key, also where another field tells which row it is.
        let changes = |field: &&Arc<Field>| !decides(field) && !field.primary_key;
        let set = named.filter(changes).cloned().collect();
        let effect = Effect::Upsert { row, set, conflict };
        Self::new(model, effect, &arguments)
    }

    /// Which of the operations it is.
    pub fn operation(&self) -> Operation {
        match &self.effect {
            Effect::Create { .. } => Operation::Create,
            Effect::Update { .. } => Operation::Update,
            Effect::Delete { .. } => Operation::Delete,
            Effect::Upsert { .. } => Operation::Upsert,
        }
    }

    fn new(model: &Arc<Model>, effect: Effect, arguments: &Arguments<'_>) -> Result<Self> {
        let key = match &effect {
            Effect::Update { filter, .. } | Effect::Delete { filter } => filter.lone_key().cloned(),
            Effect::Create { .. } | Effect::Upsert { .. } => None,
        };
        Ok(Self {
            model: Arc::clone(model),
            effect,
            key,
            dry_run: arguments.flag("dry_run")?,
            idempotency_key: None,
            big_ints: arguments.big_ints()?,
        })
    }
}

/// The filter of an update or delete, which has to leave some rows out or say that none is.
fn guarded(model: &Model, operation: Operation, arguments: &Arguments<'_>) -> Result<Filter> {
    let all = arguments.flag("all")?;
    let filter = match arguments.filter()? {
        None => Filter::all(),
        Some(null @ Json::Null) => {
            let expected = "an object or a primary key; leave it out for every row";
            return Err(DataError::bad_value("where", expected, null));
        }
        Some(json) => filter::parse(model, json, arguments.big_ints()?.reading())?,
    };
    if filter.is_trivial() && !all {
        return Err(DataError::Unfiltered { operation });
    }
    Ok(filter)
}

fn idempotency_key(arguments: &Arguments<'_>) -> Result<Option<String>> {
    match arguments.find("idempotency_key") {
        None => Ok(None),
        Some(Json::String(key)) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key.clone())),
        Some(other) => {
            let expected = format!("a string of 1 to {LONGEST_KEY} bytes");
            Err(DataError::bad_value("idempotency_key", expected, other))
        }
    }
}

/// The fields by which an upsert finds the row: a set in which no two rows agree, with a value in each.
fn conflict(model: &Model, row: &Values, json: Option<&Json>) -> Result<Vec<Arc<Field>>> {
    let has = |field: &&Arc<Field>| row.value(&field.name).is_some_and(|value| !value.is_null());
    let Some(json) = json else {
        let complete = model.unique_sets().find(|set| set.iter().all(has));
        let set = complete.ok_or_else(|| {
            let given = Json::Null;
            DataError::bad_value(
                "data",
                "given with its primary key or a unique field",
                &given,
            )
        })?;
        return Ok(set.into_iter().cloned().collect());
    };
    let wrong = |expected: String| DataError::bad_value("conflict_fields", expected, json);
    let named = match json {
        Json::String(name) => vec![name.as_str()],
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    };
    let asked = json.as_array().map_or(1, Vec::len);
    if named.is_empty() || named.len() != asked {
        return Err(wrong("an array of one or more field names".to_owned()));
    }
    let fields = named
        .iter()
        .map(|name| model.known(name, "conflict_fields"))
        .collect::<Result<Vec<_>>>()?;
    let same = |set: &Vec<&Arc<Field>>| {
        set.len() == fields.len() && set.iter().all(|field| fields.contains(field))
    };
    if !model.unique_sets().any(|set| same(&set)) {
        return Err(wrong(
            "the primary key, a unique field or the fields of a unique index".to_owned(),
        ));
    }
    match fields.iter().find(|field| !has(field)) {
        None => Ok(fields.into_iter().cloned().collect()),
        Some(field) => Err(wrong(format!(
            "fields with a value in `data`, unlike `{}`",
            field.name
        ))),
    }
}
