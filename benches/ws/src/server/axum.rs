//! axum's own WebSocket, as its documentation has it.

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

pub(super) async fn echo(listener: TcpListener) -> Result<()> {
    let upgrade = |upgrade: WebSocketUpgrade| async move { upgrade.on_upgrade(answer) };
    let router = Router::new().fallback(any(upgrade));
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn answer(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let echo = matches!(message, Message::Text(_) | Message::Binary(_));
        if echo && socket.send(message).await.is_err() {
            return;
        }
    }
}
