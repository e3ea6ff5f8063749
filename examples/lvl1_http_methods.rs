//! Level 1 iii of the tutorial: five methods, one simple pattern.
//!
//! ```text
//! cargo demo lvl1_http_methods
//! cargo demo lvl1_http_methods --url https://httpbin.org
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use serde_json::{Value, json};
use support::target::Target;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Target::from_args().await?;
    let comm = server.builder().set("title", "http-methods").build()?;
    let http = comm.http();

    // GET: retrieve data.
    let response = http
        .http_get(server.url("/get"), [("key", "value")])
        .await?;
    println!(
        "GET    {} {}",
        response.status(),
        response.json::<Value>().await?["args"]
    );

    // POST: create a resource.
    let alice = json!({"name": "Alice"});
    let response = http.http_post(server.url("/post"), &alice).await?;
    println!(
        "POST   {} {}",
        response.status(),
        response.json::<Value>().await?["json"]
    );

    // PUT: replace a resource as a whole.
    let developer = json!({"name": "Alice", "role": "Developer"});
    let response = http.http_put(server.url("/put"), &developer).await?;
    println!(
        "PUT    {} {}",
        response.status(),
        response.json::<Value>().await?["json"]
    );

    // PATCH: change a part of it.
    let promoted = json!({"role": "Tech Lead"});
    let response = http.http_patch(server.url("/patch"), &promoted).await?;
    println!(
        "PATCH  {} {}",
        response.status(),
        response.json::<Value>().await?["json"]
    );

    // DELETE: remove it.
    let response = http.http_delete(server.url("/delete")).await?;
    println!("DELETE {}", response.status());
    Ok(())
}
