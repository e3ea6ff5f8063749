//! The look-ups that are compared. Prints nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, header};
use serde_json::json;
use tower::{Layer, Service, service_fn};
use zcomm_cache::{Cache, CacheConfig};
use zcomm_core::data::{Field, Generations, Kind, Model, Query};
use zcomm_core::{
    AnswerCache, Body, BoxService, CacheKey, CacheWish, CachedMark, Command, Error, Identity,
    Recallable,
};

/// Something that is measured: the nanoseconds that one look-up takes, on average over so many.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut(usize) -> f64>,
}

/// How many different reads take turns.
const READS: usize = 64;
/// How many requests are made before a stretch is measured, so that making them is not.
const STRETCH: usize = 250;
const MESSAGE: &str = r#"{"zKey":"^List notes","where":{"id":"#;

/// All of them, moka alone first.
pub(crate) fn subjects() -> Vec<Subject> {
    vec![moka_alone(), through_the_layer(), by_message()]
}

fn ada() -> Arc<Identity> {
    Arc::new(
        Identity::user("ada")
            .with_roles(["member"])
            .with_app("shop"),
    )
}

fn commands() -> Vec<Arc<Command>> {
    let model = Model::builder("notes").field(Field::new("id", Kind::Int).primary_key());
    let model = model.build().expect("the model is whole");
    let command = |id| {
        let arguments = json!({"where": {"id": id}});
        let arguments = arguments.as_object().expect("an object");
        let query = Query::parse(&model, arguments).expect("the model has an `id`");
        let cache = CacheWish::default();
        Arc::new(Command::Read { query, cache })
    };
    (0..READS).map(command).collect()
}

fn body() -> String {
    format!(
        r#"{{"result":[{{"id":1,"text":"{}"}}],"_cached":false}}"#,
        "x".repeat(150)
    )
}

fn moka_alone() -> Subject {
    let who = ada();
    let key = |command: &Arc<Command>| match &**command {
        Command::Read { query, .. } => CacheKey::builder(&who.scope())
            .query(query)
            .finish()
            .as_bytes()
            .to_vec(),
        _ => Vec::new(),
    };
    let keys: Vec<Vec<u8>> = commands().iter().map(key).collect();
    let cache = moka::sync::Cache::<Vec<u8>, Bytes>::builder()
        .max_capacity(10_000)
        .time_to_live(Duration::from_secs(3600))
        .build();
    for key in &keys {
        cache.insert(key.clone(), Bytes::from(body()));
    }
    let run = move |count: usize| {
        let start = Instant::now();
        for turn in 0..count {
            let found = cache.get(&keys[turn % READS]);
            assert!(std::hint::black_box(found).is_some());
        }
        per(start.elapsed(), count)
    };
    Subject {
        name: "moka alone: the same keys, ready made",
        run: Box::new(run),
    }
}

fn app() -> BoxService {
    BoxService::new(service_fn(async |_: Request<Body>| {
        let body = body();
        let at = body.len() - "false}".len();
        let mut response = Response::new(Body::from(body));
        response.extensions_mut().insert(CachedMark { at });
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        Ok::<_, Error>(response)
    }))
}

fn request(commands: &[Arc<Command>], who: &Arc<Identity>, turn: usize) -> Request<Body> {
    let place = turn % READS;
    let mut request = Request::new(Body::from(format!("{MESSAGE}{place}}}}}")));
    request.extensions_mut().insert(Arc::clone(who));
    request
        .extensions_mut()
        .insert(Arc::clone(&commands[place]));
    request
}

fn through_the_layer() -> Subject {
    let cache = Cache::new(CacheConfig::default().ttl(Duration::from_secs(3600)));
    let layer = cache.layer(zcomm_cache::PerIdentity, &Generations::default());
    let mut stack = layer.layer(app());
    let (commands, who) = (commands(), ada());
    let run = move |count: usize| {
        let mut spent = Duration::ZERO;
        for stretch in 0..count / STRETCH {
            let first = stretch * STRETCH;
            let requests: Vec<_> = (0..STRETCH)
                .map(|turn| request(&commands, &who, first + turn))
                .collect();
            let start = Instant::now();
            for request in requests {
                let response = stack.call(request).now_or_never();
                assert!(matches!(std::hint::black_box(response), Some(Ok(_))));
            }
            spent += start.elapsed();
        }
        per(spent, count)
    };
    Subject {
        name: "through `CacheLayer`: key, scope check, generation, age, statistics, response",
        run: Box::new(run),
    }
}

fn by_message() -> Subject {
    let cache = Cache::new(CacheConfig::default().ttl(Duration::from_secs(3600)));
    let answers = cache.answers(&Generations::default());
    let mut stack = answers.around(app());
    let (commands, who) = (commands(), ada());
    let scope = who.scope();
    let messages: Vec<String> = (0..READS).map(|id| format!("{MESSAGE}{id}}}}}")).collect();
    for turn in 0..READS {
        let mut request = request(&commands, &who, turn);
        request.extensions_mut().insert(Recallable);
        assert!(stack.call(request).now_or_never().is_some());
    }
    let run = move |count: usize| {
        let start = Instant::now();
        for turn in 0..count {
            let found = answers.recall(&scope, messages[turn % READS].as_bytes());
            assert!(std::hint::black_box(found).is_some());
        }
        per(start.elapsed(), count)
    };
    Subject {
        name: "by the bytes of a message, as the front asks",
        run: Box::new(run),
    }
}

fn per(time: Duration, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts here are small")]
    let count = count as f64;
    time.as_secs_f64() * 1e9 / count
}
