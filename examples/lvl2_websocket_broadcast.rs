//! A chat: what one client sends goes to all others, and only to those with the token. Keeps no history.
//!
//! Run it with `cargo demo lvl2_websocket_broadcast`, and stop it with Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use serde_json::json;
use zcomm::Comm;
use zcomm::ws::server::{Signals, sync_handler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = settings(json!({"websocket": {
        "require_auth": true,
        "allowed_origins": ["http://localhost", "http://127.0.0.1", "file://"],
    }}))?;
    let chat = sync_handler(|cx, message| {
        let sender = cx.connection();
        let from = sender.remote_addr().map(|address| address.ip().to_string());
        let text = format!(
            "{} says: {}",
            from.unwrap_or_default(),
            message.as_text().unwrap_or("(binary)")
        );
        let count = sender.hub().broadcast(text, Some(sender.id()));
        println!("Broadcasted to {count} client(s)");
    });

    // Listened for first, so that Ctrl-C is never met unprepared.
    let signals = Signals::listen()?;
    let server = comm
        .websocket()?
        .handler(chat)
        .page("/", include_str!("lvl2_websocket_broadcast.html"))
        .bind()
        .await?;
    println!(
        "Broadcast on ws://{0}, page at http://{0}/",
        server.local_addr()
    );

    server.until(signals).await;
    Ok(())
}

/// The port: the one named on the command line, else the guide's.
fn port() -> String {
    std::env::args().nth(1).unwrap_or_else(|| "8765".to_owned())
}

/// The settings, or what to do where there is no token.
fn settings(spark: serde_json::Value) -> Result<Comm, Box<dyn std::error::Error>> {
    let comm = Comm::builder()
        .set("websocket.port", port())
        .spark(spark)
        .build()?;
    if comm.settings().secret("websocket.token").is_none() {
        return Err(
            "no token: copy examples/.zEnv.example to .zEnv in this folder, or set WEBSOCKET_TOKEN"
                .into(),
        );
    }
    Ok(comm)
}
