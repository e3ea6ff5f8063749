//! The client on real sockets: against this crate's own server, and against servers that nobody should run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig as TlsConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;
use zcomm_core::data::{Access, Field, Kind, Model, Schema};
use zcomm_core::transport::ChannelToken;
use zcomm_core::{
    Body, Error, Phase, TokenEntry, TokenList, Transport, TransportCx, TransportLayer,
};
use zcomm_ws::bifrost::{Bifrost, BifrostBuilder};
use zcomm_ws::client::{Client, ClientConfig, ClientError, SocketTransport, State, TokenPlace};
use zcomm_ws::frame::{
    CloseCode, FrameBuilder, HandshakeError, HandshakeRequest, HandshakeResponse, Role,
};
use zcomm_ws::server::ServerConfig;

use crate::peer::within;

mod calls;
mod hostile;
mod secure;
mod transport;

fn open() -> BifrostBuilder {
    let notes = Model::builder("notes")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required());
    let access = Access::new().auth(false).loopback(true);
    Bifrost::builder()
        .config(config())
        .access(access)
        .schema(Schema::of([notes.build().unwrap()]).unwrap())
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.port = 0;
    config
}

/// A server that knows Ada by her token.
fn guarded() -> BifrostBuilder {
    let mut config = config();
    config.require_auth = true;
    let ada = TokenEntry::new("token of ada").user("ada");
    Bifrost::builder()
        .config(config)
        .auth(Arc::new(TokenList::new().token(ada)))
}

async fn serve(builder: BifrostBuilder) -> (Bifrost, String) {
    let server = builder.bind().await.unwrap();
    let url = format!("ws://{}/ws", server.local_addr());
    (server, url)
}
