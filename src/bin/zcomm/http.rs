//! `zcomm http`: one request, its answer on stdout, what happened on stderr.

use std::io::IsTerminal;
use std::time::Duration;

use serde_json::Value;
use zcomm::http::{RequestBuilder, Response, Retry};

use crate::output::{self, BAD, GOOD, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
The body goes to stdout, indented if it is JSON and stdout is a terminal; the status goes to stderr.
Ends with status 1 if the answer is 400 or above, with 4 if there is no answer.")]
pub(crate) struct Args {
    /// GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS
    #[arg(value_parser = method)]
    method: http::Method,
    /// The address, with http:// or https://
    url: String,
    /// Adds a parameter to the address; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parameter)]
    query: Vec<(String, String)>,
    /// Adds a header; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME:VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// Sends this JSON
    #[arg(long, value_name = "JSON", value_parser = json)]
    json: Option<Value>,
    /// Sends this token as `Authorization: Bearer`
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// How long it may take in all, body included: 1s, 500ms
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    timeout: Option<Duration>,
    /// How often it is tried again after a fault that may pass
    #[arg(long, value_name = "TIMES")]
    retry: Option<u32>,
}

pub(crate) fn run(args: &crate::args::Args, http: &Args) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    crate::wait(async {
        let response = http.request(comm.http()).send().await?;
        show(response).await
    })
}

impl Args {
    fn request(&self, client: &zcomm::http::HttpClient) -> RequestBuilder {
        let pairs = |pairs: &[(String, String)]| pairs.to_vec();
        let mut request = client
            .request(self.method.clone(), &self.url)
            .query(pairs(&self.query))
            .headers(pairs(&self.headers));
        if let Some(json) = &self.json {
            request = request.json(json);
        }
        if let Some(token) = &self.bearer {
            request = request.bearer(token.as_str());
        }
        if let Some(limit) = self.timeout {
            request = request.timeout(limit);
        }
        match self.retry {
            Some(times) => request.retry(Retry::default().attempts(times.saturating_add(1))),
            None => request,
        }
    }
}

async fn show(response: Response) -> anyhow::Result<Outcome> {
    let (status, took, attempts) = (response.status(), response.elapsed(), response.attempts());
    let style = if response.ok() { GOOD } else { BAD };
    let again = if attempts > 1 {
        format!(", {attempts} attempts")
    } else {
        String::new()
    };
    output::note(&format!(
        "{style}{status}{style:#} in {} ms{again}",
        took.as_millis()
    ));
    let body = response.bytes().await?;
    match serde_json::from_slice::<Value>(&body) {
        Ok(json) if std::io::stdout().is_terminal() => output::json(&json),
        _ => output::raw(&body),
    }
    Ok(Outcome::yes_if(status.as_u16() < 400))
}

fn method(text: &str) -> Result<http::Method, String> {
    let method = text.to_ascii_uppercase();
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    if !known.contains(&method.as_str()) {
        return Err(format!("one of {}", known.join(", ")));
    }
    method.parse().map_err(|_| "not a method".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME:VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}
