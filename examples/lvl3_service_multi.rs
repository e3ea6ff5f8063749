//! Level 3 ii of the tutorial: the whole development stack at a glance.
//!
//! ```text
//! cargo demo lvl3_service_multi
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use zcomm::Comm;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder().set("logger", "PROD").build()?;
    let services = comm.blocking()?.services();

    for (name, description) in [
        ("postgresql", "PostgreSQL Database"),
        ("redis", "Redis Cache"),
        ("mongodb", "MongoDB Database"),
    ] {
        if services.status(name)?.running {
            let info = services.connection_info(name)?;
            println!("✓ {description}: {}", info.endpoint);
        } else {
            println!("✗ {description}: Not running");
        }
    }
    Ok(())
}
