//! What a command needs of a grant: one grant has to be able to do the whole of it. Knows no callers.

use std::sync::Arc;

use super::field::Field;
use super::query::Query;
use super::rights::Grant;
use super::value::Value;
use super::write::{Effect, Values, Write};
use crate::action::Operation;

/// What a grant must allow to do the whole of a command.
pub(super) struct Needs<'a> {
    pub(super) operation: Operation,
    reads: Vec<&'a Arc<Field>>,
    names: Vec<(&'a Arc<Field>, &'a Value)>,
}

impl<'a> Needs<'a> {
    pub(super) fn of_query(query: &'a Query) -> Self {
        let sorts = query.order.asked().iter().map(|sort| &sort.field);
        Self {
            operation: Operation::Read,
            reads: query.filter.fields().into_iter().chain(sorts).collect(),
            names: Vec::new(),
        }
    }

    pub(super) fn of_write(write: &'a Write) -> Self {
        let (reads, names) = match &write.effect {
            Effect::Create { rows, .. } => {
                (Vec::new(), rows.iter().flat_map(Values::iter).collect())
            }
            Effect::Update { filter, set } => (filter.fields(), set.iter().collect()),
            Effect::Delete { filter } => (filter.fields(), Vec::new()),
            Effect::Upsert { row, .. } => (Vec::new(), row.iter().collect()),
        };
        Self {
            operation: write.operation(),
            reads,
            names,
        }
    }

    /// `None` if the grant suffices; else the field it falls short of, or none if it is the operation itself.
    pub(super) fn missing<'g>(&'g self, grant: &Grant) -> Option<Option<&'g str>> {
        let access = &grant.access;
        if !grant.allows(self.operation) {
            return Some(None);
        }
        let unread = self
            .reads
            .iter()
            .find(|field| !access.read.contains(&field.name));
        let unnamed = self
            .names
            .iter()
            .find(|(field, _)| !self.may_name(grant, field));
        let field = unread.copied().or(unnamed.map(|(field, _)| *field));
        field.map(|field| Some(field.name.as_str()))
    }

    fn may_name(&self, grant: &Grant, field: &Arc<Field>) -> bool {
        let access = &grant.access;
        // The owner's own name may always be said; another is refused where the row is completed.
        if grant
            .owner
            .as_ref()
            .is_some_and(|owner| owner.field.name == field.name)
        {
            return true;
        }
        let created =
            access.create.contains(&field.name) && (!field.auto_increment || access.numbers);
        match self.operation {
            Operation::Create => created,
            Operation::Upsert => {
                created && (field.primary_key || access.update.contains(&field.name))
            }
            _ => access.update.contains(&field.name),
        }
    }
}
