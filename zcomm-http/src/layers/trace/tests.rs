//! What is logged and measured of calls.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tower::{ServiceExt, service_fn};
use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::call::Call;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// What is logged of a request to which the service answers so.
async fn logged(answer: fn() -> Result<Response<Body>, Error>) -> String {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .with_ansi(false)
        .without_time();
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let service = service_fn(move |_| async move { answer() });
    let url = "http://ada:s3cr3t@h/path?token=s3cr3t";
    let request = Request::get(url).body(Body::empty()).unwrap();

    let _ = TraceLayer::new().layer(service).oneshot(request).await;

    let bytes = log.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn calls_are_logged_without_their_secrets() {
    let answered = logged(|| Ok(Response::new(Body::empty()))).await;
    let failed = logged(|| Err(Error::Closed { host: "h".into() })).await;

    let span = "DEBUG http{method=GET url=http://h/path?token=***}";
    assert!(answered.starts_with(span), "{answered}");
    assert!(answered.contains("answered status=200"), "{answered}");
    assert!(failed.starts_with(span), "{failed}");
    assert!(failed.contains("failed code=\"unavailable\""), "{failed}");
    assert!(!answered.contains("s3cr3t") && !failed.contains("s3cr3t"));
}

/// Sums up what each metric was told, by its name and labels.
#[derive(Clone, Debug, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, f64>>>);

#[derive(Debug)]
struct Sum(Sums, String);

impl Sum {
    fn add(&self, value: f64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Sum {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, _: f64) {}
}

impl HistogramFn for Sum {
    fn record(&self, value: f64) {
        // How long it took differs from run to run: that it took a sensible time does not.
        self.add(f64::from(u8::from((0.0..60.0).contains(&value))));
    }
}

impl Sums {
    fn of(&self, key: &Key) -> Arc<Sum> {
        let labels = key.labels().map(metrics::Label::value);
        let words: Vec<&str> = std::iter::once(key.name()).chain(labels).collect();
        Arc::new(Sum(self.clone(), words.join(" ")))
    }

    fn seen(&self) -> Vec<(String, f64)> {
        let sums = self.0.lock().unwrap();
        sums.iter()
            .map(|(name, sum)| (name.clone(), *sum))
            .collect()
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

fn request(url: &str) -> Request<Body> {
    let call = Arc::new(Call::default());
    call.count_attempt();
    call.count_attempt();
    let request = Request::get(url).extension(call);
    request.body(Body::empty()).unwrap()
}

fn expected(sums: &[(&str, f64)]) -> Vec<(String, f64)> {
    let sums = sums.iter();
    sums.map(|(name, sum)| ((*name).to_owned(), *sum)).collect()
}

#[tokio::test]
async fn calls_are_counted_and_timed_by_method_target_and_outcome() {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(&sums);
    let answers = service_fn(async |request: Request<Body>| match request.uri().path() {
        "/" => Ok(Response::new(Body::empty())),
        _ => Err(Error::Closed { host: "h".into() }),
    });

    for url in ["http://h/", "http://h/", "http://10.1.1.1/no"] {
        let _ = TraceLayer::new().layer(answers).oneshot(request(url)).await;
    }

    let sums = sums.seen();
    assert_eq!(
        sums,
        expected(&[
            ("zcomm_http_client_attempts_total GET private", 6.0),
            ("zcomm_http_client_in_flight", 0.0),
            ("zcomm_http_client_request_seconds GET private 2xx", 2.0),
            (
                "zcomm_http_client_request_seconds GET private unavailable",
                1.0
            ),
            ("zcomm_http_client_requests_total GET private 2xx", 2.0),
            (
                "zcomm_http_client_requests_total GET private unavailable",
                1.0
            ),
        ])
    );
}

#[tokio::test]
async fn a_call_that_is_given_up_is_in_flight_no_longer_and_its_attempts_count() {
    let sums = Sums::default();
    let _guard = metrics::set_default_local_recorder(&sums);
    let silent = service_fn(|_| std::future::pending());

    let call = TraceLayer::new()
        .layer(silent)
        .oneshot(request("http://localhost/"));
    let mut call = Box::pin(call);
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    let waiting = sums.seen();
    drop(call);

    assert_eq!(waiting, expected(&[("zcomm_http_client_in_flight", 1.0)]));
    assert_eq!(
        sums.seen(),
        expected(&[
            ("zcomm_http_client_attempts_total GET loopback", 2.0),
            ("zcomm_http_client_in_flight", 0.0),
        ])
    );
}
