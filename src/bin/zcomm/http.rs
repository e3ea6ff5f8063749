//! `zcomm http`: one request, its answer on stdout or in a file, what happened on stderr.

mod answer;
mod content;
mod download;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use zcomm::http::{HttpClient, RequestBuilder, Retry};

use crate::failure::Failure;
use crate::output::Outcome;
use content::Data;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
The body goes to stdout: JSON indented if that is a terminal, and else the very bytes, however many. The status \
goes to stderr. Ends with status 1 if the answer is 400 or above, with 4 if there is no answer or not all of it.

  zcomm http get https://api.example.com/users -q page=2 --bearer s3cr3t
  zcomm http post https://api.example.com/users --json '{\"name\": \"Ada\"}'
  zcomm http post https://api.example.com/photos --form title=Ada --form photo=@ada.jpg
  zcomm http get https://example.com/big.iso --download big.iso")]
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
    #[arg(long, value_name = "JSON", value_parser = json, group = "body")]
    json: Option<Value>,
    /// Sends this text, or what is in a file, or stdin with @-
    #[arg(short, long, value_name = "TEXT|@FILE", group = "body")]
    data: Option<Data>,
    /// Sends this as a field of a form, or a file in one; may be repeated
    #[arg(long, value_name = "KEY=VALUE|KEY=@FILE", value_parser = parameter, group = "body")]
    form: Vec<(String, String)>,
    /// Sends this token as `Authorization: Bearer`
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// How long it may take in all, body included: 1s, 500ms; without end for a download
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    timeout: Option<Duration>,
    /// How often it is tried again after a fault that may pass
    #[arg(long, value_name = "TIMES")]
    retry: Option<u32>,
    /// Writes the body to this file once it is whole, unless the answer is 400 or above
    #[arg(long, value_name = "FILE")]
    download: Option<PathBuf>,
}

pub(crate) fn run(args: &crate::args::Args, http: &Args) -> anyhow::Result<Outcome> {
    only_http(&http.url)?;
    let comm = args.comm()?;
    crate::wait(async {
        let response = http.request(comm.http())?.send().await?;
        answer::note(&response);
        match &http.download {
            Some(file) if response.status().as_u16() < 400 => {
                download::save(response, file).await?;
                Ok(Outcome::Done)
            }
            _ => answer::show(response).await,
        }
    })
}

/// Whatever else this build has transports for is asked for by other commands.
fn only_http(url: &str) -> anyhow::Result<()> {
    let Some((scheme, _)) = url.split_once("://") else {
        return Ok(());
    };
    let hint = match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => return Ok(()),
        "ws" | "wss" => "`zcomm call` and `zcomm listen` take it",
        _ => "an address begins with http:// or https://",
    };
    Err(Failure::Usage {
        what: format!("`{scheme}://` is not HTTP"),
        hint,
    }
    .into())
}

impl Args {
    fn request(&self, client: &HttpClient) -> anyhow::Result<RequestBuilder> {
        let request = client
            .request(self.method.clone(), &self.url)
            .query(self.query.clone());
        let request = self.with_body(request)?.headers(self.headers.clone());
        let request = match &self.bearer {
            Some(token) => request.bearer(token.as_str()),
            None => request,
        };
        let request = match self.retry {
            Some(times) => request.retry(Retry::default().attempts(times.saturating_add(1))),
            None => request,
        };
        Ok(match self.timeout {
            Some(limit) => request.timeout(limit),
            // A large file takes its time; a server that says nothing any longer is noticed all the same.
            None if self.download.is_some() => request.timeout(Duration::MAX),
            None => request,
        })
    }

    fn with_body(&self, request: RequestBuilder) -> anyhow::Result<RequestBuilder> {
        Ok(match (&self.json, &self.data) {
            (Some(json), _) => request.json(json),
            (None, Some(data)) => request.body(data.read()?),
            (None, None) if !self.form.is_empty() => content::form(request, &self.form)?,
            (None, None) => request,
        })
    }
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
