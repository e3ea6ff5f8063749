//! Hands changes on: to those who subscribed, and to those who never did, as the guides' clients expect.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use zcomm_core::data::{Change, ChangeKind, Changes, Notice, Rights, Row};
use zcomm_core::{Action, Identity, Operation};

use super::app::App;
use crate::hub::Encoded;

/// After how many callers the others on this thread have their turn.
const TURN: usize = 256;

/// Hands every change on, until nothing can write any more.
pub(super) async fn forward(app: Arc<App>, mut changes: Changes) {
    while let Some(notice) = changes.next().await {
        app.live().tell(&notice, changes.position());
        // Of changes that were lost only those are told who subscribed: nobody else was promised anything.
        if let Notice::Changed(change) = &notice
            && app.tells_everybody()
        {
            tell(&app, change).await;
        }
    }
}

/// Tells everyone but the writer and those who subscribed to something.
async fn tell(app: &App, change: &Change) {
    let (now, mut groups) = (SystemTime::now(), Groups::of(change));
    let (model, operation) = (change.model.name(), Operation::Read);
    let reading = Action::Data { model, operation };
    for (count, connection) in app.hub().connections().into_iter().enumerate() {
        if count % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
        let who = connection.identity();
        let is_elsewhere = change.app.as_deref().is_some_and(|app| app != who.app());
        let is_other = change.origin != Some(connection.id()) && !is_elsewhere;
        if !is_other
            || who.is_expired(now)
            || connection.awaits_auth()
            || !app.policy().permits(&who, &reading)
        {
            continue;
        }
        if let Some(message) = groups.message(app, &who) {
            app.live().push_to_stranger(&connection, message);
        }
    }
}

/// What a change is to callers, worked out once for all who have the same rights.
struct Groups<'c> {
    change: &'c Change,
    /// Whether rights depend on who a caller is, beside its roles.
    by_user: bool,
    /// Who belongs to which group.
    of: HashMap<Key, usize>,
    all: Vec<(Option<Rights>, Option<Encoded>)>,
}

/// What rights can depend on.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    roles: Arc<[Arc<str>]>,
    user: Option<Box<str>>,
    is_known: bool,
}

impl<'c> Groups<'c> {
    fn of(change: &'c Change) -> Self {
        let rules = change.model.access();
        Self {
            change,
            by_user: rules.is_some_and(|rules| rules.owners().next().is_some()),
            of: HashMap::new(),
            all: Vec::new(),
        }
    }

    fn message(&mut self, app: &App, who: &Identity) -> Option<&Encoded> {
        let key = Key {
            roles: who.roles().into(),
            user: who.name().filter(|_| self.by_user).map(Into::into),
            is_known: who.name().is_some(),
        };
        let at = match self.of.get(&key) {
            Some(at) => *at,
            None => {
                let at = self.group(app, who);
                self.of.insert(key, at);
                at
            }
        };
        self.all[at].1.as_ref()
    }

    /// The group of a caller's rights. Other roles may well grant the same.
    fn group(&mut self, app: &App, who: &Identity) -> usize {
        let rights = app.access().rights(&self.change.model, who).ok();
        // Where rows have owners hardly two callers are alike, and looking for them would cost more than it saves.
        if !self.by_user
            && let Some(at) = self.all.iter().position(|(other, _)| *other == rights)
        {
            return at;
        }
        let message = rights
            .as_ref()
            .and_then(|rights| message(self.change, rights));
        self.all.push((rights, message));
        self.all.len() - 1
    }
}

/// What callers with these rights are told of a change; nothing if they may not read the row.
fn message(change: &Change, rights: &Rights) -> Option<Encoded> {
    let visible = |row: &Row| rights.visible(row);
    let row = match change.kind {
        ChangeKind::Delete => {
            // What is left of a deleted row are the fields that the row rules look at.
            visible(change.before.as_ref()?)?;
            Value::Null
        }
        _ => Value::Object(visible(change.after.as_ref()?)?),
    };
    let message = json!({
        "event": "change",
        "model": change.model.name(),
        "op": change.kind.as_str(),
        "id": change.id.to_json(),
        "row": row,
    });
    Encoded::json(&message).ok().map(Encoded::for_many)
}
