//! Creates messages on a server; whoever listens, as `receiver` does, is told of them.
//!
//! ```text
//! cargo zcomm serve                                 # in one terminal
//! cargo demo receiver                               # in another
//! cargo demo sender --url ws://127.0.0.1:8765/ws    # in a third
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use serde_json::json;
use zcomm::ws::client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let url = match (words.next().as_deref(), words.next()) {
        (None, _) => "ws://127.0.0.1:8765/ws".to_owned(),
        (Some("--url"), Some(url)) => url,
        _ => return Err("the only option is --url ADDRESS".into()),
    };

    let client = Client::connect(url).await?;
    for number in 0..5 {
        let message = json!({
            "zKey": "create_messages",
            "zHorizontal": {"action": "create", "model": "Messages", "values": {"text": format!("Message {number}")}},
        });
        let created = client.dispatch(&message).await?;
        println!("Created: {}", created["text"]);
    }
    client.close().await;
    Ok(())
}
