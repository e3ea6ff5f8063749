//! The models that a file has, and what is added to it. Drops and changes nothing.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Result};
use zcomm_core::data::sql::{self, Dialect, NameOf};
use zcomm_core::data::{
    DataError, DefaultValue, Field, Filter, Index, Migration, Model, Step, Value,
};

use crate::error::Error;
use crate::transaction::Transaction;

const DIALECT: Dialect = Dialect::Sqlite;

const TABLES: &str = "SELECT name FROM sqlite_schema WHERE type = 'table' \
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'zcomm\\_%' ESCAPE '\\' ORDER BY name";
const TEXT: &str = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE";
const COLUMNS: &str = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?) ORDER BY cid";
const INDEXES: &str =
    "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?) ORDER BY seq DESC";
const INDEXED: &str = "SELECT name FROM pragma_index_info(?) ORDER BY seqno";

/// Every table that is a model: one primary key, names as ours.
pub(crate) fn models(connection: &Connection) -> Result<Vec<Arc<Model>>> {
    let mut tables = connection.prepare_cached(TABLES)?;
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    let mut models = Vec::with_capacity(names.len());
    for name in &names {
        match describe(connection, name)? {
            Some(Found::Model(model)) => models.push(model),
            _ => tracing::debug!(table = name, "a table is no model and is left out"),
        }
    }
    Ok(models)
}

/// What a table is.
enum Found {
    Model(Arc<Model>),
    Other,
}

/// The table of that name; none if there is none.
fn describe(connection: &Connection, table: &str) -> Result<Option<Found>> {
    let mut text = connection.prepare_cached(TEXT)?;
    let Some(text) = text
        .query_row([table], |row| row.get::<_, String>(0))
        .optional()?
    else {
        return Ok(None);
    };
    let indexes = indexes(connection, table)?;
    let numbered = text.to_ascii_uppercase().contains("AUTOINCREMENT");
    let mut model = Model::builder(table).source("the database");
    let mut columns = connection.prepare_cached(COLUMNS)?;
    let mut rows = columns.query([table])?;
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let mut field = Field::new(name, DIALECT.kind(&declared));
        field.primary_key = row.get::<_, i64>(3)? > 0;
        field.required = row.get(2)? && !field.primary_key;
        field.auto_increment = field.primary_key && numbered;
        field.unique = field.kind.is_ordered() && indexes.iter().any(|index| index.keeps(&field));
        model = model.field(field);
    }
    for index in indexes.into_iter().filter(|index| index.origin == "c") {
        if let NameOf::Index(name) = NameOf::read(table, &index.name) {
            let plain = Index::new(name, index.columns);
            model = model.index(if index.unique { plain.unique() } else { plain });
        }
    }
    Ok(Some(model.build().map_or(Found::Other, Found::Model)))
}

/// An index as SQLite lists it.
struct Listed {
    name: String,
    unique: bool,
    /// `c` for an index of its own, `u` for a constraint, `pk` for a primary key.
    origin: String,
    columns: Vec<String>,
    table: String,
}

impl Listed {
    /// Whether it is what keeps this one field unique.
    fn keeps(&self, field: &Field) -> bool {
        let ours = self.origin == "c" && NameOf::read(&self.table, &self.name) == NameOf::Unique;
        self.unique && self.columns == [field.name.as_str()] && (ours || self.origin == "u")
    }
}

fn indexes(connection: &Connection, table: &str) -> Result<Vec<Listed>> {
    let mut list = connection.prepare_cached(INDEXES)?;
    let mut columns = connection.prepare_cached(INDEXED)?;
    let mut rows = list.query([table])?;
    let mut indexes = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let named = columns.query_map([&name], |row| row.get(0))?;
        // An expression has no name; an index over one, or over some rows, is none of ours.
        let named: Option<Vec<String>> = named.collect::<Result<_>>()?;
        if let Some(columns) = named.filter(|_| !row.get(3).unwrap_or(true)) {
            indexes.push(Listed {
                name,
                unique: row.get(1)?,
                origin: row.get(2)?,
                columns,
                table: table.to_owned(),
            });
        }
    }
    Ok(indexes)
}

/// Adds what the model has and the file has not, or nothing.
pub(crate) fn migrate(
    transaction: &Transaction<'_>,
    model: &Model,
) -> Result<Migration, DataError> {
    transaction.whole(|| {
        let connection = transaction.session.connection();
        let found = describe(connection, model.name());
        let found = match found.map_err(|error| transaction.failed(error))? {
            None => None,
            Some(Found::Model(found)) => Some(found),
            Some(Found::Other) => {
                let table = model.name().to_owned();
                return Err(Error::NotAModel { table }.into_data(None, transaction.limit));
            }
        };
        let migration = Migration::between(found.as_deref(), model);
        for step in &migration.steps {
            add(transaction, model, step)?;
        }
        Ok(migration)
    })
}

fn add(transaction: &Transaction<'_>, model: &Model, step: &Step) -> Result<(), DataError> {
    let texts = match step {
        Step::AddModel(_) => sql::create(DIALECT, model),
        Step::AddField(name) => {
            let Some(field) = model.field(name) else {
                return Ok(());
            };
            return add_field(transaction, model, field);
        }
        Step::AddUnique(name) => {
            let field = model.field(name).into_iter();
            field
                .map(|field| sql::add_unique(DIALECT, model, field))
                .collect()
        }
        Step::AddIndex(name) => {
            let named = model.indexes().iter().filter(|index| index.name == *name);
            named
                .map(|index| sql::add_index(DIALECT, model, index))
                .collect()
        }
        _ => Vec::new(),
    };
    run(transaction, model, &texts)
}

/// Rows that are there get the default, bound like any value.
fn add_field(
    transaction: &Transaction<'_>,
    model: &Model,
    field: &Arc<Field>,
) -> Result<(), DataError> {
    run(transaction, model, &[DIALECT.add_column(model, field)])?;
    if let Some(DefaultValue::Literal(value)) = &field.default
        && *value != Value::Null
    {
        let set = [(field, value)];
        let fill = transaction.sql.update(model, &Filter::all(), &set, &[]);
        let filled = transaction.session.run(&fill);
        filled.map_err(|error| Error::from(error).into_data(Some(model), transaction.limit))?;
    }
    if field.unique && !field.primary_key {
        return run(
            transaction,
            model,
            &[sql::add_unique(DIALECT, model, field)],
        );
    }
    Ok(())
}

fn run(transaction: &Transaction<'_>, model: &Model, texts: &[String]) -> Result<(), DataError> {
    let connection = transaction.session.connection();
    texts.iter().try_for_each(|text| {
        let run = connection.execute_batch(text);
        run.map_err(|error| Error::from(error).into_data(Some(model), transaction.limit))
    })
}
