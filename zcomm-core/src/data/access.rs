//! Decides who may do what with rows, and rewrites commands accordingly. The only maker of `Permitted`.

use std::sync::Arc;

use super::canonical::Canonical;
use super::completion::{complete, keep_owner, restrict};
use super::cursor::CursorKey;
use super::error::DataError;
use super::field::Field;
use super::model::Model;
use super::needs::Needs;
use super::page::Start;
use super::permitted::{IdempotencyKey, Pass, Permitted};
use super::query::Query;
use super::rights::{Grant, Rights, RoleAccess, rows};
use super::write::{Effect, Write};
use super::{Result, Row};
use crate::action::Operation;
use crate::cache::CacheKey;
use crate::caller::ConnectionId;
use crate::identity::{Identity, Scope};

/// The most rows in one answer, unless configured otherwise.
const MAX_ROWS: u64 = 1000;

/// Who asks, and over which connection.
#[derive(Clone, Copy, Debug)]
pub struct Requester<'a> {
    identity: &'a Identity,
    connection: Option<ConnectionId>,
}

impl<'a> Requester<'a> {
    /// Somebody within the process, without a connection.
    pub fn new(identity: &'a Identity) -> Self {
        Self {
            identity,
            connection: None,
        }
    }

    /// The same over a connection.
    #[must_use]
    pub fn over(mut self, connection: ConnectionId) -> Self {
        self.connection = Some(connection);
        self
    }

    pub(super) fn connection(&self) -> Option<ConnectionId> {
        self.connection
    }

    /// The application behind the connection; what the program itself writes belongs to all.
    pub(super) fn app(&self) -> Option<Arc<str>> {
        self.connection.map(|_| self.identity.shared_app())
    }
}

/// What becomes of models that say nothing of who may use them, where callers are authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultAccess {
    /// Nobody may.
    #[default]
    Denied,
    /// Every known user may do everything.
    Authenticated,
}

/// Decides who may do what with rows.
///
/// A new one is the strict one: callers are authenticated, and models without rules are closed.
///
/// ```
/// use zcomm_core::data::{Access, Field, Kind, Model, Query, Requester};
/// use zcomm_core::{Code, Identity};
///
/// let notes = Model::builder("notes").field(Field::new("id", Kind::Int).primary_key()).build().unwrap();
/// let guest = Identity::guest();
/// let query = Query::parse(&notes, &serde_json::Map::new()).unwrap();
///
/// let refusal = Access::new().query(query.clone(), &Requester::new(&guest)).unwrap_err();
/// assert_eq!(refusal.code(), Code::Forbidden);
///
/// let local = Access::new().auth(false).loopback(true);
/// assert!(local.query(query, &Requester::new(&guest)).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Access {
    unrestricted: bool,
    auth: bool,
    loopback: bool,
    default_access: DefaultAccess,
    admin_roles: Vec<String>,
    max_rows: u64,
    cursor_key: CursorKey,
}

impl Default for Access {
    fn default() -> Self {
        Self::new()
    }
}

impl Access {
    /// The strict one.
    pub fn new() -> Self {
        Self {
            unrestricted: false,
            auth: true,
            loopback: false,
            default_access: DefaultAccess::Denied,
            admin_roles: vec!["admin".to_owned()],
            max_rows: MAX_ROWS,
            cursor_key: CursorKey::random(),
        }
    }

    /// The one for whoever owns the store anyway: the program on the command line, migrations, tests.
    pub fn unrestricted() -> Self {
        Self {
            unrestricted: true,
            ..Self::new()
        }
    }

    /// Whether callers are authenticated. Default: true.
    #[must_use]
    pub fn auth(mut self, on: bool) -> Self {
        self.auth = on;
        self
    }

    /// Whether only this machine can reach the server. Default: false.
    #[must_use]
    pub fn loopback(mut self, only: bool) -> Self {
        self.loopback = only;
        self
    }

    /// What becomes of models without rules where callers are authenticated. Default: denied.
    #[must_use]
    pub fn default_access(mut self, access: DefaultAccess) -> Self {
        self.default_access = access;
        self
    }

    /// The roles that may do everything where a model does not speak of them. Default: `admin`.
    #[must_use]
    pub fn admin_roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.admin_roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// The most rows in one answer. Default: 1000.
    #[must_use]
    pub fn max_rows(mut self, rows: u64) -> Self {
        self.max_rows = rows;
        self
    }

    /// The key that seals cursors. Default: random.
    #[must_use]
    pub fn cursor_key(mut self, key: CursorKey) -> Self {
        self.cursor_key = key;
        self
    }

    /// What somebody may do with a model.
    ///
    /// # Errors
    ///
    /// [`DataError::NoRules`] where the model does not say, and nothing else does.
    pub fn rights(&self, model: &Model, identity: &Identity) -> Result<Rights> {
        let full = || Rights::new(vec![Grant::new(model, &RoleAccess::full(), None)]);
        if self.unrestricted {
            return Ok(full());
        }
        let Some(rules) = model.access() else {
            let known = self.default_access == DefaultAccess::Authenticated;
            let open = match self.auth {
                true => self.is_admin(identity) || known && identity.name().is_some(),
                false => self.loopback,
            };
            return open.then(full).ok_or_else(|| DataError::NoRules {
                model: model.name().to_owned(),
                source_file: model.source().to_owned(),
            });
        };
        let roles = identity.roles().iter();
        let grants = roles.filter_map(|role| match rules.of(role) {
            Some(access) => Some(Grant::new(model, access, identity.name())),
            None if self.is_admin_role(role) => Some(Grant::new(model, &RoleAccess::full(), None)),
            None => None,
        });
        Ok(Rights::new(grants.collect()))
    }

