//! A WebSocket server that holds its connections: the first step. Answers nothing yet.
//!
//! Run it with `cargo demo lvl2_websocket_server`, and stop it with Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use zcomm::Comm;
use zcomm::ws::server::Signals;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder().set("websocket.port", port()).build()?;

    // Listened for first, so that Ctrl-C is never met unprepared.
    let signals = Signals::listen()?;
    let server = comm.websocket()?.bind().await?;
    println!(
        "WebSocket server on ws://{}; Ctrl-C stops it",
        server.local_addr()
    );

    // Ctrl-C closes all connections and frees the port.
    let drained = server.until(signals).await;
    println!("stopped; {} connections closed", drained.closed);
    Ok(())
}

/// The port: the one named on the command line, else the guide's.
fn port() -> String {
    std::env::args().nth(1).unwrap_or_else(|| "8765".to_owned())
}
