//! An echo for those who show a token, which is read from `.zEnv`. Speaks plain text: see `lvl2_websocket_wss`.
//!
//! Run it with `cargo demo lvl2_websocket_secure`, and stop it with Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use serde_json::json;
use zcomm::Comm;
use zcomm::ws::frame::Message;
use zcomm::ws::server::{Connection, Signals, async_handler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = settings(json!({"websocket": {
        "require_auth": true,
        "allowed_origins": ["http://localhost", "http://127.0.0.1", "file://"],
    }}))?;

    // Listened for first, so that Ctrl-C is never met unprepared.
    let signals = Signals::listen()?;
    let server = comm
        .websocket()?
        .handler(async_handler(echo))
        .page("/", include_str!("lvl2_websocket_secure.html"))
        .bind()
        .await?;
    println!(
        "Secure echo on ws://{0}, page at http://{0}/",
        server.local_addr()
    );

    server.until(signals).await;
    Ok(())
}

/// Only clients with the token get here.
async fn echo(connection: Connection, message: Message) -> String {
    let client = connection.client_info();
    println!("message of {}", client.user.unwrap_or_default());
    format!("[Secure Echo]: {}", message.as_text().unwrap_or("(binary)"))
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