    /// Whether somebody has one of the admin roles. Without authentication nobody has.
    pub fn is_admin(&self, identity: &Identity) -> bool {
        identity.roles().iter().any(|role| self.is_admin_role(role))
    }

    /// Permits a read, reduced to the rows and fields that the caller may see.
    ///
    /// # Errors
    ///
    /// A refusal, by name; [`DataError::BadCursor`].
    pub fn query(&self, query: Query, who: &Requester<'_>) -> Result<Permitted<Query>> {
        let needs = Needs::of_query(&query);
        let (rights, serving) = self.serving(&query.model, who, &needs)?;
        let columns = self.columns(&query, who, &serving)?;
        let binding = binding(&query, &who.identity.scope());
        let mut query = query;
        if let Start::Cursor(cursor) = &query.page.start {
            let position = self.cursor_key.open(&binding, cursor, &query.order);
            let after = query.order.after(&position.ok_or(DataError::BadCursor)?);
            query.filter = query.filter.and(after);
            query.page.start = Start::default();
        }
        query.filter = query.filter.and(rows(&serving));
        query.fields = Some(columns);
        query.page.limit = Some(
            query
                .page
                .limit
                .map_or(self.max_rows, |limit| limit.min(self.max_rows)),
        );
        let pass = Pass::new(rights, serving, who).sealing(self.cursor_key.clone(), binding);
        Ok(Permitted::new(query, pass))
    }

    /// Permits a write, reduced to the rows that the caller may touch; new rows are completed.
    ///
    /// # Errors
    ///
    /// A refusal, by name; a required field that is neither named nor has a default.
    pub fn write(&self, write: Write, who: &Requester<'_>) -> Result<Permitted<Write>> {
        let needs = Needs::of_write(&write);
        let (rights, mut serving) = self.serving(&write.model, who, &needs)?;
        let digest = write.idempotency_key.as_ref().map(|key| {
            let scope = who.identity.scope();
            IdempotencyKey::new(key, &scope, who.connection, &write.canonical())
        });
        let mut write = write;
        let model = Arc::clone(&write.model);
        match &mut write.effect {
            Effect::Create { rows, .. } => {
                for row in rows {
                    complete(&model, row, &mut serving)?;
                }
            }
            Effect::Upsert { row, .. } => complete(&model, row, &mut serving)?,
            Effect::Update { filter, set } => {
                keep_owner(&model, set, &mut serving)?;
                restrict(filter, &serving);
            }
            Effect::Delete { filter } => restrict(filter, &serving),
        }
        let pass = Pass::new(rights, serving, who).keyed(digest);
        Ok(Permitted::new(write, pass))
    }

    /// What somebody may see of a row; `None` if it may not know that the row is there.
    pub fn visible(&self, model: &Model, identity: &Identity, row: &Row) -> Option<Row> {
        self.rights(model, identity).ok()?.visible(row)
    }

    fn is_admin_role(&self, role: &str) -> bool {
        self.auth && self.admin_roles.iter().any(|admin| admin == role)
    }

    /// All of the caller's rights, and those of its grants that can do the whole of the command by themselves.
    fn serving(
        &self,
        model: &Model,
        who: &Requester<'_>,
        needs: &Needs<'_>,
    ) -> Result<(Rights, Vec<Grant>)> {
        let rights = self.rights(model, who.identity)?;
        let refused = |field: Option<&str>| refusal(model, who, needs.operation, field);
        if !rights.allow(needs.operation) {
            return Err(refused(None));
        }
        let able = rights.grants().iter();
        let able = able.filter(|grant| needs.missing(grant).is_none());
        let serving: Vec<Grant> = able.cloned().collect();
        if serving.is_empty() {
            let mut grants = rights.grants().iter();
            let missing = grants.find_map(|grant| needs.missing(grant).flatten());
            return Err(refused(missing));
        }
        Ok((rights, serving))
    }

    /// The fields that an answer has: those asked for, or all that one of the grants may see.
    fn columns(
        &self,
        query: &Query,
        who: &Requester<'_>,
        serving: &[Grant],
    ) -> Result<Vec<Arc<Field>>> {
        let seen = |field: &Arc<Field>| {
            let mut grants = serving.iter();
            grants.any(|grant| grant.access.read.contains(&field.name))
        };
        let Some(asked) = &query.fields else {
            let fields = query.model.fields().iter();
            return Ok(fields.filter(|field| seen(field)).cloned().collect());
        };
        match asked.iter().find(|field| !seen(field)) {
            None => Ok(asked.clone()),
            Some(field) => Err(refusal(
                &query.model,
                who,
                Operation::Read,
                Some(&field.name),
            )),
        }
    }
}

fn refusal(
    model: &Model,
    who: &Requester<'_>,
    operation: Operation,
    field: Option<&str>,
) -> DataError {
    let (who, model) = (who.identity.to_string(), model.name().to_owned());
    match field {
        None => DataError::Forbidden {
            who,
            operation,
            model,
        },
        Some(field) => DataError::ForbiddenField {
            who,
            operation,
            model,
            field: field.to_owned(),
        },
    }
}

/// What a cursor is bound to: the caller's scope, and the query but for its page.
fn binding(query: &Query, scope: &Scope) -> Vec<u8> {
    let mut canonical = Canonical::default();
    canonical.text(query.model.name());
    canonical.filter(&query.filter);
    canonical.order(&query.order);
    let key = CacheKey::builder(scope).field("query", canonical.into_bytes());
    key.finish().as_bytes().to_vec()
}
