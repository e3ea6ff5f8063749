//! The transport for `ws` and `wss`: a request is a message, a reply is its response.

use std::sync::Arc;

use async_trait::async_trait;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, Uri};
use tower::service_fn;
use zcomm_core::{Body, Channel, Deadline, Error, Settings, Transport, TransportCx};

use super::address::Address;
use super::{Client, ClientConfig, ClientError};

/// Opens sockets to zBifrost servers.
///
/// `POST /event` with a JSON object is the message of that event; its response is the reply without its id, under the
/// status that the reply's code has over HTTP. A channel is opened at `/ws` with the token that the request carries
/// as [`ChannelToken`](zcomm_core::transport::ChannelToken). A token in a request's address or headers is refused: a
/// socket belongs to whom it was opened for, and other requests share it.
#[derive(Clone, Debug, Default)]
pub struct SocketTransport {
    config: ClientConfig,
}

impl SocketTransport {
    /// A transport with these limits; how long opening takes is up to each request's context.
    pub fn new(config: ClientConfig) -> Self {
        Self { config }
    }
}

/// The transport that the settings describe, for the registry.
pub(crate) fn make_transport(_settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(SocketTransport::default()))
}

#[async_trait]
impl Transport for SocketTransport {
    fn schemes(&self) -> &[&str] {
        &["ws", "wss"]
    }

    async fn open(&self, target: &Uri, cx: &TransportCx) -> Result<Channel, Error> {
        let (address, token) = Address::of(target)?;
        if token.is_some() {
            return Err(TOKEN_IN_REQUEST.into());
        }
        let mut config = self.config.clone();
        config.open_timeout = cx.limit;
        let limit = config.max_request_size;
        let mut builder = Client::builder(address.at_socket().to_string())
            .config(config)
            .without_renewal();
        if let Some(token) = &cx.token {
            builder = builder.token(token.clone());
        }
        let (client, events) = builder.connect_with_events().await?;
        let calls = service_fn(move |request| carry(client.clone(), request, limit));
        Ok(Channel::new(calls).with_events(events.into_stream()))
    }
}

const TOKEN_IN_REQUEST: ClientError = ClientError::Unsuited {
    problem: "a socket's token is given as `ChannelToken`, in no address and in no header of a request",
};

async fn carry(
    client: Client,
    request: Request<Body>,
    limit: usize,
) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        let problem =
            "a socket carries only POST: the path names the event, the body holds its arguments";
        return Err(ClientError::Unsuited { problem }.into());
    }
    let (_, token) = Address::of(&head.uri)?;
    if token.is_some() || head.headers.contains_key(AUTHORIZATION) {
        return Err(TOKEN_IN_REQUEST.into());
    }
    let body = body.collect(limit).await?;
    let event = head.uri.path().trim_start_matches('/');
    let Ok(arguments) = std::str::from_utf8(&body) else {
        return Err(ClientError::Arguments {
            event: event.to_owned(),
            source: None,
        }
        .into());
    };
    let client = match head.extensions.get() {
        Some(Deadline(limit)) => client.with_timeout(*limit),
        None => client,
    };
    let reply = client.request_json(event, arguments).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = reply.status();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = reply.into_bytes().into();
    Ok(response)
}
