//! Reads. What rows look like is the store's.

use std::sync::Arc;

use sea_query::{Alias, Query as Statements, SelectStatement};

use super::condition::Slots;
use super::dialect::Dialect;
use super::shape::Shape;
use super::{Sql, Statement};
use crate::data::field::Field;
use crate::data::filter::Filter;
use crate::data::model::Model;
use crate::data::order::Order;
use crate::data::permitted::Permitted;
use crate::data::query::Query;
use crate::data::value::Value;

impl Sql {
    /// The statement of a query: its [`columns`](Self::columns), and one row more than it may show.
    ///
    /// The last row tells whether there are more.
    pub fn select(&self, query: &Permitted<Query>) -> Statement {
        let columns = self.columns(query);
        let (limit, offset) = (query.limit().saturating_add(1), query.offset());
        self.page(
            &query.model,
            &columns,
            &Rows {
                filter: &query.filter,
                order: &query.order,
                limit,
                offset,
            },
        )
    }

    /// The columns that a query's statement gives: what is shown, then what is needed beyond that to continue after a row
    /// and to tell what it shows.
    pub fn columns(&self, query: &Permitted<Query>) -> Vec<Arc<Field>> {
        let mut columns = query.columns().to_vec();
        let sorts = query.order.sorts().iter().map(|sort| &sort.field);
        let grants = match query.is_uniform() {
            true => &[],
            false => query.grants(),
        };
        let owners = grants.iter().filter_map(|grant| grant.owner.as_ref());
        for field in sorts.chain(owners.map(|owner| &owner.field)) {
            if !columns.iter().any(|column| column.name == field.name) {
                columns.push(Arc::clone(field));
            }
        }
        columns
    }

    /// The statement that gives some columns of the first rows that a filter admits, in the order of their keys.
    pub fn find(
        &self,
        model: &Model,
        filter: &Filter,
        columns: &[Arc<Field>],
        limit: u64,
    ) -> Statement {
        let order = Order::by_key(model);
        self.page(
            model,
            columns,
            &Rows {
                filter,
                order: &order,
                limit,
                offset: 0,
            },
        )
    }

    fn page(&self, model: &Model, columns: &[Arc<Field>], rows: &Rows<'_>) -> Statement {
        let mut shape = Shape::new(b'S', model.name());
        shape.fields(columns.iter().map(|field| &**field));
        shape.filter(rows.filter);
        rows.order.sorts().iter().for_each(|sort| shape.sort(sort));
        shape.tag(u8::from(rows.offset > 0));
        shape.value(count(rows.limit));
        if rows.offset > 0 {
            shape.value(count(rows.offset));
        }
        self.statement(shape, |slots| rows.write(model, columns, slots))
    }
}

/// Which rows of a model.
struct Rows<'a> {
    filter: &'a Filter,
    order: &'a Order,
    limit: u64,
    offset: u64,
}

impl Rows<'_> {
    fn write(&self, model: &Model, columns: &[Arc<Field>], slots: &mut Slots) -> SelectStatement {
        let mut select = Statements::select();
        select.from(Alias::new(model.name()));
        for field in columns {
            select.expr(Dialect::column(field));
        }
        if *self.filter != Filter::all() {
            select.and_where(slots.filter(self.filter));
        }
        for sort in self.order.sorts() {
            slots.dialect().order_by(&mut select, sort);
        }
        select.limit(slot(slots));
        if self.offset > 0 {
            select.offset(slot(slots));
        }
        select
    }
}

fn slot(slots: &mut Slots) -> u64 {
    u64::try_from(slots.number()).expect("slots are counted from zero")
}

fn count(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}
