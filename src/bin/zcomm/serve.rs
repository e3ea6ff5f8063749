//! `zcomm serve`: a zBifrost server, or a raw one, until it is told to stop.

mod demo;
mod raw;

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use zcomm::ws::bifrost::Bifrost;
use zcomm::ws::server::{Drained, Signals, Stopper};
use zcomm::{Comm, CommBuilder};

use self::raw::Raw;
use crate::output::{self, GOOD, HEAD, Outcome};
use crate::store;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
It serves the models of the schema folder (`schema_path`, ./schemas); without any, a small demo of users \
and messages, kept in memory. Rows are in the store that the setting `store` names, else in .zcomm/data.db \
of the project. Ctrl-C lets clients go and ends it, a second one ends it at once.")]
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
    /// Compresses messages for clients that offer it (permessage-deflate)
    #[arg(long)]
    compression: bool,
    /// Threads that serve sockets, each with a listener of its own on the same port
    #[cfg(target_os = "linux")]
    #[arg(long, requires = "handler", value_name = "N")]
    workers: Option<NonZeroU16>,
}

pub(crate) fn run(args: &crate::args::Args, serve: &Args) -> anyhow::Result<Outcome> {
    let plain = serve.builder(args).build()?;
    let is_demo = serve.handler.is_none() && plain.schema()?.models().is_empty();
    let builder = serve.builder(args).log();
    let comm = if is_demo {
        store::or_passing(&plain, builder).schema(demo::schema()?)
    } else {
        store::or_own(&plain, builder)
    };
    let comm = comm.build()?;
    output::warn(&comm.idle_tokens());
    crate::wait(async {
        let drained = match serve.handler {
            Some(raw) => serve_raw(&comm, raw, serve.workers()).await?,
            None => serve_models(&comm, is_demo).await?,
        };
        output::line(&format!(
            "stopped; {} connections closed, {} cut",
            drained.closed, drained.cut
        ));
        Ok(Outcome::Done)
    })
}

impl Args {
    fn builder(&self, args: &crate::args::Args) -> CommBuilder {
        let given = self.settings().into_iter();
        given.fold(args.builder(), |builder, (flag, key, value)| {
            builder.set_from(flag, key, value)
        })
    }

    fn workers(&self) -> Option<NonZeroU16> {
        #[cfg(target_os = "linux")]
        return self.workers;
        #[cfg(not(target_os = "linux"))]
        None
    }

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
            (
                "--compression",
                "websocket.compression",
                self.compression.then(|| "true".to_owned()),
            ),
        ];
        all.into_iter()
            .filter_map(|(flag, key, value)| Some((flag, key, value?)))
            .collect()
    }
}

async fn serve_models(comm: &Comm, is_demo: bool) -> anyhow::Result<Drained> {
    // Before anybody can connect: a signal that comes first would end the program without a word.
    let signals = Signals::listen()?;
    // A start that is refused leaves the store as it was.
    comm.websocket()?.check()?;
    comm.data()?.prepare().await?;
    let mut server = comm.bifrost()?;
    if is_demo {
        // Before anybody is there: nobody is to be told of these rows as if they were news.
        demo::fill(comm.data()?).await?;
        server = server.topic(demo::topic());
    }
    let server = server.bind().await?;
    greet(comm, "zBifrost", server.local_addr());
    suggest(comm, &server);
    until_stopped(signals, &server.stopper()).await;
    Ok(server.wait().await)
}

async fn serve_raw(comm: &Comm, raw: Raw, workers: Option<NonZeroU16>) -> anyhow::Result<Drained> {
    let signals = Signals::listen()?;
    let server = raw.bind(comm, workers).await?;
    greet(comm, raw.name(), server.local_addr());
    until_stopped(signals, &server.stopper()).await;
    Ok(server.wait().await)
}

/// Address, and who is let in.
fn greet(comm: &Comm, what: &str, address: SocketAddr) {
    let auth = if needs_token(comm) {
        "a token"
    } else {
        "no token"
    };
    let origins = match comm.settings().list("websocket.allowed_origins") {
        [] => "pages of this machine".to_owned(),
        listed => listed.join(", "),
    };
    let secure = secure(comm);
    output::line(&format!(
        "{GOOD}{what}{GOOD:#} on {HEAD}ws{secure}://{address}/ws{HEAD:#} for {origins}, {auth} needed"
    ));
}

/// What a newcomer may try.
fn suggest(comm: &Comm, server: &Bifrost) {
    let address = server.local_addr();
    let models = server.app().schema().models().iter();
    let models: Vec<&str> = models.map(|model| model.name()).collect();
    output::line(&format!("models: {}", models.join(", ")));
    let (asks, secure) = (needs_token(comm), secure(comm));
    if asks || address.ip().is_loopback() {
        output::line(&format!("console: {HEAD}http{secure}://{address}/{HEAD:#}"));
    }
    let first = models.first().copied().unwrap_or("users");
    let token = if asks {
        " -H 'Authorization: Bearer TOKEN'"
    } else {
        ""
    };
    output::line(&format!(
        "try: curl{token} -H 'Content-Type: application/json' -d '{{\"zKey\":\"^List {first}\"}}' http{secure}://{address}/dispatch",
    ));
}

fn needs_token(comm: &Comm) -> bool {
    // Bound is what could be made of the policy; there is no error left to meet.
    comm.asks_callers().unwrap_or(true)
}

/// What a scheme ends with where TLS is spoken.
fn secure(comm: &Comm) -> &'static str {
    if comm.settings().flag("websocket.ssl_enabled") {
        "s"
    } else {
        ""
    }
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
