//! Level 0 of the tutorial: communication that is there, with nothing to configure.
//!
//! ```text
//! cargo demo lvl0_hello
//! ```

use serde_json::json;
use zcomm::Comm;

fn main() -> Result<(), zcomm::Error> {
    let spark = json!({
        "deployment": "Development", // shows the ready lines
        "title": "hello-comm",       // what the application is called
        "logger": "PROD",            // nothing but those lines on the terminal, the log in a file
        "logger_path": "./logs",     // where that file is
    });
    // Watch the order in which it says what is ready: first the settings, then the communication.
    let _comm = Comm::builder().spark(spark).log().build()?;
    Ok(())
}
