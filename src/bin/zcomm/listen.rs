//! `zcomm listen`: what a server sends unasked, a line each, until told to stop.

use serde_json::Value;
use zcomm::ws::client::{ClientError, State};
use zcomm::ws::frame::CloseCode;

use crate::call::ServerArgs;
use crate::output::{self, BAD, GOOD, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Each message is a line of JSON on stdout; what happens to the connection goes to stderr. A lost connection is \
opened again where its end allows that. Ctrl-C ends it with status 0; a server that refuses or sends the \
client away for good ends it with 4.")]
pub(crate) struct Args {
    #[command(flatten)]
    server: ServerArgs,
    /// Does not wait for the server to speak first: for servers that are no zBifrost
    #[arg(long)]
    raw: bool,
}

pub(crate) fn run(args: &crate::args::Args, listen: &Args) -> anyhow::Result<Outcome> {
    args.comm()?;
    crate::wait(async {
        tokio::select! {
            ended = follow(listen) => ended,
            stopped = crate::signal::wait() => stopped.map(|()| Outcome::Done),
        }
    })
}

async fn follow(listen: &Args) -> anyhow::Result<Outcome> {
    let mut builder = listen.server.client().without_renewal();
    if listen.raw {
        builder = builder.without_greeting();
    }
    let (client, mut events) = builder.connect_with_events().await?;
    let mut states = client.states();
    states.mark_changed();
    loop {
        tokio::select! {
            message = events.next() => match message {
                Some(message) => show(message),
                None => return end(&client.state()),
            },
            Ok(()) = states.changed() => tell(&states.borrow_and_update()),
        }
    }
}

fn show(message: Result<impl AsRef<[u8]>, ClientError>) {
    match message {
        Ok(bytes) => output::line(&line_of(bytes.as_ref())),
        Err(error) => output::note(&format!("{BAD}{error}{BAD:#}")),
    }
}

/// One line, whatever came: JSON as JSON, anything else as a JSON text.
fn line_of(bytes: &[u8]) -> String {
    let json: Value =
        serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into());
    json.to_string()
}

fn tell(state: &State) {
    match state {
        State::Open => output::note(&format!("{GOOD}connected{GOOD:#}")),
        State::Waiting { delay, because } => {
            let seconds = delay.as_secs_f64();
            output::note(&format!("{BAD}{because}{BAD:#}; again in {seconds:.1} s"));
        }
        _ => {}
    }
}

/// A server that says goodbye in order is no fault.
fn end(state: &State) -> anyhow::Result<Outcome> {
    match state {
        State::Closed { because } if !is_goodbye(because) => Err(because.clone().into()),
        _ => Ok(Outcome::Done),
    }
}

fn is_goodbye(because: &ClientError) -> bool {
    matches!(
        because,
        ClientError::Closed {
            code: CloseCode::Normal,
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line_of_json() {
        assert_eq!(line_of(b"{\"a\":\n1}"), r#"{"a":1}"#);
        assert_eq!(line_of(b"two\nlines"), r#""two\nlines""#);
        assert_eq!(line_of(b"\xff"), "\"\u{fffd}\"");
    }
}
