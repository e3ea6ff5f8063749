//! Listens to what others write on a server, until it has heard of five messages.
//!
//! ```text
//! cargo demo receiver --url ws://127.0.0.1:8765/ws
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use serde_json::{Value, json};
use zcomm::ws::client::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let url = match (words.next().as_deref(), words.next()) {
        (None, _) => "ws://127.0.0.1:8765/ws".to_owned(),
        (Some("--url"), Some(url)) => url,
        _ => return Err("the only option is --url ADDRESS".into()),
    };

    let (client, mut events) = Client::builder(url).connect_with_events().await?;
    // The rows that are there, and from then on every change of them: nothing falls between the two.
    let subscribe = json!({"model": "messages", "fields": ["text"], "snapshot": true});
    let subscribed = client.call("subscribe", &subscribe).await?;
    let there = subscribed["rows"].as_array().map_or(0, Vec::len);
    println!("Listening; {there} messages are there.");

    let mut received = 0;
    while received < 5 {
        let Some(event) = events.next().await else {
            break;
        };
        let event: Value = serde_json::from_slice(&event?)?;
        if event["event"] == "change" {
            received += 1;
            println!("Received: {} {}", event["op"], event["row"]["text"]);
        }
    }
    println!("Total messages: {received}");
    client.close().await;
    Ok(())
}
