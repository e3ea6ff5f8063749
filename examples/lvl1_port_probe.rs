//! Level 1 i of the tutorial, looked at closely: what a port is like while somebody holds it, and before and after.
//!
//! ```text
//! cargo demo lvl1_port_probe
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::net::TcpListener;
use std::num::NonZeroU16;

use zcomm::net::{PortState, check_port, port_holder};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Port 0 asks the system for any that is free.
    let server = TcpListener::bind("127.0.0.1:0")?;
    let port = NonZeroU16::try_from(server.local_addr()?.port())?;

    println!("While a server holds it: {}", check_port(port)?);
    // Who it is can be read where the system lets us.
    if let Some(holder) = port_holder(port.get()) {
        let this = holder.pid == std::process::id();
        println!(
            "Held by: {}",
            if this { "this program" } else { &holder.name }
        );
    }

    drop(server);
    println!("Once it is gone: {}", check_port(port)?);

    // Ports below 1024 are root's on many systems. Nobody answers there, so it counts as available, and the state
    // says what it would take.
    if check_port(NonZeroU16::MIN)? == PortState::NeedsPrivilege {
        println!("Port 1: {}", PortState::NeedsPrivilege);
    }
    Ok(())
}
