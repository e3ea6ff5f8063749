//! A small server for the examples and their tests that answers as httpbin does, over http or https. Made for loopback only.

#![allow(dead_code, reason = "each example uses its part of it")]

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const MOST_BYTES: usize = 1024 * 1024;
const LONGEST_DELAY: u64 = 10;

/// A server that is gone with the value.
#[derive(Debug)]
pub(crate) struct Echo {
    address: SocketAddr,
    certificate: Option<String>,
    _tasks: JoinSet<()>,
}

impl Echo {
    /// Serves plain http on this port, or on any free one with 0.
    pub(crate) async fn http(port: u16) -> Result<Self, Failure> {
        Self::start(port, None).await
    }

    /// Serves https on any free port, with a certificate that it makes itself.
    pub(crate) async fn https() -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(vec!["127.0.0.1".to_owned()])?.self_signed(&key)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut echo = Self::start(0, Some(TlsAcceptor::from(Arc::new(config)))).await?;
        echo.certificate = Some(certificate.pem());
        Ok(echo)
    }

    async fn start(port: u16, tls: Option<TlsAcceptor>) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, tls.clone()));
            }
        });
        Ok(Self {
            address,
            certificate: None,
            _tasks: tasks,
        })
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }

    /// What a client has to trust, as PEM.
    pub(crate) fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>) {
    let http = auto::Builder::new(TokioExecutor::new());
    let service = service_fn(answer);
    // Whoever breaks off a connection to an echo knows why.
    match tls {
        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            }
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().trim_start_matches('/').to_owned();
    Ok(match path.split_once('/').unwrap_or((&path, "")) {
        ("status", code) => status(code.parse().unwrap_or(StatusCode::BAD_REQUEST)),
        ("delay", seconds) => {
            let seconds = seconds.parse().unwrap_or(0).min(LONGEST_DELAY);
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            echo(&head, body).await
        }
        (method @ ("get" | "post" | "put" | "patch" | "delete"), "") => {
            match head.method.as_str().eq_ignore_ascii_case(method) {
                true => echo(&head, body).await,
                false => status(StatusCode::METHOD_NOT_ALLOWED),
            }
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut answer = Response::default();
    *answer.status_mut() = status;
    answer
}

/// Everything that came, as JSON.
async fn echo(head: &http::request::Parts, body: Incoming) -> Response<Full<Bytes>> {
    let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
        return status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let body = body.to_bytes();
    let mut echo = json!({"args": args(&head.uri), "headers": headers(&head.headers)});
    if head.method != Method::GET {
        echo["data"] = String::from_utf8_lossy(&body).into();
        echo["json"] = serde_json::from_slice(&body).unwrap_or(Value::Null);
    }
    let answer = Response::builder().header("content-type", "application/json");
    let answer = answer.body(Full::new(echo.to_string().into()));
    answer.expect("a header and a body make an answer")
}

/// The parameters of an address; a name that is there several times gets a list, as httpbin gives it.
fn args(uri: &Uri) -> Map<String, Value> {
    let mut args: Map<String, Value> = Map::new();
    let query = uri.query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = Value::from(value);
        match args.get_mut(&*name) {
            None => drop(args.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    args
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.to_string(), text(value).into()))
        .collect()
}
