//! A service driver of one's own, in one file: `python3 -m http.server`, started, used and stopped.
//!
//! ```text
//! cargo demo custom_driver
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zcomm::Comm;
use zcomm::core::service::{
    ConnectionInfo, DriverInfo, Endpoint, InstallHint, Os, Probe, ProcessRecipe, Program, Recipes,
    ServiceDriver, ServiceIdentity, StartPlan,
};
use zcomm::core::{Error, Plugin, Settings, inventory};
use zcomm::services::{Port, StartOptions};

/// What the service is: its name, its port, how it is installed, started, recognised and reached.
struct PythonFiles;

const ABOUT: DriverInfo = DriverInfo::new("python-files", "Python's file server", 8000)
    .with_aliases(&["http.server"])
    .with_install(&[InstallHint::new(Os::Linux, "sudo apt-get install python3")]);

#[async_trait]
impl ServiceDriver for PythonFiles {
    fn about(&self) -> &DriverInfo {
        &ABOUT
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        let port = plan.endpoint.port.to_string();
        let folder = plan.data_dir.display().to_string();
        let arguments = [
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            "--directory",
            &folder,
            &port,
        ];
        Recipes::none().with_process(ProcessRecipe::new(Program::new("python3")).args(arguments))
    }

    async fn probe(&self, at: &Endpoint) -> Probe {
        let start = Instant::now();
        match tokio::time::timeout(at.limit, server_header(at)).await {
            Ok(Ok(server)) if server.starts_with("SimpleHTTP") => {
                let mut identity = ServiceIdentity::default();
                identity.version = Some(server);
                Probe::running(identity, start.elapsed())
            }
            Ok(Ok(server)) => Probe::error(format!("`{server}` answers there")),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                Probe::stopped()
            }
            Ok(Err(error)) => Probe::error(error.to_string()),
            Err(_) => Probe::error("somebody listens there and does not answer"),
        }
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        let url = format!("http://{at}/");
        ConnectionInfo::new(probe.state, at.clone(), url.as_str()).with_variable("FILES_URL", url)
    }
}

/// Asks for the root page and gives back what the server calls itself.
async fn server_header(at: &Endpoint) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((at.host.as_str(), at.port)).await?;
    stream.write_all(b"HEAD / HTTP/1.0\r\n\r\n").await?;
    let mut head = String::new();
    stream.take(4096).read_to_string(&mut head).await?;
    let server = head.lines().find_map(|line| line.strip_prefix("Server: "));
    Ok(server
        .unwrap_or("a server without a name")
        .trim()
        .to_owned())
}

fn make_driver(_settings: &Settings) -> Result<Arc<dyn ServiceDriver>, Error> {
    Ok(Arc::new(PythonFiles))
}

const PLUGIN: Plugin = Plugin::new("python-files", "custom_driver")
    .aliases(&["http.server"])
    .driver(make_driver);
inventory::submit!(PLUGIN);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let comm = Comm::builder().set("title", "custom-driver").build()?;
    let names: Vec<_> = comm.registry().names().collect();
    println!("registered: {}", names.join(", "));

    let services = comm.services();
    let options = StartOptions::new().port(Port::AnyFree);
    let started = services.start("python-files", options).await?;
    println!("{} is {}", started.name, started.state);

    let info = services.connection_info("python-files").await?;
    println!("its files are at {}", info.connection_string.expose());

    services.stop("python-files").await?;
    let status = services.status("python-files").await?;
    println!("{} is {}", status.name, status.state);
    Ok(())
}
