//! A transport that answers from a script, for tests of applications. Opens no sockets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use serde_json::{Map, Value, json};
use tower::service_fn;
use zcomm_core::{Body, Channel, Credential, Error, Phase, Transport, TransportCx};

use crate::call::host;

/// The most bytes of a streamed request that are noted.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Answers `http` and `https` from a script, and notes what it was sent.
///
/// Replies to one path are given in turn, and the last one from then on. A path without any is answered 404.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(async {
/// use zcomm_http::{HttpClient, mock::{MockTransport, Reply}};
///
/// let mock = MockTransport::new()
///     .on("/users", Reply::status(503))
///     .on("/users", Reply::status(200).text("[]"));
/// let client = HttpClient::new(mock.transport());
///
/// let answer = client.get("https://api.example/users").send().await.unwrap();
/// assert_eq!((answer.status().as_u16(), answer.attempts()), (200, 2));
/// assert_eq!(mock.requests()[0].uri.path(), "/users");
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct MockTransport {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    echoes: bool,
    script: Mutex<Vec<(String, VecDeque<Reply>)>>,
    seen: Mutex<Vec<Seen>>,
}

/// A request that came by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its address.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl MockTransport {
    /// A transport that knows no path yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A transport that answers with what it was sent, as httpbin does: `args`, `headers`, `data`, `json`, `url`.
    pub fn echo() -> Self {
        let shared = Shared {
            echoes: true,
            ..Shared::default()
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Adds a reply to a path.
    #[must_use]
    pub fn on(self, path: &str, reply: Reply) -> Self {
        let mut script = locked(&self.shared.script);
        match script.iter_mut().find(|(known, _)| known == path) {
            Some((_, replies)) => replies.push_back(reply),
            None => script.push((path.to_owned(), VecDeque::from([reply]))),
        }
        drop(script);
        self
    }

    /// What a client is built over.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Seen> {
        locked(&self.shared.seen).clone()
    }

    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let (head, body) = request.into_parts();
        let seen = Seen {
            body: body.collect(MOST_BYTES).await?,
            method: head.method,
            uri: head.uri,
            headers: head.headers,
        };
        let reply = self.reply_to(&seen);
        let host = host(&seen.uri).to_owned();
        locked(&self.shared.seen).push(seen);
        reply.into_answer(host).await
    }

    fn reply_to(&self, seen: &Seen) -> Reply {
        let mut script = locked(&self.shared.script);
        let known = script.iter_mut().find(|(path, _)| path == seen.uri.path());
        match known {
            Some((_, replies)) if replies.len() > 1 => replies.pop_front(),
            Some((_, replies)) => replies.front().cloned(),
            None => None,
        }
        .unwrap_or_else(|| match self.shared.echoes {
            true => echo(seen),
            false => Reply::status(404),
        })
    }
}

#[async_trait]
impl Transport for MockTransport {
    fn schemes(&self) -> &[&str] {
        &["http", "https"]
    }

    async fn open(&self, _: &Uri, _: &TransportCx) -> Result<Channel, Error> {
        let mock = self.clone();
        Ok(Channel::new(service_fn(move |request| {
            mock.clone().answer(request)
        })))
    }

    fn credential(&self) -> Credential {
        Credential::None
    }
}

/// What a [`MockTransport`] does with a request.
#[derive(Clone, Debug)]
pub struct Reply {
    outcome: Result<StatusCode, Phase>,
    headers: HeaderMap,
    body: Bytes,
    delay: Duration,
}

impl Reply {
    /// Answers with this status and no body.
    ///
    /// # Panics
    ///
    /// With what is no status: below 100 or above 999.
    pub fn status(status: u16) -> Self {
        Self::of(Ok(
            StatusCode::from_u16(status).expect("a status has three digits")
        ))
    }

    /// Fails in this phase.
    pub fn failure(phase: Phase) -> Self {
        Self::of(Err(phase))
    }

    /// Never answers.
    pub fn silence() -> Self {
        Self::status(200).after(Duration::MAX)
    }

    fn of(outcome: Result<StatusCode, Phase>) -> Self {
        Self {
            outcome,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
        }
    }

    /// Adds a header.
    ///
    /// # Panics
    ///
    /// With what is no header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a test names a header");
        let value = HeaderValue::from_str(value).expect("a test gives a header's value");
        self.headers.append(name, value);
        self
    }

    /// Sends text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.body = text.into().into();
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json")
            .text(value.to_string())
    }

    /// Does all that only after a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    async fn into_answer(self, host: String) -> Result<Response<Body>, Error> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        let status = self.outcome.map_err(|phase| Error::Transport {
            phase,
            host,
            source: "the script of the mock says so".into(),
        })?;
        let mut answer = Response::new(Body::from(self.body));
        *answer.status_mut() = status;
        *answer.headers_mut() = self.headers;
        Ok(answer)
    }
}

fn echo(seen: &Seen) -> Reply {
    let text = String::from_utf8_lossy(&seen.body);
    let json: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    Reply::status(200).json(&json!({
        "args": args(&seen.uri),
        "headers": headers(&seen.headers),
        "data": text,
        "json": json,
        "method": seen.method.as_str(),
        "url": seen.uri.to_string(),
    }))
}

fn args(uri: &Uri) -> Map<String, Value> {
    let url = reqwest::Url::parse(&uri.to_string()).expect("a request's address is one");
    let pairs = url.query_pairs();
    pairs
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), value.into())
        })
        .collect()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
