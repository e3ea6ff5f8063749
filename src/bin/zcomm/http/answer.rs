//! Shows an answer: for people on a terminal, byte for byte in a pipe.

use std::io::{self, IsTerminal, Write};

use futures_util::StreamExt;
use serde_json::Value;
use zcomm::http::Response;

use crate::output::{self, BAD, GOOD, Outcome};

/// Says on stderr what was answered, and how long it took.
pub(super) fn note(response: &Response) {
    let (status, attempts) = (response.status(), response.attempts());
    let style = if response.ok() { GOOD } else { BAD };
    let again = match attempts {
        0 | 1 => String::new(),
        _ => format!(", {attempts} attempts"),
    };
    let took = response.elapsed().as_millis();
    output::note(&format!("{style}{status}{style:#} in {took} ms{again}"));
}

/// Prints the body.
pub(super) async fn show(response: Response) -> anyhow::Result<Outcome> {
    let outcome = Outcome::yes_if(response.status().as_u16() < 400);
    if io::stdout().is_terminal() {
        let body = response.bytes().await?;
        match Shown::of(&body) {
            Shown::Json(json) => output::json(&json),
            Shown::Text(text) => output::line(text.trim_end_matches('\n')),
            Shown::Nothing => {}
            Shown::Binary => output::note(&format!(
                "{} bytes that are no text; `--download FILE` or a pipe takes them",
                body.len()
            )),
        }
    } else {
        pass_on(response).await?;
    }
    Ok(outcome)
}

/// Prints every piece as it comes: a pipe may take more than memory would.
async fn pass_on(response: Response) -> anyhow::Result<()> {
    let mut pieces = response.stream();
    let mut out = io::stdout();
    while let Some(piece) = pieces.next().await {
        if out.write_all(&piece?).and_then(|()| out.flush()).is_err() {
            // The reader has gone, as in `zcomm … | head -1`, and with it whoever wanted the rest.
            break;
        }
    }
    Ok(())
}

/// What a terminal is shown of a body.
#[derive(Debug, PartialEq)]
enum Shown<'a> {
    Nothing,
    Json(Value),
    Text(&'a str),
    /// Bytes that could upset the terminal.
    Binary,
}

impl<'a> Shown<'a> {
    fn of(body: &'a [u8]) -> Self {
        if body.is_empty() {
            return Self::Nothing;
        }
        if let Ok(json) = serde_json::from_slice(body) {
            return Self::Json(json);
        }
        match std::str::from_utf8(body) {
            Ok(text) if !text.contains(is_control) => Self::Text(text),
            _ => Self::Binary,
        }
    }
}

/// Whether a character does something to a terminal other than to be read.
fn is_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_terminal_is_shown_what_can_be_read_and_nothing_else() {
        for (body, shown) in [
            (b"" as &[u8], Shown::Nothing),
            (b"{\"a\": 1}", Shown::Json(json!({"a": 1}))),
            (b"a\n\tb", Shown::Text("a\n\tb")),
            (b"\x1b[2J", Shown::Binary),
            (b"\x89PNG\r\n\x1a\n", Shown::Binary),
        ] {
            assert_eq!(Shown::of(body), shown);
        }
    }
}
