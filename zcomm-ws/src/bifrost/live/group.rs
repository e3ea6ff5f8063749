//! Those who follow the same rows with the same rights: a change is judged and written once for all of them.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use zcomm_core::ConnectionId;
use zcomm_core::data::{Change, ChangeKind, Field, Notice, Permitted, Query, Row, Watch};

use super::resync;
use crate::frame::MessageKind;
use crate::hub::Encoded;
use crate::server::Connection;

/// One subscription among others of its kind.
#[derive(Debug)]
pub(super) struct Member {
    connection: Connection,
    /// The client's number for it.
    id: u64,
    /// The number of its last event.
    seq: u64,
    /// The last notice that it knows from its snapshot.
    pub(super) since: u64,
}

impl Member {
    pub(super) fn new(connection: Connection, id: u64, seq: u64, since: u64) -> Self {
        Self {
            connection,
            id,
            seq,
            since,
        }
    }

    pub(super) fn is(&self, client: ConnectionId, id: u64) -> bool {
        self.connection.id() == client && self.id == id
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// No number is given twice.
    pub(super) fn go_on_from(&mut self, seq: u64) {
        self.seq = self.seq.max(seq);
    }

    fn may_hear(&self, at: u64, now: SystemTime) -> bool {
        at > self.since && !self.connection.identity().is_expired(now)
    }
}

/// What a change is to those who follow a query.
enum Turn {
    Enter(Row),
    Change(Row),
    Leave,
    /// The row was not among theirs, nor is it now.
    Nothing,
    /// Nobody knows whether the row was among theirs.
    Unknown,
}

/// Those who follow the same rows with the same rights.
pub(super) struct Group {
    query: Permitted<Query>,
    /// What the filter looks at.
    fields: Vec<Arc<Field>>,
    pub(super) members: Vec<Member>,
    /// Keeps the values before of those fields in every change.
    _watch: Watch,
}

impl Group {
    pub(super) fn new(query: Permitted<Query>, watch: Watch) -> Self {
        let fields = query.filter.fields().into_iter().cloned().collect();
        Self {
            query,
            fields,
            members: Vec::new(),
            _watch: watch,
        }
    }

    /// Whether those who follow this query with its rights belong here.
    pub(super) fn is_of(&self, query: &Permitted<Query>) -> bool {
        **query == *self.query && query.grants() == self.query.grants()
    }

    /// Tells all members of a change.
    pub(super) fn tell(&mut self, change: &Change, at: u64) {
        let tail = match self.tail(change) {
            Ok(Some(tail)) => tail,
            Ok(None) => return,
            Err(Lost) => return self.resync(at),
        };
        let now = SystemTime::now();
        let mut last: Option<((u64, u64), Encoded)> = None;
        for member in &mut self.members {
            if !member.may_hear(at, now) {
                continue;
            }
            member.seq += 1;
            let head = (member.id, member.seq);
            // Clients that began together are at the same numbers: for them it is the same message.
            let message = match last.take() {
                Some((of, message)) if of == head => message,
                _ => spliced(head, &tail),
            };
            // A peer that lets too much pile up is closed: it must not believe that it heard everything.
            member.connection.push(&message);
            last = Some((head, message));
        }
    }

    /// Tells one who is not among the members yet.
    pub(super) fn tell_one(&self, member: &mut Member, notice: &Notice) {
        let told = match notice {
            Notice::Changed(change) if change.model == self.query.model => self.tail(change),
            Notice::Changed(_) => Ok(None),
            Notice::Resync(Some(model)) if *model != self.query.model => Ok(None),
            _ => Err(Lost),
        };
        match told {
            Ok(None) => {}
            Ok(Some(tail)) => {
                member.seq += 1;
                let message = spliced((member.id, member.seq), &tail);
                member.connection.push(&message);
            }
            Err(Lost) => {
                member.connection.push(&resync(member.id));
            }
        }
    }

    /// Tells all members to start anew.
    pub(super) fn resync(&mut self, at: u64) {
        let now = SystemTime::now();
        for member in &self.members {
            if member.may_hear(at, now) {
                member.connection.push(&resync(member.id));
            }
        }
    }

    /// What members are told of a change, behind their own numbers.
    fn tail(&self, change: &Change) -> Result<Option<Vec<u8>>, Lost> {
        let (op, row) = match self.turn(change) {
            Turn::Nothing => return Ok(None),
            Turn::Unknown => return Err(Lost),
            Turn::Enter(row) => ("enter", Some(row)),
            Turn::Change(row) => ("change", Some(row)),
            Turn::Leave => ("leave", None),
        };
        let id = row
            .as_ref()
            .and_then(|row| row.get(&self.query.model.key().name).cloned());
        let id = id.unwrap_or_else(|| change.id.to_json());
        let model = Value::from(self.query.model.name());
        let mut tail = format!(",\"model\":{model},\"op\":\"{op}\",\"id\":{id}");
        if let Some(row) = row {
            tail.push_str(",\"row\":");
            tail.push_str(&Value::Object(row).to_string());
        }
        tail.push('}');
        Ok(Some(tail.into_bytes()))
    }

    fn turn(&self, change: &Change) -> Turn {
        let now = change.after.as_ref().and_then(|row| self.query.shows(row));
        if change.kind == ChangeKind::Create {
            return now.map_or(Turn::Nothing, Turn::Enter);
        }
        match (self.was_here(change), now) {
            (None, _) => Turn::Unknown,
            (Some(true), Some(row)) => Turn::Change(row),
            (Some(true), None) => Turn::Leave,
            (Some(false), Some(row)) => Turn::Enter(row),
            (Some(false), None) => Turn::Nothing,
        }
    }

    /// Whether the row was among theirs before, where that is known.
    fn was_here(&self, change: &Change) -> Option<bool> {
        if self.fields.is_empty() {
            return Some(self.query.filter.matches(&Row::new()));
        }
        let before = change.before.as_ref()?;
        let is_known = |field: &Arc<Field>| before.contains_key(&field.name);
        let known = self.fields.iter().all(is_known);
        known.then(|| self.query.filter.matches(before))
    }
}

/// What became of a row nobody knows.
struct Lost;

fn spliced((id, seq): (u64, u64), tail: &[u8]) -> Encoded {
    let head = format!("{{\"event\":\"change\",\"subscription\":{id},\"seq\":{seq}");
    Encoded::from_parts(MessageKind::Text, &[head.as_bytes(), tail])
}
