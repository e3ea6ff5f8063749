//! The client of the overview's two-program demo: a whole cycle of requests and answers.
//!
//! ```text
//! cargo demo simple_http_server                          # in one terminal
//! cargo demo http_client_demo --url http://127.0.0.1:8000   # in another
//! cargo demo http_client_demo                            # or alone, with a server of its own
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::target::Target;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Target::from_args().await?;
    let comm = server.builder().set("title", "http-client-demo").build()?;
    let http = comm.http();

    println!("POST /post");
    let login = json!({"username": "ada", "remember": true});
    let request = http.http_post(server.url("/post"), &login);
    let response = request.timeout(Duration::from_secs(30)).await?;
    println!("  Status: {}", response.status());
    println!(
        "  Server received: {}",
        response.json::<Value>().await?["json"]
    );

    println!("GET /get?page=2");
    let response = http.http_get(server.url("/get"), [("page", 2)]).await?;
    println!("  Status: {}", response.status());
    println!(
        "  Server received: {}",
        response.json::<Value>().await?["args"]
    );

    println!("GET /get with a header");
    let response = http
        .get(server.url("/get"))
        .header("x-demo", "zcomm")
        .await?;
    println!(
        "  Server received: {}",
        response.json::<Value>().await?["headers"]["x-demo"]
    );

    println!("GET /status/404");
    let response = http.http_get(server.url("/status/404"), ()).await?;
    println!("  Status: {}, ok: {}", response.status(), response.ok());
    Ok(())
}
