//! The subscriptions of all clients: who follows which rows or topics, under which number. Judges no changes.

mod group;
mod opening;
mod room;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use zcomm_core::ConnectionId;
use zcomm_core::data::{Notice, Permitted, Query, Requester, Schema};
use zcomm_core::{Action, Error, Identity, Operation};

use super::app::App;
use super::fault::Fault;
use crate::hub::Encoded;
use crate::server::Connection;

pub(super) use opening::{AfterReply, Opening};
use room::Room;

/// What a subscription follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// The rows of a query, as its caller asked for them.
    Rows(Box<Query>),
    /// What is published on a topic.
    Topic(String),
}

/// The subscriptions of all clients.
pub(super) struct Live {
    /// One for each model.
    rooms: HashMap<String, Mutex<Room>>,
    clients: Mutex<HashMap<ConnectionId, Client>>,
    /// How many one client may have.
    most: usize,
}

/// The subscriptions of one client. It is here from its first one on, whether or not any are left.
#[derive(Default)]
struct Client {
    last: u64,
    all: BTreeMap<u64, Target>,
}

impl Live {
    pub(super) fn new(schema: &Schema, most: usize) -> Self {
        let models = schema.models().iter();
        Self {
            rooms: models
                .map(|model| (model.name().to_owned(), Mutex::default()))
                .collect(),
            clients: Mutex::default(),
            most,
        }
    }

    /// How many subscriptions one client may have.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Gives a number to a subscription. What a client follows already keeps the number that it has.
    pub(super) fn reserve(
        &self,
        client: ConnectionId,
        target: Target,
    ) -> Result<(u64, bool), Fault> {
        let mut clients = self.clients();
        let client = clients.entry(client).or_default();
        if let Some((id, _)) = client.all.iter().find(|(_, other)| **other == target) {
            return Ok((*id, false));
        }
        if client.all.len() >= self.most {
            return Err(Fault::TooManySubscriptions { most: self.most });
        }
        client.last += 1;
        client.all.insert(client.last, target);
        Ok((client.last, true))
    }

    /// Pushes a message to a client that never subscribed to anything, so before any reply to a `subscribe` of its own.
    pub(super) fn push_to_stranger(&self, connection: &Connection, message: &Encoded) {
        let clients = self.clients();
        if !clients.contains_key(&connection.id()) {
            // A peer that lets too much pile up is closed: it must not believe that it heard everything.
            connection.push(message);
        }
    }

    /// Whether the client still has this subscription.
    fn has(&self, client: ConnectionId, id: u64) -> bool {
        let clients = self.clients();
        clients
            .get(&client)
            .is_some_and(|client| client.all.contains_key(&id))
    }

    /// The numbers of a client's subscriptions that are meant.
    pub(super) fn find(
        &self,
        client: ConnectionId,
        is_meant: impl Fn(u64, &Target) -> bool,
    ) -> Vec<u64> {
        let clients = self.clients();
        let all = clients
            .get(&client)
            .into_iter()
            .flat_map(|client| &client.all);
        all.filter(|(id, target)| is_meant(**id, target))
            .map(|(id, _)| *id)
            .collect()
    }

    /// Ends a subscription.
    pub(super) fn end(&self, app: &App, client: ConnectionId, id: u64) {
        let target = {
            let mut clients = self.clients();
            let client = clients.get_mut(&client);
            client.and_then(|client| client.all.remove(&id))
        };
        if let Some(target) = target {
            self.part(app, client, id, &target);
        }
    }

    /// Ends all subscriptions of a client that has gone.
    pub(super) fn forget(&self, app: &App, client: ConnectionId) {
        let gone = self.clients().remove(&client);
        for (id, target) in gone.into_iter().flat_map(|client| client.all) {
            self.part(app, client, id, &target);
        }
    }

    /// Looks anew at what a client may follow that became somebody else. Where that is not the same, the client is told
    /// to start anew, which then tells it what it may no longer see.
    pub(super) fn recheck(&self, app: &App, connection: &Connection) {
        let all: Vec<(u64, Target)> = {
            let clients = self.clients();
            let client = clients.get(&connection.id()).into_iter();
            let all = client.flat_map(|client| &client.all);
            all.map(|(id, target)| (*id, target.clone())).collect()
        };
        for (id, target) in all {
            let is_as_before = match &target {
                Target::Rows(query) => self.recheck_rows(app, connection, id, query),
                Target::Topic(topic) => {
                    app.topics().follow(connection, topic);
                    let who = connection.identity();
                    app.topics().may_join(app, &who, topic).is_ok()
                }
            };
            if !is_as_before {
                if matches!(target, Target::Topic(_)) {
                    self.end(app, connection.id(), id);
                }
                connection.push(&resync(id));
            }
        }
    }

    fn recheck_rows(&self, app: &App, connection: &Connection, id: u64, query: &Query) -> bool {
        let Some(room) = self.room(query.model.name()) else {
            return false;
        };
        // Whoever opens a subscription at this moment has either the lock, or sees who the client is by now.
        let mut room = lock(room);
        let permitted = permitted(app, &connection.identity(), query);
        let same = permitted
            .as_ref()
            .is_ok_and(|query| room.follows(connection.id(), id, query));
        if same {
            return true;
        }
        let Some(member) = room.leave(connection.id(), id) else {
            // It is being opened, which looks at the identity itself.
            return true;
        };
        match permitted {
            Ok(query) => {
                let fields = query.filter.fields().into_iter().cloned();
                let watch = app.store().watch(&query.model, fields);
                room.join(query, watch, member);
            }
            Err(_) => {
                let mut clients = self.clients();
                if let Some(client) = clients.get_mut(&connection.id()) {
                    client.all.remove(&id);
                }
            }
        }
        false
    }

    /// Tells those who follow rows what became of one, or that nobody knows.
    pub(super) fn tell(&self, notice: &Notice, at: u64) {
        match notice {
            Notice::Changed(change) => {
                if let Some(room) = self.room(change.model.name()) {
                    lock(room).tell(change, at);
                }
            }
            Notice::Resync(Some(model)) => {
                if let Some(room) = self.room(model.name()) {
                    lock(room).resync(at);
                }
            }
            _ => self.rooms.values().for_each(|room| lock(room).resync(at)),
        }
    }

    fn part(&self, app: &App, client: ConnectionId, id: u64, target: &Target) {
        match target {
            Target::Rows(query) => {
                if let Some(room) = self.room(query.model.name()) {
                    lock(room).leave(client, id);
                }
            }
            Target::Topic(topic) => app.topics().leave(client, topic),
        }
    }

    fn room(&self, model: &str) -> Option<&Mutex<Room>> {
        self.rooms.get(model)
    }

    fn clients(&self) -> MutexGuard<'_, HashMap<ConnectionId, Client>> {
        lock(&self.clients)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("clients", &self.clients().len())
            .finish_non_exhaustive()
    }
}

/// What somebody may follow of a query's rows.
pub(super) fn permitted(
    app: &App,
    who: &Identity,
    query: &Query,
) -> Result<Permitted<Query>, Error> {
    let (model, operation) = (query.model.name(), Operation::Read);
    app.permit(who, &Action::Data { model, operation })?;
    let requester = Requester::new(who);
    Ok(app.access().query(query.clone(), &requester)?)
}

/// What tells a client to take a new snapshot.
fn resync(id: u64) -> Encoded {
    let message = json!({"event": "resync", "subscription": id});
    Encoded::from(message.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The tables are whole between any two statements, so a panic elsewhere under the lock leaves them usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
