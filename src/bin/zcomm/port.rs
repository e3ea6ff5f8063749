//! `zcomm port`: whether ports are available, and who holds them.

use std::num::NonZeroU16;

use serde_json::{Value, json};
use zcomm::core::Registry;
use zcomm::net::{Holder, PortState, check_port, port_holder};

use crate::output::{self, BAD, Cell, GOOD, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "Ends with status 1 if one of the ports is in use.")]
pub(crate) struct Args {
    /// The ports to look at
    #[arg(required = true, value_name = "PORT", value_parser = port)]
    ports: Vec<NonZeroU16>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

struct Finding {
    port: NonZeroU16,
    usual: Option<&'static str>,
    state: PortState,
    holder: Option<Holder>,
}

pub(crate) fn run(args: &crate::args::Args, port: &Args) -> anyhow::Result<Outcome> {
    let comm = args.bare()?;
    let look = |port: &NonZeroU16| look_at(*port, comm.registry(), comm.settings());
    let findings = port
        .ports
        .iter()
        .map(look)
        .collect::<anyhow::Result<Vec<_>>>()?;
    if port.json {
        output::json(&Value::Array(
            findings.iter().map(Finding::to_json).collect(),
        ));
    } else {
        let rows: Vec<_> = findings.iter().map(Finding::to_row).collect();
        output::table(["PORT", "USUALLY", "STATE", "HELD BY"], &rows);
    }
    Ok(Outcome::yes_if(
        findings.iter().all(|finding| finding.state.is_available()),
    ))
}

fn look_at(
    port: NonZeroU16,
    registry: &Registry,
    settings: &zcomm::core::Settings,
) -> anyhow::Result<Finding> {
    let state = check_port(port)?;
    let holder = (state == PortState::Taken)
        .then(|| port_holder(port.get()))
        .flatten();
    Ok(Finding {
        port,
        usual: usual(port.get(), registry, settings),
        state,
        holder,
    })
}

/// What people expect on a port: the web's two, and whatever the linked drivers say.
fn usual(port: u16, registry: &Registry, settings: &zcomm::core::Settings) -> Option<&'static str> {
    match port {
        80 => return Some("HTTP"),
        443 => return Some("HTTPS"),
        5432 => return Some("PostgreSQL"),
        6379 => return Some("Redis"),
        8765 => return Some("zBifrost"),
        27017 => return Some("MongoDB"),
        _ => {}
    }
    let drivers = registry.drivers(settings).ok()?;
    drivers
        .iter()
        .find(|driver| driver.about().default_port == port)
        .map(|driver| driver.about().title)
}

impl Finding {
    fn to_json(&self) -> Value {
        let holder = self
            .holder
            .as_ref()
            .map(|holder| json!({"pid": holder.pid, "name": holder.name}));
        json!({
            "port": self.port,
            "usually": self.usual,
            "available": self.state.is_available(),
            "needs_privilege": self.state == PortState::NeedsPrivilege,
            "holder": holder,
        })
    }

    fn to_row(&self) -> [Cell; 4] {
        let style = if self.state.is_available() { GOOD } else { BAD };
        let beside = match (self.state, &self.holder) {
            (PortState::NeedsPrivilege, _) => {
                "nobody answers; a server needs root for ports below 1024".to_owned()
            }
            (PortState::Taken, Some(holder)) => holder.to_string(),
            (PortState::Taken, None) => "not readable from here".to_owned(),
            (PortState::Free, _) => String::new(),
        };
        [
            self.port.to_string().into(),
            self.usual.unwrap_or_default().into(),
            Cell::styled(self.state.to_string(), style),
            beside.into(),
        ]
    }
}

fn port(text: &str) -> Result<NonZeroU16, String> {
    text.parse()
        .map_err(|_| "a port is a number from 1 to 65535".to_owned())
}
