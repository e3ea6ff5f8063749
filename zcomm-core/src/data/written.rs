//! What writes did: counts, rows, and the answer that the caller gets.

use serde_json::{Value as Json, json};

use super::Row;
use super::change::ChangeKind;
use super::model::Model;
use super::permitted::Permitted;
use super::value::Value;
use super::write::{Effect, Write};

/// What a transaction did: one outcome for each of its writes.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Written {
    /// One for each write, in their order.
    pub outcomes: Vec<Outcome>,
    /// Whether all was done or nothing would have been; false on stores without transactions.
    pub atomic: bool,
}

impl Written {
    /// What a transaction did.
    pub fn new(outcomes: Vec<Outcome>) -> Self {
        Self {
            outcomes,
            atomic: true,
        }
    }

    /// The same, done step by step.
    #[must_use]
    pub fn step_by_step(mut self) -> Self {
        self.atomic = false;
        self
    }
}

/// What one write did.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// How many rows it touched, or would have.
    pub count: u64,
    /// The rows; none of them if there are more than [`Outcome::MOST_ROWS`], or if it was a dry run.
    pub changed: Vec<Changed>,
    /// Whether this repeats what an earlier write with the same idempotency key did.
    pub replayed: bool,
}

/// One row that a write touched.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Changed {
    /// What became of it.
    pub kind: ChangeKind,
    /// Its primary key.
    pub id: Value,
    /// The values before of the fields that the write names for this; none for a new row.
    pub before: Option<Row>,
    /// The whole row afterwards; none where it is gone.
    pub after: Option<Row>,
}

impl Changed {
    /// One row that a write touched.
    pub fn new(kind: ChangeKind, id: Value, before: Option<Row>, after: Option<Row>) -> Self {
        Self {
            kind,
            id,
            before,
            after,
        }
    }
}

impl Outcome {
    /// Beyond so many rows a write reports only their number.
    pub const MOST_ROWS: usize = 1000;

    /// What was done to these rows.
    pub fn of(changed: Vec<Changed>) -> Self {
        Self {
            count: changed.len() as u64,
            changed: if changed.len() > Self::MOST_ROWS {
                Vec::new()
            } else {
                changed
            },
            replayed: false,
        }
    }

    /// What would have been done, or was done to rows that nobody looked at.
    pub fn counted(count: u64) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }

    /// The same, found again under an idempotency key.
    #[must_use]
    pub fn again(mut self) -> Self {
        self.replayed = true;
        self
    }

    /// The outcome as a store keeps it under an idempotency key. Values before the write are left out: an answer that
    /// is repeated is not announced again.
    pub fn to_json(&self) -> Json {
        let changed = self.changed.iter();
        let changed: Vec<Json> = changed
            .map(|changed| json!([changed.kind.as_str(), changed.id.to_json(), changed.after]))
            .collect();
        json!({"count": self.count, "changed": changed})
    }

    /// The outcome that was kept, of a write to this model; none if it is not one.
    pub fn from_json(model: &Model, json: &Json) -> Option<Self> {
        let changed = json["changed"].as_array()?.iter().map(|changed| {
            Some(Changed {
                kind: ChangeKind::from_name(changed[0].as_str()?)?,
                id: Value::from_json(model.key().kind, &changed[1])?,
                before: None,
                after: changed[2].as_object().cloned(),
            })
        });
        Some(Self {
            count: json["count"].as_u64()?,
            changed: changed.collect::<Option<_>>()?,
            replayed: true,
        })
    }

    fn counts_only(&self) -> bool {
        self.count > 0 && self.changed.is_empty()
    }
}

impl Permitted<Write> {
    /// What the caller is answered: the rows as far as it may read them, or their number.
    pub fn answer(&self, outcome: &Outcome) -> Json {
        let count = outcome.count;
        if self.dry_run {
            let mut answer = self.counted(count);
            answer["dry_run"] = Json::Bool(true);
            return answer;
        }
        match &self.effect {
            Effect::Create { bulk: true, .. } if !outcome.counts_only() => outcome
                .changed
                .iter()
                .map(|changed| self.shown(changed))
                .collect(),
            Effect::Delete { .. } => match &self.key {
                Some(id) => json!({"deleted": count, "id": id.to_json()}),
                None => self.counted(count),
            },
            _ => match outcome.changed.as_slice() {
                [only] => self.shown(only),
                _ => self.counted(count),
            },
        }
    }

    fn counted(&self, count: u64) -> Json {
        match &self.effect {
            Effect::Create { .. } => json!({"created": count}),
            Effect::Update { .. } => json!({"updated": count}),
            Effect::Delete { .. } => json!({"deleted": count}),
            Effect::Upsert { .. } => json!({"upserted": count}),
        }
    }

    fn shown(&self, changed: &Changed) -> Json {
        let row = changed.after.as_ref();
        match row.and_then(|row| self.rights().visible(row)) {
            Some(mut row) => {
                self.big_ints.write(&self.model, &mut row);
                Json::Object(row)
            }
            None => self.counted(1),
        }
    }
}
