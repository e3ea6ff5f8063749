//! Who there is, which rows, and what everybody may see of them when. Asks nobody.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use zcomm::core::data::{Field, FieldSet, Kind, Model, ModelAccess, RoleAccess, Schema};
use zcomm::core::{
    Action, AuthContext, AuthPolicy, Credentials, Identity, Operation, Peer, Refusal,
};

/// How many models there are; writes to the last may time out.
pub(super) const MODELS: usize = 6;
/// How many rows each owner has in each model.
const EACH: usize = 2;
/// Those who own rows.
const OWNERS: [&str; 4] = ["ada", "eve", "a|b", "a"];
/// How many connections each identity has.
const PLACES: usize = 2;

/// Everybody, and the token each of them shows.
pub(super) fn identities() -> Vec<(String, Identity)> {
    let member = |user: &'static str| Identity::user(user).with_roles(["member"]);
    let all = [
        member("ada"),
        member("ada").with_roles(["admin", "member"]),
        member("ada").with_app("shop"),
        member("ada").with_context(AuthContext::Dual),
        member("eve"),
        Identity::user("eve").with_roles(["auditor"]),
        // Joined by bars, these two are one.
        member("a|b").with_app("c"),
        member("a").with_app("b|c"),
        Identity::guest(),
        Identity::guest().with_app("shop"),
    ];
    let token = |(place, who)| (format!("token-{place}"), who);
    all.into_iter().enumerate().map(token).collect()
}

/// Each connection: the place of its identity, and its own among that identity's.
pub(super) fn callers() -> impl Iterator<Item = (usize, usize)> {
    (0..identities().len()).flat_map(|who| (0..PLACES).map(move |place| (who, place)))
}

/// A row as the oracle knows it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) owner: &'static str,
    /// The version that the last write has, answered or not.
    sent: AtomicU64,
    /// The version that was answered or shown: nobody who asks from then on may be shown an older one.
    known: AtomicU64,
}

/// Everything there is, and what was seen of it.
pub(super) struct World {
    pub(super) seed: u64,
    left: AtomicUsize,
    rows: Vec<Vec<Row>>,
    /// How often somebody was locked out or let in again, by identity: odd while locked out.
    locked: Arc<Vec<AtomicU64>>,
    violated: AtomicBool,
    violation: Mutex<Option<String>>,
}

impl World {
    pub(super) fn new(seed: u64, operations: usize) -> Self {
        let rows = |_| {
            let owners = OWNERS.iter().flat_map(|owner| [*owner; EACH]);
            let rows = owners.zip(1..).map(|(owner, id)| Row {
                id,
                owner,
                sent: AtomicU64::new(0),
                known: AtomicU64::new(0),
            });
            rows.collect()
        };
        Self {
            seed,
            left: AtomicUsize::new(operations),
            rows: (0..MODELS).map(rows).collect(),
            locked: Arc::new(identities().iter().map(|_| AtomicU64::new(0)).collect()),
            violated: AtomicBool::new(false),
            violation: Mutex::default(),
        }
    }

