//! What each layer of the client costs: the stack grows by one layer at a time, over a transport that answers at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::{BoxFuture, ready};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use zcomm_core::{Body, BoxService, Error, Transport, TransportLayer, transport};
use zcomm_http::HttpClient;
use zcomm_http::layers::{
    AttemptLayer, Breaker, BreakerLayer, HostLimit, HostLimitLayer, RedirectLayer, Retry,
    RetryLayer, TotalLayer, TraceLayer,
};

use crate::rounds::median;

const URL: &str = "http://127.0.0.1:8080/";
const CALLS: u32 = 5_000;

/// A layer, and by how many nanoseconds it makes a call longer.
#[derive(Debug)]
pub(crate) struct Cost {
    pub(crate) layer: &'static str,
    pub(crate) nanoseconds: f64,
}

type Probe = Box<dyn Fn() -> BoxFuture<'static, Result<()>>>;

pub(crate) async fn costs(rounds: usize) -> Result<Vec<Cost>> {
    let stacks = stacks();
    let mut times = vec![Vec::new(); stacks.len()];
    for _ in 0..rounds {
        for ((_, probe), times) in stacks.iter().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..CALLS {
                probe().await?;
            }
            times.push(start.elapsed().as_nanos() as f64 / f64::from(CALLS));
        }
    }
    let mut before = 0.0;
    let costs = stacks.iter().zip(times).map(|((layer, _), times)| {
        let time = median(times);
        let nanoseconds = time - before;
        before = time;
        Cost { layer, nanoseconds }
    });
    Ok(costs.collect())
}

fn instant() -> Arc<dyn Transport> {
    let answer = |_: Request<Body>| ready(Ok::<_, Error>(Response::new(Body::from("{}"))));
    transport::from_service("http", service_fn(answer))
}

/// Each stack with the name of its outermost layer: those of a client by default. All are boxed once, as the client's
/// is, so that the box is in no difference.
fn stacks() -> Vec<(&'static str, Probe)> {
    let long = Duration::from_secs(30);
    let transport = TransportLayer::new([instant()]).into_routed();
    let attempt = AttemptLayer::new(None).layer(transport.clone());
    let limited = HostLimitLayer::new(HostLimit::default()).layer(attempt.clone());
    let retried = RetryLayer::new(Retry::default()).layer(limited.clone());
    let broken = BreakerLayer::new(Breaker::default()).layer(retried.clone());
    let redirected = RedirectLayer::new(10).layer(broken.clone());
    let total = TotalLayer::new(long, long / 2).layer(redirected.clone());
    let traced = TraceLayer::new().layer(total.clone());
    let client = HttpClient::new(instant());
    vec![
        ("transport", probe(BoxService::new(transport))),
        ("attempt", probe(BoxService::new(attempt))),
        ("host_limit", probe(BoxService::new(limited))),
        ("retry", probe(BoxService::new(retried))),
        ("breaker", probe(BoxService::new(broken))),
        ("redirect", probe(BoxService::new(redirected))),
        ("total", probe(BoxService::new(total))),
        ("trace", probe(BoxService::new(traced))),
        ("request and response of the client", whole(client)),
    ]
}

fn probe(stack: BoxService) -> Probe {
    Box::new(move || {
        let stack = stack.clone();
        Box::pin(async move {
            let request = Request::get(URL).body(Body::empty())?;
            let answer = stack.oneshot(request).await?;
            answer.into_body().collect(1024).await?;
            Ok(())
        })
    })
}

fn whole(client: HttpClient) -> Probe {
    Box::new(move || {
        let client = client.clone();
        Box::pin(async move {
            client.get(URL).send().await?.bytes().await?;
            Ok(())
        })
    })
}
