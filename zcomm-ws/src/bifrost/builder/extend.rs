//! What an application adds to a server: functions, commands, events, routes, files, layers of its own.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;

use http::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::{Layer, Service};
use zcomm_core::{Body, BoxService, Error as CallError};

use super::BifrostBuilder;
use crate::bifrost::call::Call;
use crate::bifrost::events;
use crate::bifrost::files::Files;
use crate::bifrost::front::is_event_name;
use crate::bifrost::offer::{bare_key, callee};
use crate::bifrost::relaxed;
use crate::bifrost::remote::Remote;
use crate::bifrost::route::Route;
use crate::bifrost::topic::Topic;
use crate::error::Error;
use crate::server::{CloseReason, Connection};

/// The most bytes of a file that `zOpen` reads, unless it is said.
const LARGEST_FILE: usize = 1 << 20;

/// Names of events that mean others, or never come to a handler.
const RESERVED: [&str; 10] = [
    "create",
    "read",
    "update",
    "delete",
    "upsert",
    "input_response",
    "set_query_cache_ttl",
    "cache_stats",
    "clear_cache",
    "set_cache_ttl",
];

impl BifrostBuilder {
    /// Adds a function that clients call by `zFunc(name, arguments)`.
    ///
    /// One argument is read as that value, several as a tuple, none as `null` or `{}`. What the function does to rows it
    /// does through [`Call`], with the rights of its caller; an error is told by its code. A closure that captures
    /// something clones it before its future begins: `move |call, args| { let x = x.clone(); async move { … } }`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use zcomm_core::{Code, Error};
    /// use zcomm_ws::bifrost::{Bifrost, Call};
    ///
    /// #[derive(Deserialize)]
    /// struct Cart {
    ///     cart_id: u64,
    /// }
    ///
    /// let builder = Bifrost::builder().function("calculateTotal", async |_call: Call, cart: Cart| {
    ///     match cart.cart_id {
    ///         123 => Ok(59.90),
    ///         other => Err(Error::other(Code::NotFound, format!("there is no cart {other}"))),
    ///     }
    /// });
    /// # let _ = builder;
    /// ```
    pub fn function<F, Fut, A, R>(mut self, name: impl Into<String>, f: F) -> Self
    where
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, CallError>> + Send + 'static,
        A: DeserializeOwned,
        R: Serialize,
    {
        let (kind, name) = ("function", name.into());
        if relaxed::call(&name).is_ok_and(|(read, _)| read == name) {
            let added = add(&mut self.offer.functions, kind, name, callee(f));
            return self.noting(added);
        }
        self.noting(Err(Error::NameInvalid { kind, name }))
    }

    /// Adds a command that messages name by this `zKey`, with or without `^`. It is given the whole message.
    ///
    /// ```
    /// use serde_json::{Value, json};
    /// use zcomm_ws::bifrost::{Bifrost, Call};
    ///
    /// let builder = Bifrost::builder().command("custom_command", async |_call: Call, message: Value| {
    ///     Ok(json!({"heard": message["zHorizontal"]["action"]}))
    /// });
    /// # let _ = builder;
    /// ```
    pub fn command<F, Fut, A, R>(mut self, key: impl Into<String>, f: F) -> Self
    where
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, CallError>> + Send + 'static,
        A: DeserializeOwned,
        R: Serialize,
    {
        let (kind, key) = ("command", key.into());
        let name = bare_key(&key).to_owned();
        if name.is_empty() {
            return self.noting(Err(Error::NameInvalid { kind, name: key }));
        }
        let added = add(&mut self.offer.commands, kind, name, callee(f));
        self.noting(added)
    }

