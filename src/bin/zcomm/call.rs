//! `zcomm call`: one request over a socket, its reply on stdout.

use std::io::IsTerminal;
use std::time::Duration;

use serde_json::Value;
use zcomm::ws::client::{Client, ClientBuilder, ClientConfig};

use crate::output::{self, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
The reply goes to stdout, indented if stdout is a terminal. Ends with status 1 if it is an error, with 4 if \
there is no reply. Others on this machine can see a token that stands on the command line.

  zcomm call ws://127.0.0.1:8765/ws dispatch '{\"zKey\":\"^List users\"}'")]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// The event to ask for: dispatch, ping, connection_info
    event: String,
    /// Its arguments, a JSON object
    #[arg(default_value = "{}", value_name = "JSON", value_parser = object)]
    arguments: Value,
}

/// Which server, and as whom.
#[derive(clap::Args, Debug)]
pub(crate) struct ServerArgs {
    /// The address, with ws:// or wss://
    url: String,
    /// Presents this token
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// How long connecting, and a reply, may take: 1s, 500ms
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    timeout: Option<Duration>,
}

impl ServerArgs {
    pub(crate) fn client(&self) -> ClientBuilder {
        let mut config = ClientConfig::default();
        if let Some(limit) = self.timeout {
            (config.open_timeout, config.call_timeout) = (limit, limit);
        }
        let builder = Client::builder(&self.url).config(config);
        match &self.token {
            Some(token) => builder.token(token.as_str()),
            None => builder,
        }
    }
}

pub(crate) fn run(args: &crate::args::Args, call: &Args) -> anyhow::Result<Outcome> {
    // Wrong settings are told before anything is sent.
    args.comm()?;
    crate::wait(async {
        let client = call.server.client().without_reconnect().connect().await?;
        let reply = client.request(&call.event, &call.arguments).await;
        client.close().await;
        let reply = reply?;
        let json: Value = reply.json()?;
        if std::io::stdout().is_terminal() {
            output::json(&json);
        } else {
            output::line(&json.to_string());
        }
        Ok(Outcome::yes_if(reply.is_ok()))
    })
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err("arguments are an object, like {\"zKey\":\"^List users\"}".to_owned())
    }
}
