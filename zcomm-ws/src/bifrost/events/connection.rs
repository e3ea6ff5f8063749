//! What a client asks about its connection: who it is, and whether anybody is there.

use async_trait::async_trait;
use http::Response;
use zcomm_core::{Body, Error};

use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};

/// `connection_info`: the server's version, who the caller is, what it may read.
pub(super) struct ConnectionInfo;

#[async_trait]
impl Event for ConnectionInfo {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        Ok(reply::object(&cx.app.connection_info(cx.caller)))
    }
}

/// `ping`: a word for a word.
pub(super) struct Ping;

#[async_trait]
impl Event for Ping {
    async fn answer(&self, _cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        reply::result("pong")
    }
}
