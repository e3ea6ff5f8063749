//! Level 3 i of the tutorial: whether PostgreSQL runs here, and where. It starts nothing.
//!
//! ```text
//! cargo demo lvl3_service_check
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use zcomm::Comm;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder().set("logger", "PROD").build()?;
    let services = comm.blocking()?.services();

    // Asked in PostgreSQL's own protocol: something else that listens on its port is not mistaken for it.
    let status = services.status("postgresql")?;
    if status.running {
        let info = services.connection_info("postgresql")?;
        println!("✓ PostgreSQL: {}", info.endpoint);
    } else {
        println!("✗ PostgreSQL not running");
    }
    Ok(())
}
