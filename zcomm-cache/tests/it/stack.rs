//! A stack of a test: the cache around a service that counts its calls and can be held up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::{ServiceExt, service_fn};
use zcomm_cache::{Answers, Cache, CacheConfig};
use zcomm_core::data::{Field, Generations, Kind, Model, Query};
use zcomm_core::{
    AnswerCache, Body, BoxService, CacheWish, CachedMark, Command, Error, Identity, Recallable,
};

/// What the service behind the cache does, and what it did.
#[derive(Debug)]
pub(crate) struct Store {
    calls: AtomicUsize,
    gate: Semaphore,
    gated: bool,
    size: usize,
}

impl Store {
    /// How often it was asked.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets one more call end.
    pub(crate) fn open(&self) {
        self.gate.add_permits(1);
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.gated {
            self.gate.acquire().await.unwrap().forget();
        }
        match request.uri().path() {
            "/fails" => return Err(Error::TooLarge { limit: call }),
            "/panics" => panic!("the store gave up"),
            "/streams" => {
                let stream = http_body_util::Full::new(bytes::Bytes::from("{}"));
                return Ok(Response::new(Body::stream(stream)));
            }
            _ => {}
        }
        let who = request.extensions().get::<Arc<Identity>>().unwrap();
        let filler = "x".repeat(self.size);
        let head = json!({"call": call, "for": who.name(), "filler": filler}).to_string();
        let fresh = format!(r#"{{"result":{head},"_cached":false}}"#);
        let mut response = Response::new(Body::from(fresh));
        let at = r#"{"result":,"_cached":"#.len() + head.len();
        response.extensions_mut().insert(CachedMark { at });
        if request.uri().path() == "/refuses" {
            *response.status_mut() = StatusCode::CONFLICT;
        }
        Ok(response)
    }
}

/// The cache of one server around a store.
#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) cache: Cache,
    pub(crate) generations: Generations,
    pub(crate) store: Arc<Store>,
    pub(crate) answers: Arc<Answers>,
    service: BoxService,
}

impl Stack {
    pub(crate) fn new() -> Self {
        Self::over(&Cache::new(CacheConfig::default()), false, 0)
    }

    /// One whose store ends a call only when it is told to.
    pub(crate) fn gated() -> Self {
        Self::over(&Cache::new(CacheConfig::default()), true, 0)
    }

    pub(crate) fn over(cache: &Cache, gated: bool, size: usize) -> Self {
        Self::with(cache, gated, size, |answers| answers)
    }

    pub(crate) fn with(
        cache: &Cache,
        gated: bool,
        size: usize,
        change: impl FnOnce(Answers) -> Answers,
    ) -> Self {
        let generations = Generations::default();
        let store = Arc::new(Store {
            calls: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            gated,
            size,
        });
        let inner = Arc::clone(&store);
        let events = service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { inner.answer(request).await }
        });
        let answers = Arc::new(change(cache.answers(&generations)));
        Self {
            cache: cache.clone(),
            generations,
            store,
            service: answers.around(BoxService::new(events)),
            answers,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Error> {
        self.service.clone().oneshot(request).await
    }

    /// The reply object to a read of `who`.
    pub(crate) async fn read(&self, who: &Identity, id: u64) -> Value {
        json_of(&self.send(read(who, id)).await.unwrap())
    }

    /// Whether the answer to a read of `who` was kept.
    pub(crate) async fn is_kept(&self, who: &Identity, id: u64) -> bool {
        self.read(who, id).await["_cached"].as_bool().unwrap()
    }
}

pub(crate) fn json_of(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap()
}

pub(crate) fn ada() -> Identity {
    Identity::user("ada").with_roles(["member"])
}

/// A read of one row of `notes`.
pub(crate) fn read(who: &Identity, id: u64) -> Request<Body> {
    wishing(who, id, CacheWish::default())
}

pub(crate) fn wishing(who: &Identity, id: u64, cache: CacheWish) -> Request<Body> {
    let model = Model::builder("notes").field(Field::new("id", Kind::Int).primary_key());
    let arguments = json!({"where": {"id": id}});
    let query = Query::parse(&model.build().unwrap(), arguments.as_object().unwrap()).unwrap();
    let command = Arc::new(Command::Read { query, cache });
    Request::post("/dispatch")
        .extension(Arc::new(who.clone()))
        .extension(command)
        .extension(Recallable)
        .body(Body::from(message(id)))
        .unwrap()
}

/// The message of such a read.
pub(crate) fn message(id: u64) -> String {
    json!({"zKey": "^List notes", "where": {"id": id}}).to_string()
}

/// The same read at another path of the store.
pub(crate) fn at(path: &str, mut request: Request<Body>) -> Request<Body> {
    *request.uri_mut() = path.parse().unwrap();
    request
}
