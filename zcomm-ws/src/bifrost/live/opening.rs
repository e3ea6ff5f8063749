//! A subscription between its reply and its first event: nothing falls between the two, nor into both.

use std::fmt;
use std::sync::{Arc, Mutex};

use zcomm_core::data::{Changes, Permitted, Query, Watch};

use super::group::{Group, Member};
use super::{lock, permitted, resync};
use crate::bifrost::app::App;
use crate::server::Connection;

/// A subscription whose reply is on its way. Dropped before it is opened, it never was.
pub(in crate::bifrost) struct Opening {
    app: Arc<App>,
    connection: Connection,
    id: u64,
    follows: Option<Follows>,
}

enum Follows {
    Rows(Box<Rows>),
    Topic(String),
}

struct Rows {
    asked: Query,
    query: Permitted<Query>,
    /// Who the client was when that was permitted.
    version: u64,
    seq: u64,
    changes: Changes,
    watch: Watch,
}

impl Opening {
    /// Of rows, from where `changes` begin.
    pub(in crate::bifrost) fn rows(
        place: (&Arc<App>, &Connection, u64),
        asked: (Query, Permitted<Query>, u64),
        from: (Changes, Watch),
    ) -> Self {
        let ((app, connection, id), (asked, query, version), (changes, watch)) =
            (place, asked, from);
        // Who subscribes to the same once more goes on counting; what came in between is told again, after the reply.
        let room = app.live().room(query.model.name());
        let before = room.and_then(|room| lock(room).leave(connection.id(), id));
        let rows = Rows {
            asked,
            query,
            version,
            seq: before.map_or(0, |member| member.seq()),
            changes,
            watch,
        };
        Self {
            app: Arc::clone(app),
            connection: connection.clone(),
            id,
            follows: Some(Follows::Rows(Box::new(rows))),
        }
    }

    /// Of a topic.
    pub(in crate::bifrost) fn topic(
        app: &Arc<App>,
        connection: &Connection,
        (id, topic): (u64, String),
    ) -> Self {
        Self {
            app: Arc::clone(app),
            connection: connection.clone(),
            id,
            follows: Some(Follows::Topic(topic)),
        }
    }

    /// The number of the last event before the first.
    pub(in crate::bifrost) fn seq(&self) -> u64 {
        match &self.follows {
            Some(Follows::Rows(rows)) => rows.seq,
            _ => 0,
        }
    }

    /// Lets events through, now that the reply is out.
    pub(in crate::bifrost) async fn open(mut self) {
        let place = (Arc::clone(&self.app), self.connection.clone(), self.id);
        match self.follows.take() {
            Some(Follows::Rows(rows)) => rows.open(place).await,
            Some(Follows::Topic(topic)) => self.join(&topic),
            None => {}
        }
    }

    fn join(&self, topic: &str) {
        let (app, connection) = (&self.app, &self.connection);
        if app.live().has(connection.id(), self.id) {
            app.topics().join(connection, topic);
        }
        // Who became somebody else meanwhile was looked at before it had joined.
        let may = app.topics().may_join(app, &connection.identity(), topic);
        if may.is_err() {
            app.live().end(app, connection.id(), self.id);
            connection.push(&resync(self.id));
        }
    }
}

impl Rows {
    async fn open(self, (app, connection, id): (Arc<App>, Connection, u64)) {
        let Self {
            asked,
            mut query,
            mut version,
            seq,
            mut changes,
            mut watch,
        } = self;
        let Some(room) = app.live().room(query.model.name()) else {
            return;
        };
        let mut member = Member::new(connection.clone(), id, seq, changes.position());
        loop {
            let behind = {
                let mut room = lock(room);
                if !app.live().has(connection.id(), id) {
                    return;
                }
                // The lock is taken wherever identities are looked at anew, so from here on that sees this one, too.
                let (who, now) = connection.caller().snapshot();
                if now != version {
                    version = now;
                    member.connection().push(&resync(id));
                    match permitted(&app, &who, &asked) {
                        Ok(other) => {
                            let fields = other.filter.fields().into_iter().cloned();
                            watch = app.store().watch(&other.model, fields);
                            query = other;
                        }
                        Err(_) => {
                            drop(room);
                            return app.live().end(&app, connection.id(), id);
                        }
                    }
                }
                if room.at <= changes.position() {
                    member.since = changes.position();
                    // The same may have been subscribed to twice at once: it is one subscription.
                    if let Some(other) = room.leave(connection.id(), id) {
                        member.go_on_from(other.seq());
                    }
                    return room.join(query, watch, member);
                }
                room.at
            };
            // Others have been told more than this one: it hears that by itself, and looks again.
            let fields = query.filter.fields().into_iter().cloned();
            let alone = Group::new(query.clone(), app.store().watch(&query.model, fields));
            while changes.position() < behind {
                let Some(notice) = changes.next().await else {
                    return;
                };
                alone.tell_one(&mut member, &notice);
            }
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if self.follows.is_some() {
            self.app
                .live()
                .end(&self.app, self.connection.id(), self.id);
        }
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("connection", &self.connection)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What is to happen once a reply is out. A response carries it as an extension.
#[derive(Clone, Debug)]
pub(in crate::bifrost) struct AfterReply(Arc<Mutex<Option<Opening>>>);

impl AfterReply {
    pub(in crate::bifrost) fn new(opening: Opening) -> Self {
        Self(Arc::new(Mutex::new(Some(opening))))
    }

    pub(in crate::bifrost) fn take(&self) -> Option<Opening> {
        lock(&self.0).take()
    }
}
