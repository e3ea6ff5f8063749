//! `zcomm serve`: a zBifrost server, or a raw one, until it is told to stop.

mod demo;
mod raw;

use std::net::SocketAddr;
use std::path::PathBuf;

use zcomm::ws::bifrost::Bifrost;
use zcomm::ws::server::{Drained, Signals, Stopper};

use self::raw::Raw;
use crate::output::{self, GOOD, HEAD, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
It serves the models of the schema folder (`schema_path`, ./schemas); without any, a small demo of users
and messages. Rows are kept in memory. Ctrl-C lets clients go and ends it, a second one ends it at once.")]
pub(crate) struct Args {
    /// The address to listen on
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 takes any that is free
    #[arg(long)]
    port: Option<u16>,
    /// Serves no models: answers each message by itself
    #[arg(long, value_enum)]
    handler: Option<Raw>,
    /// The certificate and its chain, as PEM: serves `wss://`
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, as PEM
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

pub(crate) fn run(args: &crate::args::Args, serve: &Args) -> anyhow::Result<Outcome> {
    let mut builder = args.builder().log();
    for (flag, key, value) in serve.settings() {
        builder = builder.set_from(flag, key, value);
    }
    let comm = builder.build()?;
    crate::wait(async {
        let drained = match serve.handler {
            Some(raw) => serve_raw(&comm, raw).await?,
            None => serve_models(&comm).await?,
        };
        output::line(&format!(
            "stopped; {} connections closed, {} cut",
            drained.closed, drained.cut
        ));
        Ok(Outcome::Done)
    })
}

impl Args {
    /// What the flags set: flag, key, value.
    fn settings(&self) -> Vec<(&'static str, &'static str, String)> {
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let all = [
            ("--host", "websocket.host", self.host.clone()),
            (
                "--port",
                "websocket.port",
                self.port.map(|port| port.to_string()),
            ),
            (
                "--tls-cert",
                "websocket.ssl_cert",
                self.tls_cert.as_ref().map(path),
            ),
            (
                "--tls-key",
                "websocket.ssl_key",
                self.tls_key.as_ref().map(path),
            ),
            (
                "--tls-cert",
                "websocket.ssl_enabled",
                self.tls_cert.as_ref().map(|_| "true".to_owned()),
            ),
        ];
        all.into_iter()
            .filter_map(|(flag, key, value)| Some((flag, key, value?)))
            .collect()
    }
}

async fn serve_models(comm: &zcomm::Comm) -> anyhow::Result<Drained> {
    // Before anybody can connect: a signal that comes first would end the program without a word.
    let signals = Signals::listen()?;
    let is_demo = comm.schema()?.models().is_empty();
    let mut server = comm.bifrost()?;
    if is_demo {
        server = server.schema(demo::schema()?);
    }
    let server = server.bind().await?;
    if is_demo {
        demo::fill(server.app()).await?;
    }
    greet(comm, "zBifrost", server.local_addr());
    suggest(comm, &server);
    until_stopped(signals, &server.stopper()).await;
    Ok(server.wait().await)
}

async fn serve_raw(comm: &zcomm::Comm, raw: Raw) -> anyhow::Result<Drained> {
    let signals = Signals::listen()?;
    let server = raw.bind(comm).await?;
    greet(comm, raw.name(), server.local_addr());
    until_stopped(signals, &server.stopper()).await;
    Ok(server.wait().await)
}

/// Address, and who is let in.
fn greet(comm: &zcomm::Comm, what: &str, address: SocketAddr) {
    let settings = comm.settings();
    let auth = if settings.flag("websocket.require_auth") {
        "a token"
    } else {
        "no token"
    };
    let origins = match settings.list("websocket.allowed_origins") {
        [] => "pages of this machine".to_owned(),
        listed => listed.join(", "),
    };
    let secure = if settings.flag("websocket.ssl_enabled") {
        "s"
    } else {
        ""
    };
    output::line(&format!(
        "{GOOD}{what}{GOOD:#} on {HEAD}ws{secure}://{address}/ws{HEAD:#} for {origins}, {auth} needed"
    ));
}

/// What a newcomer may try.
fn suggest(comm: &zcomm::Comm, server: &Bifrost) {
    let address = server.local_addr();
    let models = server.app().schema().models().iter();
    let models: Vec<&str> = models.map(|model| model.name()).collect();
    let secure = if comm.settings().flag("websocket.ssl_enabled") {
        "s"
    } else {
        ""
    };
    output::line(&format!("models: {}", models.join(", ")));
    output::line(&format!(
        "try: curl -H 'Content-Type: application/json' -d '{{\"zKey\":\"^List {}\"}}' http{secure}://{address}/dispatch",
        models.first().copied().unwrap_or("users"),
    ));
}

/// Waits for Ctrl-C or SIGTERM and begins to let clients go; a second signal cuts them.
async fn until_stopped(mut signals: Signals, stopper: &Stopper) {
    signals.recv().await;
    output::line("stopping; once more to stop at once");
    stopper.stop();
    let stopper = stopper.clone();
    tokio::spawn(async move {
        signals.recv().await;
        stopper.stop();
    });
}
