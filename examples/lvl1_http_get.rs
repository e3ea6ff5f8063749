//! Level 1 ii of the tutorial: an HTTPS request in one line, and what the server received of it.
//!
//! ```text
//! cargo demo lvl1_http_get
//! cargo demo lvl1_http_get --url https://httpbin.org
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use serde_json::{Value, json};
use support::target::Target;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Target::from_args().await?;
    let spark = json!({"deployment": "Production", "title": "http-get", "logger": "INFO"});
    let comm = server.builder().spark(spark).build()?;

    // Notice the https: the connection is encrypted, and there is nothing to configure for it.
    let url = server.url("/get");
    let params = [("demo", "zComm"), ("level", "1")];

    // `.ok()` gives nothing in place of an error.
    if let Some(response) = comm.http().http_get(url, params).ok().await {
        let data: Value = response.json().await?;
        println!("Server received: {}", data["args"]);
    }
    Ok(())
}
