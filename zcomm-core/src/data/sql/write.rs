//! Inserts, updates, deletes and upserts, each giving back rows. Decides nothing about who may.

use std::sync::Arc;

use sea_query::{
    Alias, DeleteStatement, Expr, InsertStatement, OnConflict, Query as Statements,
    ReturningClause, UpdateStatement,
};

use super::condition::Slots;
use super::dialect::Dialect;
use super::shape::Shape;
use super::{Sql, Statement};
use crate::data::field::Field;
use crate::data::filter::Filter;
use crate::data::model::Model;
use crate::data::value::Value;
use crate::data::write::Values;

impl Sql {
    /// The statement that adds a row and gives the whole of it; what is not named is NULL, or numbered by the store.
    pub fn insert(&self, model: &Model, row: &Values) -> Statement {
        let shape = inserted(Shape::new(b'I', model.name()), model, row);
        self.statement(shape, |slots| insert(model, row, slots))
    }

    /// The statement that adds a row, or changes these fields of the one that agrees with it in the others, if that is
    /// among the rows of `rule`; it gives the whole row, and none if it may not be changed.
    pub fn upsert(&self, model: &Model, upsert: &Upsert<'_>) -> Statement {
        let mut shape = inserted(Shape::new(b'P', model.name()), model, upsert.row);
        shape.fields(upsert.conflict.iter().map(|field| &**field));
        shape.fields(upsert.set.iter().map(|field| &**field));
        shape.filter(upsert.rule);
        self.statement(shape, |slots| {
            let mut statement = insert(model, upsert.row, slots);
            statement.on_conflict(upsert.clause(slots));
            statement
        })
    }

    /// The statement that changes the rows of a filter and gives these columns of them as they are afterwards.
    pub fn update(
        &self,
        model: &Model,
        filter: &Filter,
        set: &[(&Arc<Field>, &Value)],
        columns: &[Arc<Field>],
    ) -> Statement {
        let mut shape = Shape::new(b'U', model.name());
        shape.fields(set.iter().map(|(field, _)| &***field));
        set.iter()
            .for_each(|(_, value)| shape.value((*value).clone()));
        shape.filter(filter);
        shape.fields(columns.iter().map(|field| &**field));
        self.statement(shape, |slots| {
            let mut update: UpdateStatement = Statements::update();
            update.table(Alias::new(model.name()));
            for (field, _) in set {
                update.value(Alias::new(&field.name), slots.bound(field.kind));
            }
            if *filter != Filter::all() {
                update.and_where(slots.filter(filter));
            }
            if let Some(columns) = returning(columns) {
                update.returning(columns);
            }
            update
        })
    }

    /// The statement that removes the rows of a filter and gives these columns of them as they were.
    pub fn delete(&self, model: &Model, filter: &Filter, columns: &[Arc<Field>]) -> Statement {
        let mut shape = Shape::new(b'D', model.name());
        shape.filter(filter);
        shape.fields(columns.iter().map(|field| &**field));
        self.statement(shape, |slots| {
            let mut delete: DeleteStatement = Statements::delete();
            delete.from_table(Alias::new(model.name()));
            if *filter != Filter::all() {
                delete.and_where(slots.filter(filter));
            }
            if let Some(columns) = returning(columns) {
                delete.returning(columns);
            }
            delete
        })
    }
}

/// A row that is added, or changes the one that is there.
#[derive(Clone, Copy, Debug)]
pub struct Upsert<'a> {
    /// The row as it is added.
    pub row: &'a Values,
    /// The fields that change where the row is there already.
    pub set: &'a [Arc<Field>],
    /// The fields that tell whether it is there.
    pub conflict: &'a [Arc<Field>],
    /// The rows that may be changed.
    pub rule: &'a Filter,
}

impl Upsert<'_> {
    fn clause(&self, slots: &mut Slots) -> OnConflict {
        let names = |fields: &[Arc<Field>]| -> Vec<Alias> {
            fields.iter().map(|field| Alias::new(&field.name)).collect()
        };
        let mut clause = OnConflict::columns(names(self.conflict));
        // Nothing to change is written as a change to the same, or no row would be given back.
        let changed = if self.set.is_empty() {
            self.conflict
        } else {
            self.set
        };
        clause.update_columns(names(changed));
        if *self.rule != Filter::all() {
            clause.action_and_where(slots.filter(self.rule));
        }
        clause
    }
}

fn inserted(mut shape: Shape, model: &Model, row: &Values) -> Shape {
    let named = row.iter().map(|(field, _)| &**field);
    shape.fields(named.collect::<Vec<_>>().into_iter());
    shape.fields(model.fields().iter().map(|field| &**field));
    row.iter().for_each(|(_, value)| shape.value(value.clone()));
    shape
}

fn insert(model: &Model, row: &Values, slots: &mut Slots) -> InsertStatement {
    let mut insert = Statements::insert();
    insert.into_table(Alias::new(model.name()));
    let columns: Vec<Alias> = row
        .iter()
        .map(|(field, _)| Alias::new(&field.name))
        .collect();
    let values: Vec<Expr> = row
        .iter()
        .map(|(field, _)| slots.bound(field.kind))
        .collect();
    if columns.is_empty() {
        insert.or_default_values();
    } else {
        insert.columns(columns);
        insert
            .values(values)
            .expect("there is a value for each column");
    }
    if let Some(columns) = returning(model.fields()) {
        insert.returning(columns);
    }
    insert
}

fn returning(columns: &[Arc<Field>]) -> Option<ReturningClause> {
    let columns = columns.iter().map(|field| Dialect::column(field));
    let columns: Vec<Expr> = columns.collect();
    (!columns.is_empty()).then_some(ReturningClause::Exprs(columns))
}
