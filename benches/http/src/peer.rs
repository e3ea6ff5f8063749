//! The clients that are compared: each sends one request and reads the whole answer, in the way its users would.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use zcomm_http::{HttpClient, ReqwestTransport};

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Get,
    Post,
}

impl Call {
    pub(crate) fn of(method: &str) -> Result<Self> {
        match method {
            "GET" => Ok(Self::Get),
            "POST" => Ok(Self::Post),
            _ => bail!("`{method}` is neither GET nor POST"),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST of 1 KB JSON",
        }
    }
}

/// A client.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    Hyper(Box<Client<HttpConnector, Full<Bytes>>>),
    Reqwest(reqwest::Client),
    Zcomm(HttpClient),
}

/// The place of a client in the order in which they are reported.
pub(crate) fn place(name: &str) -> Result<usize> {
    let names = ["hyper", "reqwest", "zcomm"];
    let place = names.iter().position(|known| *known == name);
    place.with_context(|| format!("no client `{name}`: {}", names.join(", ")))
}

/// Where to and what: the same for all.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    url: String,
    document: Value,
}

impl Target {
    pub(crate) fn new(url: String) -> Self {
        let text = "x".repeat(980);
        let document = json!({"id": 7, "name": "Ada", "text": text});
        Self { url, document }
    }
}

impl Peer {
    /// All of them, in the order in which they are reported.
    pub(crate) fn all() -> Result<[Self; 3]> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // The transport goes first: it gives rustls its crypto provider, without which reqwest panics.
        let transport = ReqwestTransport::builder().no_proxy().build()?;
        let zcomm = HttpClient::new(std::sync::Arc::new(transport));
        let reqwest = reqwest::Client::builder().no_proxy().build()?;
        let hyper = Client::builder(TokioExecutor::new()).build(connector);
        Ok([
            Self::Hyper(Box::new(hyper)),
            Self::Reqwest(reqwest),
            Self::Zcomm(zcomm),
        ])
    }

    pub(crate) async fn call(&self, call: Call, target: &Target) -> Result<()> {
        let Target { url, document } = target;
        let (status, body) = match self {
            Self::Hyper(client) => {
                let answer = client.request(hyper_request(call, target)?).await?;
                let status = answer.status();
                (status, answer.into_body().collect().await?.to_bytes())
            }
            Self::Reqwest(client) => {
                let request = match call {
                    Call::Get => client.get(url),
                    Call::Post => client.post(url).json(document),
                };
                let answer = request.send().await?;
                (answer.status(), answer.bytes().await?)
            }
            Self::Zcomm(client) => {
                let request = match call {
                    Call::Get => client.get(url),
                    Call::Post => client.post(url).json(document),
                };
                let answer = request.send().await?;
                (answer.status(), answer.bytes().await?)
            }
        };
        ensure!(
            status == 200 && !body.is_empty(),
            "the server said {status}"
        );
        Ok(())
    }
}

fn hyper_request(call: Call, target: &Target) -> Result<Request<Full<Bytes>>> {
    let request = Request::builder().uri(&target.url);
    Ok(match call {
        Call::Get => request.body(Full::default())?,
        Call::Post => {
            let body = serde_json::to_vec(&target.document)?;
            let request = request.method(Method::POST);
            let request = request.header(header::CONTENT_TYPE, "application/json");
            request.body(Full::new(body.into()))?
        }
    })
}
