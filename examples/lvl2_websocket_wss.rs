//! The secure echo over TLS, with a certificate that it makes for itself once. Trusts no certificate of others.
//!
//! Run it with `cargo demo lvl2_websocket_wss`, and stop it with Ctrl-C.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::path::Path;

use serde_json::json;
use zcomm::Comm;
use zcomm::ws::frame::Message;
use zcomm::ws::server::{Connection, Signals, async_handler};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = settings(json!({"websocket": {
        "require_auth": true,
        "ssl_enabled": true,
        "ssl_cert": "certs/demo.cert",
        "ssl_key": "certs/demo.key",
        "allowed_origins": ["https://localhost", "https://127.0.0.1", "file://"],
    }}))?;
    make_certificate(Path::new("certs"))?;

    // Listened for first, so that Ctrl-C is never met unprepared.
    let signals = Signals::listen()?;
    let server = comm
        .websocket()?
        .handler(async_handler(echo))
        .page("/", include_str!("lvl2_websocket_secure.html"))
        .bind()
        .await?;
    println!(
        "Secure echo on wss://{0}, page at https://{0}/",
        server.local_addr()
    );
    println!("Open the page first and trust its certificate: it is this example's own.");

    server.until(signals).await;
    Ok(())
}

async fn echo(_connection: Connection, message: Message) -> String {
    format!("[WSS Echo]: {}", message.as_text().unwrap_or("(binary)"))
}

/// Makes a certificate for this machine, unless one is there: a browser that trusts it goes on trusting it.
fn make_certificate(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (certificate, key) = (folder.join("demo.cert"), folder.join("demo.key"));
    if certificate.exists() && key.exists() {
        return Ok(());
    }
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names)?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(key, made.signing_key.serialize_pem())?;
    std::fs::write(certificate, made.cert.pem())?;
    Ok(())
}

/// The port: the one named on the command line, else the guide's.
fn port() -> String {
    std::env::args().nth(1).unwrap_or_else(|| "8766".to_owned())
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
