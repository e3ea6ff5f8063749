//! A server that answers every message, with a page that talks to it. Lets everybody on this machine in.
//!
//! Run it with `cargo demo lvl2_websocket_echo`, and stop it with Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use serde_json::json;
use zcomm::Comm;
use zcomm::ws::frame::Message;
use zcomm::ws::server::{Connection, Signals, async_handler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder()
        .set("websocket.port", port())
        // Pages of this machine, and the page below when it is opened from disk.
        .spark(json!({"websocket": {
            "allowed_origins": ["http://localhost", "http://127.0.0.1", "file://"],
        }}))
        .build()?;

    // Listened for first, so that Ctrl-C is never met unprepared.
    let signals = Signals::listen()?;
    let server = comm
        .websocket()?
        .handler(async_handler(echo))
        .page("/", include_str!("lvl2_websocket_echo.html"))
        .bind()
        .await?;
    println!("Echo on ws://{0}, page at http://{0}/", server.local_addr());

    server.until(signals).await;
    Ok(())
}

async fn echo(_connection: Connection, message: Message) -> String {
    format!("Echo: {}", message.as_text().unwrap_or("(binary)"))
}

/// The port: the one named on the command line, else the guide's.
fn port() -> String {
    std::env::args().nth(1).unwrap_or_else(|| "8765".to_owned())
}
