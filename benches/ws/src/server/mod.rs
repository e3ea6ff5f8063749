//! The servers that are measured, each in a process of its own that ends with its standard input. They measure nothing.

mod axum;
mod corked;
mod fast;
mod plain;
mod tungstenite;
mod zcomm;

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::machine;

pub(crate) use zcomm::PROFILE;

/// The path that the one connection opens whose messages go to all others.
pub(crate) const PUBLISH: &str = "/publish";

/// Messages that may wait for one receiver of a peer's server.
const QUEUE: usize = 1024;

/// What a server process is told.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    pub(crate) name: String,
    pub(crate) fan_out: bool,
    pub(crate) workers: usize,
    /// A certificate and its key; a folder that holds both.
    pub(crate) tls: Option<PathBuf>,
}

/// Serves until the standard input ends.
pub(crate) fn run(orders: Orders) -> Result<()> {
    let runtime = if orders.workers > 1 {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(orders.workers)
            .enable_all()
            .build()?
    } else {
        machine::pin(machine::SERVER_CORE)?;
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
    };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    runtime.block_on(serve(orders))
}

async fn serve(orders: Orders) -> Result<()> {
    match (orders.name.as_str(), orders.fan_out) {
        ("zcomm" | "zcomm-async", _) => zcomm::serve(orders).await,
        ("raw", false) => plain::serve(listen().await?, orders.tls).await,
        ("fastwebsockets", false) => fast::echo(listen().await?, false).await,
        ("fastwebsockets-corked", false) => fast::echo(listen().await?, true).await,
        ("fastwebsockets", true) => fast::fan_out(listen().await?, false).await,
        ("fastwebsockets-writev", true) => fast::fan_out(listen().await?, true).await,
        ("tungstenite", false) => tungstenite::echo(listen().await?, false).await,
        ("tungstenite-fed", false) => tungstenite::echo(listen().await?, true).await,
        ("tungstenite-fed", true) => tungstenite::fan_out(listen().await?).await,
        ("axum", false) => axum::echo(listen().await?).await,
        (name, _) => bail!("there is no server `{name}` for this"),
    }
}

/// Tells the port to whoever started this process.
fn announce(port: u16) {
    use std::io::Write;
    let mut out = std::io::stdout();
    // Whoever started it and is gone ends it through its standard input.
    let _ = writeln!(out, "{port}").and_then(|()| out.flush());
}

async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?.port());
    Ok(listener)
}

async fn accept(listener: &TcpListener) -> Result<TcpStream> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Those who receive what the publisher of a peer's server sends.
#[derive(Clone, Debug, Default)]
struct Receivers(Arc<Mutex<Vec<mpsc::Sender<Bytes>>>>);

impl Receivers {
    fn join(&self) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.lock().push(sender);
        receiver
    }

    fn send(&self, message: &Bytes) {
        self.lock().retain(|receiver| {
            !matches!(
                receiver.try_send(message.clone()),
                Err(mpsc::error::TrySendError::Closed(_))
            )
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<mpsc::Sender<Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The certificate and the key that the load generator made.
fn tls_files(folder: &std::path::Path) -> Result<(Vec<u8>, Vec<u8>)> {
    let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| name.to_owned());
    Ok((read("cert.der")?, read("key.der")?))
}
