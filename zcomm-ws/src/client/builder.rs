//! What an application says before its client connects.

use std::sync::{Arc, Mutex};

use rustls_pki_types::CertificateDer;
use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use zcomm_core::Secret;

use super::address::Address;
use super::compression;
use super::dial::{Dial, TcpDial};
use super::opening::Target;
use super::pending::Pending;
use super::talk::Listeners;
use super::task::{Task, Wishes};
use super::{Client, ClientConfig, ClientError, Events, Inner, State};

/// Where a token stands in the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenPlace {
    /// In the header `Authorization`, which no proxy logs.
    #[default]
    Header,
    /// In the query, for servers that look nowhere else.
    Query,
}

/// Says how a [`Client`] is to connect.
///
/// ```no_run
/// # async fn example() -> Result<(), zcomm_ws::client::ClientError> {
/// use zcomm_ws::client::Client;
///
/// let client = Client::builder("wss://example.org/ws").token("s3cr3t").connect().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing is opened before `connect`"]
pub struct ClientBuilder {
    url: String,
    token: Option<Secret>,
    place: Option<TokenPlace>,
    protocols: Vec<String>,
    headers: Vec<(String, Secret)>,
    roots: Vec<CertificateDer<'static>>,
    config: ClientConfig,
    awaits_token: bool,
}

impl ClientBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            token: None,
            place: None,
            protocols: Vec::new(),
            headers: Vec::new(),
            roots: Vec::new(),
            config: ClientConfig::default(),
            awaits_token: true,
        }
    }

    /// Presents this token. One that stands in the address is presented there.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Says where in the handshake the token stands. Default: in a header.
    pub fn token_place(mut self, place: TokenPlace) -> Self {
        self.place = Some(place);
        self
    }

    /// Offers a subprotocol; the server must then choose one of those that are offered.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Self {
        self.protocols.push(name.into());
        self
    }

    /// Adds a header to the handshake, as `Origin`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret::new(value)));
        self
    }

    /// Trusts this certificate besides those that the operating system trusts.
    pub fn trust(mut self, certificate: CertificateDer<'static>) -> Self {
        self.roots.push(certificate);
        self
    }

    /// Sets limits and deadlines.
    pub fn config(mut self, config: ClientConfig) -> Self {
        self.config = config;
        self
    }

    /// Offers permessage-deflate. Needs the feature `compression`.
    pub fn compression(mut self) -> Self {
        self.config.compression = true;
        self
    }

    /// Takes a server for open that does not speak first, as raw handlers don't.
    pub fn without_greeting(mut self) -> Self {
        self.config.greeting = false;
        self
    }

    /// Leaves a lost connection lost.
    pub fn without_reconnect(mut self) -> Self {
        self.config.reconnect = false;
        self
    }

    /// Ends with an expired token, where nobody could bring another.
    pub fn without_renewal(mut self) -> Self {
        self.awaits_token = false;
        self
    }

    /// Connects, and waits until requests can be sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::CompressionMissing`] if it is asked for and this build has none;
    /// [`ClientError`] with the phase in which opening failed; [`ClientError::Closed`] with the server's reason where
    /// it refused. A first connection that fails is not tried again.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future closes what it opened.
    pub async fn connect(self) -> Result<Client, ClientError> {
        self.connect_with_events().await.map(|(client, _)| client)
    }

    /// The same with everything that comes unasked, from the greeting on.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with_events(mut self) -> Result<(Client, Events), ClientError> {
        let dial = Box::new(TcpDial {
            roots: std::mem::take(&mut self.roots),
        });
        self.connect_by(dial).await
    }

    pub(super) async fn connect_by(
        self,
        dial: Box<dyn Dial>,
    ) -> Result<(Client, Events), ClientError> {
        let (client, events) = self.start(dial)?;
        let mut state = client.states();
        let settled = state.wait_for(|state| state.is_open() || state.is_closed());
        match settled.await.as_deref() {
            Ok(State::Closed { because }) => Err(because.clone()),
            Ok(_) => Ok((client, events)),
            Err(_) => Err(client.gone()),
        }
    }

    fn start(self, dial: Box<dyn Dial>) -> Result<(Client, Events), ClientError> {
        let (address, own) = Address::parse(&self.url)?;
        compression::check(&self.config)?;
        let token = match (self.token, own.clone()) {
            (Some(_), Some(_)) => {
                let problem = "holds a token, and another one was given";
                return Err(ClientError::Address { problem });
            }
            (given, own) => given.or(own),
        };
        let own_place = own.map(|_| TokenPlace::Query);
        let target = Target {
            address,
            dial,
            token_place: self.place.or(own_place).unwrap_or_default(),
            protocols: self.protocols,
            headers: self.headers,
            config: self.config,
        };
        // What cannot be sent is told at once, and not by a task.
        target
            .request(token.as_ref())
            .map_err(|error| target.unfit(error))?;
        Ok(spawn(target, token, self.awaits_token))
    }
}

fn spawn(target: Target, token: Option<Secret>, awaits_token: bool) -> (Client, Events) {
    let config = target.config.clone();
    let (outgoing, outgoing_end) = mpsc::channel(config.queue.max(1));
    let (wishes, wishes_end) = watch::channel(Wishes {
        token,
        close: false,
    });
    let (state, state_end) = watch::channel(State::Connecting);
    let (events, events_end) = broadcast::channel(config.events.max(1));
    let pending = Arc::new(Pending::default());
    let host = target.address.place();
    let events_weak = events.downgrade();
    let task = Task {
        target,
        listeners: Listeners {
            host: host.clone(),
            pending: Arc::clone(&pending),
            events,
            state,
        },
        outgoing: outgoing_end,
        wishes: wishes_end,
        awaits_token,
    };
    let task = tokio::spawn(task.run());
    let inner = Inner {
        host,
        limit: config.max_request_size,
        slots: Semaphore::new(config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS)),
        outgoing,
        wishes,
        state: state_end,
        events: events_weak,
        pending,
        task: Mutex::new(Some(task)),
    };
    let client = Client::of(inner, config.call_timeout);
    (client.clone(), Events::new(Some(events_end), client))
}
