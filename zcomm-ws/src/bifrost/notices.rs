//! Tells callers of the writes of others, each reduced to what its receiver may read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use zcomm_core::data::{Change, ChangeKind, Changes, Notice, Row};
use zcomm_core::{Identity, Scope};

use super::app::App;
use crate::hub::{Encoded, Hub};

/// After how many callers the others on this thread have their turn.
const TURN: usize = 256;

/// Hands every change on, until nothing can write any more.
pub(super) async fn forward(app: Arc<App>, hub: Hub, mut changes: Changes) {
    while let Some(notice) = changes.next().await {
        match notice {
            Notice::Changed(change) => tell(&app, &hub, &change).await,
            // Callers that never subscribed were promised nothing; those that did are told by their subscription.
            _ => tracing::warn!("changes were lost before they were told"),
        }
    }
}

/// Tells everyone but the writer. Rights and encoding are worked out once for callers of one scope.
async fn tell(app: &App, hub: &Hub, change: &Change) {
    let (now, mut told) = (SystemTime::now(), HashMap::new());
    for (count, connection) in hub.connections().into_iter().enumerate() {
        if count % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
        let who = connection.identity();
        let is_elsewhere = change.app.as_deref().is_some_and(|app| app != who.app());
        if change.origin == Some(connection.id()) || is_elsewhere || who.is_expired(now) {
            continue;
        }
        let message: &Option<Encoded> = told
            .entry(who.scope())
            .or_insert_with_key(|_: &Scope| message(app, &who, change));
        if let Some(message) = message {
            // A peer that lets too much pile up is closed: it must not believe that it heard everything.
            connection.push(message);
        }
    }
}

/// What a caller is told of a change; nothing if it may not read the row.
fn message(app: &App, who: &Identity, change: &Change) -> Option<Encoded> {
    let row = match change.kind {
        ChangeKind::Delete => {
            // What is left of a deleted row are the fields that the row rules look at.
            visible(app, who, change, change.before.as_ref()?)?;
            Value::Null
        }
        _ => Value::Object(visible(app, who, change, change.after.as_ref()?)?),
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

fn visible(app: &App, who: &Identity, change: &Change, row: &Row) -> Option<Row> {
    app.access().visible(&change.model, who, row)
}
