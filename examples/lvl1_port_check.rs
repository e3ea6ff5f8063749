//! Level 1 i of the tutorial: whether a server could have these ports.
//!
//! ```text
//! cargo demo lvl1_port_check
//! cargo demo lvl1_port_check 8080 8765
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use serde_json::json;
use zcomm::Comm;

const USUAL: [(u16, &str); 5] = [
    (80, "HTTP"),
    (443, "HTTPS"),
    (5432, "PostgreSQL"),
    (6379, "Redis"),
    (27017, "MongoDB"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spark = json!({"deployment": "Production", "title": "port-check", "logger": "INFO"});
    let comm = Comm::builder().spark(spark).build()?;

    for port in ports()? {
        let usual = USUAL.iter().find(|(number, _)| *number == port);
        let service = usual.map_or("", |(_, name)| name);
        let status = if comm.check_port(port) {
            "✓ available"
        } else {
            "✗ in use"
        };
        println!("Port {port:5} ({service:12}): {status}");
    }
    Ok(())
}

/// The ports named on the command line, else those that everybody knows.
fn ports() -> Result<Vec<u16>, std::num::ParseIntError> {
    let named: Vec<u16> = std::env::args()
        .skip(1)
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    if named.is_empty() {
        return Ok(USUAL.iter().map(|(port, _)| *port).collect());
    }
    Ok(named)
}
