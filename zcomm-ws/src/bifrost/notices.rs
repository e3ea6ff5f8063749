//! Tells callers of the writes of others, each reduced to what its receiver may read.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use zcomm_core::data::{Change, ChangeKind, Changes, Notice, Row};
use zcomm_core::{Identity, Scope};

use super::app::App;
use crate::hub::{Encoded, Hub};

/// Hands every change on, until nothing can write any more.
pub(super) async fn forward(app: Arc<App>, hub: Hub, mut changes: Changes) {
    while let Some(notice) = changes.next().await {
        match notice {
            Notice::Changed(change) => tell(&app, &hub, &change),
            // Callers that never subscribed were promised nothing; those that did are told by their subscription.
            _ => tracing::warn!("changes were lost before they were told"),
        }
    }
}

/// Tells everyone but the writer. Rights and encoding are worked out once for callers of one scope.
fn tell(app: &App, hub: &Hub, change: &Change) {
    let mut told: HashMap<Scope, Option<Encoded>> = HashMap::new();
    for connection in hub.connections() {
        if change.origin == Some(connection.id()) {
            continue;
        }
        let who = connection.identity();
        let message = told
            .entry(who.scope())
            .or_insert_with(|| message(app, &who, change));
        if let Some(message) = message {
            // A peer that takes nothing is closed by its outbox; there is nobody else to tell.
            let _ = connection.try_send(message.clone());
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
    Encoded::json(&message).ok()
}

fn visible(app: &App, who: &Identity, change: &Change, row: &Row) -> Option<Row> {
    app.access().visible(&change.model, who, row)
}
