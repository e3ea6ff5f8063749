//! Who joined which topic, and the way of what is published there. Each application's clients are among themselves.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};
use zcomm_core::{Action, ConnectionId, Error, Identity};

use super::app::App;
use super::topic::Topic;
use crate::hub::Encoded;
use crate::server::Connection;

/// The topics that were declared.
#[derive(Default)]
pub(super) struct Topics {
    all: BTreeMap<String, Declared>,
}

struct Declared {
    topic: Topic,
    /// One for each application that has somebody here.
    rooms: Mutex<HashMap<Arc<str>, Room>>,
}

/// The clients of one application on one topic.
#[derive(Default)]
struct Room {
    seq: u64,
    members: HashMap<ConnectionId, Connection>,
}

impl Topics {
    /// Declares a topic; false if there is one of that name.
    pub(super) fn declare(&mut self, topic: Topic) -> bool {
        let rooms = Mutex::default();
        let name = topic.name.clone();
        let before = self.all.insert(name, Declared { topic, rooms });
        before.is_none()
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The names of those that somebody may join.
    pub(super) fn joinable<'a>(
        &'a self,
        app: &'a App,
        who: &'a Identity,
    ) -> impl Iterator<Item = &'a str> {
        let names = self.all.keys().map(String::as_str);
        names.filter(move |name| self.may_join(app, who, name).is_ok())
    }

    /// Refuses who may not join; a topic that is not declared is refused alike.
    pub(super) fn may_join(&self, app: &App, who: &Identity, topic: &str) -> Result<(), Error> {
        let declared = self.all.get(topic);
        let may = declared.is_some_and(|declared| declared.topic.join.admits(who));
        permit(app, who, (Action::Join(topic), may))
    }

    /// Takes a client in.
    pub(super) fn join(&self, connection: &Connection, topic: &str) {
        if let Some(declared) = self.all.get(topic) {
            let app: Arc<str> = connection.identity().app().into();
            let mut rooms = declared.rooms();
            // Whoever came through another application before leaves its room.
            leave(&mut rooms, connection.id());
            let room = rooms.entry(app).or_default();
            room.members.insert(connection.id(), connection.clone());
        }
    }

    /// Takes a client along that came to another application. Who has not joined does not join by that.
    pub(super) fn follow(&self, connection: &Connection, topic: &str) {
        let identity = connection.identity();
        let elsewhere = self.all.get(topic).is_some_and(|declared| {
            let rooms = declared.rooms();
            let mut others = rooms.iter().filter(|(app, _)| &***app != identity.app());
            others.any(|(_, room)| room.members.contains_key(&connection.id()))
        });
        if elsewhere {
            self.join(connection, topic);
        }
    }

    /// Takes a client out.
    pub(super) fn leave(&self, client: ConnectionId, topic: &str) {
        if let Some(declared) = self.all.get(topic) {
            leave(&mut declared.rooms(), client);
        }
    }

    /// Publishes for a client: to its own application. Returns how many took it.
    pub(super) fn publish(
        &self,
        app: &App,
        who: &Identity,
        (topic, data): (&str, &Value),
    ) -> Result<usize, Error> {
        let declared = self.all.get(topic);
        let may = declared.is_some_and(|declared| declared.topic.publish.admits(who));
        permit(app, who, (Action::Publish(topic), may))?;
        let mut rooms = declared.map(Declared::rooms);
        let room = rooms.as_mut().and_then(|rooms| rooms.get_mut(who.app()));
        Ok(room.map_or(0, |room| room.tell(topic, data)))
    }

    /// Publishes for the program itself: to all applications, or to one. Nothing if the topic is not declared.
    pub(super) fn announce(&self, topic: &str, data: &Value, app: Option<&str>) -> Option<usize> {
        let declared = self.all.get(topic)?;
        let mut rooms = declared.rooms();
        let meant = rooms
            .iter_mut()
            .filter(|(name, _)| app.is_none_or(|app| app == &***name));
        Some(meant.map(|(_, room)| room.tell(topic, data)).sum())
    }
}

impl Declared {
    fn rooms(&self) -> MutexGuard<'_, HashMap<Arc<str>, Room>> {
        // The table is whole between any two statements, so a panic elsewhere leaves it usable.
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    fn tell(&mut self, topic: &str, data: &Value) -> usize {
        self.seq += 1;
        let message = json!({"event": "message", "topic": topic, "data": data, "seq": self.seq});
        let message = Encoded::from(message.to_string()).for_many();
        let now = SystemTime::now();
        let members = self.members.values();
        let living = members.filter(|member| !member.identity().is_expired(now));
        living.filter(|member| member.push(&message)).count()
    }
}

fn leave(rooms: &mut HashMap<Arc<str>, Room>, client: ConnectionId) {
    rooms.retain(|_, room| {
        room.members.remove(&client);
        !room.members.is_empty()
    });
}

fn permit(app: &App, who: &Identity, (action, may): (Action<'_>, bool)) -> Result<(), Error> {
    if !may {
        let (who, action) = (who.to_string(), action.to_string());
        return Err(Error::Forbidden { who, action });
    }
    app.permit(who, &action)
}
