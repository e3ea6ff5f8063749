//! `zcomm serve`: a zBifrost server, until it is told to stop.

mod demo;

use zcomm::CommBuilder;
use zcomm::ws::bifrost::Bifrost;

use crate::output::{self, GOOD, HEAD, Outcome};
use crate::store;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
It serves the models of the schema folder (`schema_path`, ./schemas); without any, a small demo of users
and messages, kept in memory. Rows are in the store that the setting `store` names, else in .zcomm/data.db
of the project. Ctrl-C lets clients go and ends it, a second one ends it at once.")]
pub(crate) struct Args {
    /// The address to listen on
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 takes any that is free
    #[arg(long)]
    port: Option<u16>,
}

pub(crate) fn run(args: &crate::args::Args, serve: &Args) -> anyhow::Result<Outcome> {
    let plain = serve.builder(args).build()?;
    let is_demo = plain.schema()?.models().is_empty();
    let builder = serve.builder(args).log();
    let comm = if is_demo {
        store::or_passing(&plain, builder).schema(demo::schema()?)
    } else {
        store::or_own(&plain, builder)
    };
    let comm = comm.build()?;
    crate::wait(async {
        comm.data()?.prepare().await?;
        let server = comm.bifrost()?.bind().await?;
        if is_demo {
            demo::fill(comm.data()?).await?;
        }
        greet(&comm, &server);
        until_stopped(&server).await?;
        let drained = server.wait().await;
        output::line(&format!(
            "stopped; {} connections closed, {} cut",
            drained.closed, drained.cut
        ));
        Ok(Outcome::Done)
    })
}

impl Args {
    fn builder(&self, args: &crate::args::Args) -> CommBuilder {
        let mut builder = args.builder();
        if let Some(host) = &self.host {
            builder = builder.set_from("--host", "websocket.host", host);
        }
        if let Some(port) = self.port {
            builder = builder.set_from("--port", "websocket.port", port.to_string());
        }
        builder
    }
}

fn greet(comm: &zcomm::Comm, server: &Bifrost) {
    let address = server.local_addr();
    let needs_token = comm.settings().flag("websocket.require_auth");
    let auth = if needs_token { "a token" } else { "no token" };
    let origins = match comm.settings().list("websocket.allowed_origins") {
        [] => "pages of this machine".to_owned(),
        listed => listed.join(", "),
    };
    let models: Vec<&str> = server
        .app()
        .schema()
        .models()
        .iter()
        .map(|model| model.name())
        .collect();
    output::line(&format!(
        "{GOOD}zBifrost{GOOD:#} on {HEAD}ws://{address}/ws{HEAD:#} for {origins}, {auth} needed"
    ));
    output::line(&format!("models: {}", models.join(", ")));
    let first = models.first().copied().unwrap_or("users");
    let token = if needs_token {
        " -H 'Authorization: Bearer TOKEN'"
    } else {
        ""
    };
    output::line(&format!(
        "try: curl{token} -H 'Content-Type: application/json' -d '{{\"zKey\":\"^List {first}\"}}' http://{address}/dispatch",
    ));
}

/// Waits for Ctrl-C or SIGTERM and begins to let clients go; a second signal cuts them.
async fn until_stopped(server: &Bifrost) -> anyhow::Result<()> {
    crate::signal::wait().await?;
    output::line("stopping; once more to stop at once");
    server.shutdown();
    let stopper = server.stopper();
    tokio::spawn(async move {
        if crate::signal::wait().await.is_ok() {
            stopper.stop();
        }
    });
    Ok(())
}
