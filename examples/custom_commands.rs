//! A server with functions, commands and events of its own, and a client that calls each of them.
//!
//! ```text
//! cargo demo custom_commands
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use serde::Deserialize;
use serde_json::{Value, json};
use zcomm::Comm;
use zcomm::core::{Code, Error};
use zcomm::ws::bifrost::{Call, Display, Route, Topic, Who};
use zcomm::ws::client::Client;

#[derive(Deserialize)]
struct Cart {
    cart_id: u64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let comm = Comm::builder()
        .isolated()
        .set("websocket.port", "0")
        .build()?;
    let server = comm
        .bifrost()?
        // `zFunc(calculateTotal, {cart_id: 123})`
        .function("calculateTotal", async |_: Call, cart: Cart| {
            match cart.cart_id {
                123 => Ok(59.9),
                other => Err(Error::other(
                    Code::NotFound,
                    format!("there is no cart {other}"),
                )),
            }
        })
        // `{"zKey": "custom_command", "zHorizontal": …}`
        .command("custom_command", async |call: Call, message: Value| {
            let text = &message["zHorizontal"]["data"]["message"];
            // What the caller is shown while it waits for the answer.
            call.connection()?
                .display(&Display::text("working on it"))
                .await?;
            Ok(json!({"heard": text}))
        })
        // `{"event": "where", "x": 1}`, over plain HTTP as `POST /where`
        .event("where", async |_: Call, message: Value| {
            Ok(message["x"].clone())
        })
        .route(Route::new("/admin/users"))
        .topic(Topic::new("chat").publish(Who::Everybody))
        .bind()
        .await?;

    let (client, mut events) = Client::builder(format!("ws://{}/ws", server.local_addr()))
        .connect_with_events()
        .await?;
    let total = json!({"zKey": "zFunc", "zHorizontal": "zFunc(calculateTotal, {cart_id: 123})"});
    println!("total: {}", client.dispatch(&total).await?);
    let custom = json!({"zKey": "custom_command", "zHorizontal": {"action": "ping", "data": {"message": "Hello"}}});
    println!("custom_command: {}", client.dispatch(&custom).await?);
    println!(
        "where: {}",
        client.call("where", &json!({"x": 1, "y": 2})).await?
    );
    println!(
        "zLink: {}",
        client
            .dispatch(&json!({"cmd": "zLink(/admin/users)"}))
            .await?
    );
    client.call("subscribe", &json!({"topic": "chat"})).await?;
    let receivers = client
        .call("publish", &json!({"topic": "chat", "data": "hi"}))
        .await?;
    println!("published to {receivers}");
    let unknown = client.dispatch(&json!({"zKey": "dance"})).await;
    if let Err(error) = unknown {
        println!("dance: {error}");
    }

    // What came unasked: the greeting, what the command showed, what was published.
    for _ in 0..3 {
        if let Some(event) = events.next().await {
            let event: Value = serde_json::from_slice(&event?)?;
            println!("heard {}", event["event"]);
        }
    }
    client.close().await;
    server.shutdown();
    server.wait().await;
    Ok(())
}