    /// Whether there is still something to do.
    pub(super) fn goes_on(&self) -> bool {
        let left = |left: usize| left.checked_sub(1);
        !self.violated.load(Ordering::SeqCst)
            && self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, left)
                .is_ok()
    }

    pub(super) fn violate(&self, what: String) {
        self.violated.store(true, Ordering::SeqCst);
        self.violation.lock().unwrap().get_or_insert(what);
    }

    pub(super) fn violation(&self) -> Option<String> {
        self.violation.lock().unwrap().clone()
    }

    pub(super) fn schema(&self) -> Schema {
        Schema::of((0..MODELS).map(model)).unwrap()
    }

    pub(super) fn policy(&self) -> Policy {
        let (tokens, identities) = identities().into_iter().unzip();
        Policy {
            tokens,
            identities,
            locked: Arc::clone(&self.locked),
        }
    }

    pub(super) fn rows(&self, model: usize) -> &[Row] {
        &self.rows[model]
    }

    /// The rows that a connection writes: those of its user, shared out among that user's connections.
    pub(super) fn own(&self, model: usize, who: &Identity, place: usize) -> Option<&Row> {
        let is_plain = who.app() != "shop" && who.context() != AuthContext::Dual;
        let writes = is_plain && who.roles() == ["member".into()];
        let own = self.rows[model]
            .iter()
            .filter(|row| Some(row.owner) == who.name());
        own.clone().nth(place).filter(|_| writes)
    }

    /// Whether somebody is locked out, and since which turn.
    pub(super) fn lock_of(&self, who: usize) -> u64 {
        self.locked[who].load(Ordering::SeqCst)
    }

    /// Locks somebody out, or lets it in again.
    pub(super) fn turn_lock(&self, who: usize) {
        self.locked[who].fetch_add(1, Ordering::SeqCst);
    }
}

impl Row {
    /// Begins a write: from now on its version may be seen.
    pub(super) fn next(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// From now on nobody may be shown anything older.
    pub(super) fn know(&self, version: u64) {
        self.known.fetch_max(version, Ordering::SeqCst);
    }

    pub(super) fn oldest(&self) -> u64 {
        self.known.load(Ordering::SeqCst)
    }

    pub(super) fn newest(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Whether somebody may see the row, by the rules of [`model`].
    pub(super) fn is_seen_by(&self, who: &Identity) -> bool {
        match who.name() {
            None => true,
            Some(name) => who.has_role("admin") || who.has_role("auditor") || self.owner == name,
        }
    }
}

/// The fields that somebody may see.
pub(super) fn fields(who: &Identity) -> &'static [&'static str] {
    match who.name() {
        None => &["id", "version"],
        Some(_) => &["id", "owner_id", "version"],
    }
}

pub(super) fn name(model: usize) -> String {
    format!("notes{model}")
}

fn model(number: usize) -> Arc<Model> {
    let only = |names: &[&str]| FieldSet::Only(names.iter().map(|&name| name.to_owned()).collect());
    let access = ModelAccess::new()
        .role("guest", RoleAccess::reading(only(&["id", "version"])))
        .role("admin", RoleAccess::full())
        .role("auditor", RoleAccess::reading(FieldSet::All))
        .role(
            "member",
            RoleAccess::reading(FieldSet::All)
                .updating(only(&["version"]))
                .owning("owner_id"),
        );
    let model = Model::builder(name(number))
        .field(Field::new("id", Kind::Int).primary_key())
        .field(Field::new("owner_id", Kind::Text))
        .field(Field::new("version", Kind::Int))
        .access(access);
    model.build().unwrap()
}

/// The row as it is created.
pub(super) fn created(row: &Row) -> Value {
    serde_json::json!({"id": row.id, "owner_id": row.owner, "version": 0})
}

/// Knows everybody by a token, and lets those in who are not locked out.
pub(super) struct Policy {
    tokens: Vec<String>,
    identities: Vec<Identity>,
    locked: Arc<Vec<AtomicU64>>,
}

#[async_trait]
impl AuthPolicy for Policy {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        let token = given
            .token
            .as_ref()
            .ok_or(Refusal::AuthenticationRequired)?;
        let found = self.tokens.iter().position(|known| known == token.expose());
        found
            .map(|place| self.identities[place].clone())
            .ok_or(Refusal::InvalidToken)
    }

    fn permits(&self, who: &Identity, what: &Action<'_>) -> bool {
        let reads = matches!(
            what,
            Action::Data {
                operation: Operation::Read,
                ..
            }
        );
        let place = self.identities.iter().position(|known| known == who);
        !reads
            || place.is_none_or(|place| self.locked[place].load(Ordering::SeqCst).is_multiple_of(2))
    }
}