    /// Adds an event, over sockets and as `POST /<name>`. It is given the whole message but for its `event`.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use zcomm_ws::bifrost::{Bifrost, Call};
    ///
    /// #[derive(Deserialize)]
    /// struct Move {
    ///     x: i32,
    ///     y: i32,
    /// }
    ///
    /// let builder = Bifrost::builder().event("move", async |_call: Call, to: Move| Ok(to.x + to.y));
    /// # let _ = builder;
    /// ```
    pub fn event<F, Fut, A, R>(mut self, name: impl Into<String>, f: F) -> Self
    where
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, CallError>> + Send + 'static,
        A: DeserializeOwned,
        R: Serialize,
    {
        let (kind, name) = ("event", name.into());
        if !is_event_name(&name) {
            return self.noting(Err(Error::NameInvalid { kind, name }));
        }
        let is_ours = events::all().contains_key(name.as_str());
        if is_ours || RESERVED.contains(&name.as_str()) {
            return self.noting(Err(Error::NameTaken { kind, name }));
        }
        let added = add(&mut self.offer.events, kind, name, callee(f));
        self.noting(added)
    }

    /// Adds a place that `zLink` leads to.
    pub fn route(mut self, route: Route) -> Self {
        let name = route.path.clone();
        let added = add(&mut self.offer.routes, "route", name, route);
        self.noting(added)
    }

    /// Declares a topic that clients may join or publish on.
    pub fn topic(mut self, topic: Topic) -> Self {
        let (kind, name) = ("topic", topic.name.clone());
        if name.is_empty() {
            return self.noting(Err(Error::NameInvalid { kind, name }));
        }
        let added = match self.offer.topics.declare(topic) {
            true => Ok(()),
            false => Err(Error::NameTaken { kind, name }),
        };
        self.noting(added)
    }

    /// Asks whether a client is taken, once it is known who it is. Where its token comes as a message, that is then.
    pub fn on_connect<F>(mut self, f: F) -> Self
    where
        F: Fn(&Remote) -> Result<(), CloseReason> + Send + Sync + 'static,
    {
        self.offer.on_connect = Some(Box::new(f));
        self
    }

    /// Learns of the end of every connection, and how it ended.
    pub fn on_disconnect<F>(mut self, f: F) -> Self
    where
        F: Fn(&Connection, &CloseReason) + Send + Sync + 'static,
    {
        self.offer.on_disconnect = Some(Box::new(f));
        self
    }

    /// Opens the files below a folder to `zOpen`, up to 1 MiB each. Hidden ones stay closed.
    pub fn open_root(self, folder: impl AsRef<Path>) -> Self {
        self.open_root_up_to(folder, LARGEST_FILE)
    }

    /// The same, with files of up to so many bytes.
    pub fn open_root_up_to(mut self, folder: impl AsRef<Path>, bytes: usize) -> Self {
        let folder = folder.as_ref();
        match Files::new(folder, bytes) {
            Ok(files) => self.offer.files = Some(files),
            Err(source) => {
                let path = folder.to_owned();
                return self.noting(Err(Error::OpenRoot { path, source }));
            }
        }
        self
    }

    /// Puts a layer of the application's own in front of everything: all events of sockets and of plain HTTP pass it as
    /// `POST /<event>`. The last one added is the outermost.
    ///
    /// ```
    /// use tower::util::MapRequestLayer;
    /// use zcomm_core::Body;
    /// use zcomm_ws::bifrost::Bifrost;
    ///
    /// let builder = Bifrost::builder().layer(MapRequestLayer::new(|request: http::Request<Body>| {
    ///     println!("{}", request.uri().path());
    ///     request
    /// }));
    /// # let _ = builder;
    /// ```
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<BoxService> + Send + 'static,
        L::Service: Service<Request<Body>, Response = Response<Body>, Error = CallError>
            + Clone
            + Send
            + Sync
            + 'static,
        <L::Service as Service<Request<Body>>>::Future: Send + 'static,
    {
        let wrap = move |stack| BoxService::new(layer.layer(stack));
        self.layers.push(Box::new(wrap));
        self
    }

    /// Keeps what was wrong first, for `bind` to say.
    fn noting(mut self, added: Result<(), Error>) -> Self {
        self.wrong = self.wrong.or(added.err());
        self
    }
}

fn add<T>(
    all: &mut BTreeMap<String, T>,
    kind: &'static str,
    name: String,
    value: T,
) -> Result<(), Error> {
    if all.contains_key(&name) {
        return Err(Error::NameTaken { kind, name });
    }
    all.insert(name, value);
    Ok(())
}
