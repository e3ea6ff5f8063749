//! The server of the overview's two-program demo: it answers with what it was asked, as httpbin does.
//!
//! ```text
//! cargo demo simple_http_server            # on port 8000, until Ctrl+C
//! cargo demo simple_http_server --port 0   # on any free port
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

#[path = "support/echo.rs"]
mod echo;

use echo::Echo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut words = std::env::args().skip(1);
    let port = match (words.next().as_deref(), words.next()) {
        (None, _) => 8000,
        (Some("--port"), Some(port)) => port.parse()?,
        _ => return Err("the only option is --port NUMBER".into()),
    };

    let echo = Echo::http(port).await?;
    println!("Serving on {}", echo.url());
    println!("  /get /post /put /patch /delete   answer with what they were sent");
    println!("  /status/404                      answers with this status");
    println!("  /delay/3                         answers after three seconds");
    println!("Ctrl+C ends it.");

    tokio::signal::ctrl_c().await?;
    println!("Stopped.");
    Ok(())
}
