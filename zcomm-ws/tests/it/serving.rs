//! Servers for tests, and a handler that tells what it sees.

use std::time::Duration;

use tokio::sync::mpsc;
use zcomm_ws::frame::{CloseCode, MessageRef};
use zcomm_ws::server::{
    CloseReason, Connection, Cx, Handler, Server, ServerConfig, ServerHandle, sync_handler,
};

use crate::peer::within;

pub(crate) fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.port = 0;
    config.refusal_delay = Duration::ZERO;
    config
}

pub(crate) async fn serve(handler: impl Handler) -> ServerHandle {
    serve_with(config(), handler).await
}

pub(crate) async fn serve_with(config: ServerConfig, handler: impl Handler) -> ServerHandle {
    let builder = Server::builder().config(config).handler(handler);
    builder.bind().await.expect("a free port")
}

pub(crate) async fn echo() -> ServerHandle {
    echo_with(config()).await
}

pub(crate) async fn echo_with(config: ServerConfig) -> ServerHandle {
    serve_with(config, sync_handler(|cx, message| cx.reply(message))).await
}

/// Waits until a server has that many connections.
pub(crate) async fn until_connected(server: &ServerHandle, count: usize) {
    within(async {
        while server.hub().len() != count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Tells of every connection that came and went.
pub(crate) struct Watched(mpsc::UnboundedSender<String>);

impl Handler for Watched {
    type Session = ();

    fn connect(&self, cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        let _ = self.0.send(format!("+{}", cx.connection().path()));
        match cx.connection().path() {
            "/refused" => Err(CloseReason::policy("not here")),
            "/panic" => panic!("asked for by the test"),
            _ => Ok(()),
        }
    }

    fn message(&self, (): &mut (), cx: &mut Cx<'_>, message: MessageRef<'_>) {
        match message.as_text() {
            Some("panic") => panic!("asked for by the test"),
            Some("close") => cx.close(CloseReason::new(CloseCode::Other(4100), "as you wish")),
            _ => cx.reply(message),
        }
    }

    fn disconnect(&self, (): (), connection: &Connection, ended: &CloseReason) {
        let _ = self.0.send(format!("-{} {ended}", connection.path()));
    }
}

pub(crate) async fn watched() -> (ServerHandle, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (serve(Watched(sender)).await, receiver)
}

pub(crate) async fn told(receiver: &mut mpsc::UnboundedReceiver<String>) -> String {
    within(receiver.recv()).await.expect("the handler lives")
}
