//! What roles may do with a model, and what that comes to for one caller. Decides on names and rows, runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::Row;
use super::field::Field;
use super::filter::Filter;
use super::lookup::Lookup;
use super::model::Model;
use super::value::Value;
use crate::action::Operation;

/// Some of a model's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum FieldSet {
    /// None: what needs fields is not allowed.
    #[default]
    None,
    /// Every field, those that are added later too.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl FieldSet {
    /// Whether the field is one of them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl<N: Into<String>> FromIterator<N> for FieldSet {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self::Only(names.into_iter().map(Into::into).collect())
    }
}

/// What one role may do with a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RoleAccess {
    /// The fields it may see, filter and sort by.
    pub read: FieldSet,
    /// The fields it may name in new rows.
    pub create: FieldSet,
    /// The fields it may change.
    pub update: FieldSet,
    /// Whether it may remove rows.
    pub delete: bool,
    /// The field that must hold the caller's name, in every row the role touches.
    pub owner: Option<String>,
    /// Whether it may give numbers that the store would give.
    pub numbers: bool,
}

impl RoleAccess {
    /// Everything.
    pub fn full() -> Self {
        Self {
            read: FieldSet::All,
            create: FieldSet::All,
            update: FieldSet::All,
            delete: true,
            owner: None,
            numbers: true,
        }
    }

    /// Reading these fields.
    pub fn reading(read: FieldSet) -> Self {
        Self {
            read,
            ..Self::default()
        }
    }

    /// The same, and adding rows in which it names these fields.
    #[must_use]
    pub fn creating(mut self, fields: FieldSet) -> Self {
        self.create = fields;
        self
    }

    /// The same, and changing these fields.
    #[must_use]
    pub fn updating(mut self, fields: FieldSet) -> Self {
        self.update = fields;
        self
    }

    /// The same, and removing rows.
    #[must_use]
    pub fn deleting(mut self) -> Self {
        self.delete = true;
        self
    }

    /// The same, for the caller's own rows only: those that have its name in this field.
    #[must_use]
    pub fn owning(mut self, field: impl Into<String>) -> Self {
        self.owner = Some(field.into());
        self
    }
}

/// What every role may do with a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelAccess {
    roles: BTreeMap<String, RoleAccess>,
}

impl ModelAccess {
    /// Nobody may do anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and this for that role.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>, access: RoleAccess) -> Self {
        self.roles.insert(name.into(), access);
        self
    }

    /// What a role may do, if it is named.
    pub fn of(&self, role: &str) -> Option<&RoleAccess> {
        self.roles.get(role)
    }

    /// The fields that name owners, each as often as a role says so.
    pub fn owners(&self) -> impl Iterator<Item = &String> {
        self.roles.values().filter_map(|role| role.owner.as_ref())
    }

    /// Every field that the rules speak of.
    pub(super) fn named_fields(&self) -> impl Iterator<Item = &String> {
        self.roles.values().flat_map(|role| {
            let sets = [&role.read, &role.create, &role.update];
            let named = sets.into_iter().filter_map(|set| match set {
                FieldSet::Only(names) => Some(names),
                FieldSet::None | FieldSet::All => None,
            });
            named.flatten().chain(&role.owner)
        })
    }
}

/// What a role grants one caller.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Grant {
    /// What the role may do.
    pub access: RoleAccess,
    /// Whose rows it is about, if not everybody's.
    pub owner: Option<Owner>,
}

/// The field that names a row's owner, and the caller's name as a value of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Owner {
    /// The field.
    pub field: Arc<Field>,
    /// The caller, if the field could hold it.
    pub value: Option<Value>,
}

impl Grant {
    pub(super) fn new(model: &Model, access: &RoleAccess, user: Option<&str>) -> Self {
        let field = access.owner.as_ref().and_then(|name| model.field(name));
        Self {
            access: access.clone(),
            owner: field.map(|field| Owner {
                field: Arc::clone(field),
                value: user.and_then(|user| Value::from_text(field.kind, user)),
            }),
        }
    }

    /// The rows it is about.
    pub fn rows(&self) -> Filter {
        match &self.owner {
            None => Filter::all(),
            Some(Owner { value: None, .. }) => Filter::none(),
            Some(Owner {
                field,
                value: Some(value),
            }) => Filter::test(field, Lookup::Exact(value.clone())),
        }
    }

    /// Whether the row is one of those it is about.
    pub fn admits(&self, row: &Row) -> bool {
        self.owner.is_none() || self.rows().matches(row)
    }

    /// Whether the role may do this at all.
    pub fn allows(&self, operation: Operation) -> bool {
        match operation {
            Operation::Read => !self.access.read.is_empty(),
            Operation::Create => !self.access.create.is_empty(),
            Operation::Update => !self.access.update.is_empty(),
            Operation::Delete => self.access.delete,
            Operation::Upsert => !self.access.create.is_empty() && !self.access.update.is_empty(),
        }
    }
}

/// What one caller may do with a model: the union of what its roles grant.
///
/// Callers with equal rights are shown the same, so whoever reduces rows for many does it once per equal `Rights`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rights {
    grants: Vec<Grant>,
}

impl Rights {
    pub(super) fn new(grants: Vec<Grant>) -> Self {
        Self { grants }
    }

    /// What each role grants.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// Whether some role may do this at all.
    pub fn allow(&self, operation: Operation) -> bool {
        self.grants.iter().any(|grant| grant.allows(operation))
    }

    /// Everything that some role may do.
    pub fn operations(&self) -> Vec<Operation> {
        let all = Operation::ALL.into_iter();
        all.filter(|&operation| self.allow(operation)).collect()
    }

    /// Whether some role may see the field.
    pub fn may_read(&self, field: &str) -> bool {
        let mut grants = self.grants.iter();
        grants.any(|grant| grant.access.read.contains(field))
    }

    /// Whether some role may name the field in new rows or change it.
    pub fn may_write(&self, field: &str) -> bool {
        self.grants.iter().any(|grant| {
            let sets = [&grant.access.create, &grant.access.update];
            sets.iter().any(|set| set.contains(field))
        })
    }

    /// What the caller may see of a row; `None` if it may not know that the row is there.
    pub fn visible(&self, row: &Row) -> Option<Row> {
        visible(&self.grants, row)
    }
}

/// What these grants together show of a row.
pub(super) fn visible(grants: &[Grant], row: &Row) -> Option<Row> {
    let reads = |grant: &&Grant| !grant.access.read.is_empty();
    let admitting: Vec<&Grant> = grants
        .iter()
        .filter(reads)
        .filter(|grant| grant.admits(row))
        .collect();
    if admitting.is_empty() {
        return None;
    }
    let shown = |(name, _): &(&String, &Json)| {
        let mut grants = admitting.iter();
        grants.any(|grant| grant.access.read.contains(name))
    };
    let cells = row.iter().filter(shown);
    Some(
        cells
            .map(|(name, cell)| (name.clone(), cell.clone()))
            .collect(),
    )
}

/// The rows that one of these grants is about.
pub(super) fn rows(grants: &[Grant]) -> Filter {
    if grants.iter().any(|grant| grant.owner.is_none()) {
        return Filter::all();
    }
    let mut each: Vec<Filter> = grants.iter().map(Grant::rows).collect();
    each.dedup();
    match each.len() {
        1 => each.remove(0),
        _ => Filter::Any(each),
    }
}
