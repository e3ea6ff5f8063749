//! Level 4 of the tutorial: a PostgreSQL that is there when it is needed, and gone with the program.
//!
//! ```text
//! cargo demo lvl4_service_start
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use zcomm::Comm;
use zcomm::services::{Port, StartOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder().set("logger", "PROD").build()?;
    let services = comm.blocking()?.services();

    // On any free port, with data that nobody wants to keep: beside whatever else runs here.
    let options = StartOptions::new().port(Port::AnyFree).throw_away();
    match services.start("postgresql", options) {
        Ok(_) => {
            let info = services.connection_info("postgresql")?;
            println!("✓ Ready: {}", info.endpoint);
            services.stop("postgresql")?;
        }
        // The error says what is missing and how this system installs it.
        Err(error) => println!("✗ Failed to start: {error}"),
    }
    Ok(())
}
