//! Level 3 iii of the tutorial: statuses are answers, and what keeps an answer from coming is nothing to crash over.
//!
//! ```text
//! cargo demo lvl3_http_errors
//! cargo demo lvl3_http_errors --url https://httpbin.org
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

mod support;

use std::time::Duration;

use serde_json::json;
use support::target::Target;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let server = Target::from_args().await?;
    let comm = server.builder().spark(json!({"logger": "PROD"})).build()?;

    // Various things that go wrong.
    let cases = [
        (server.url("/status/404"), "404 Not Found"),
        (server.url("/status/500"), "500 Server Error"),
        (
            "https://no-such-domain-12345.invalid".to_owned(),
            "Invalid URL",
        ),
        (server.url("/delay/10"), "Timeout (2s limit)"),
    ];

    for (url, description) in cases {
        println!("Testing {description}...");
        let request = comm.http().http_post(url, &json!({}));
        match request.timeout(Duration::from_secs(2)).ok().await {
            None => println!("  ✓ Handled gracefully"),
            Some(response) => println!("  Status: {}", response.status().as_u16()),
        }
    }
    Ok(())
}
