//! Reply objects: results, errors, and the id that is spliced into them. Sends nothing.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use zcomm_core::{Body, CachedMark, Code, Error};

/// `{"result":…}` of anything that can be written as JSON.
///
/// # Errors
///
/// [`Code::Internal`] where it cannot.
pub fn result<T: Serialize + ?Sized>(value: &T) -> Result<Response<Body>, Error> {
    let json = serde_json::to_vec(value).map_err(|error| Error::other(Code::Internal, error))?;
    Ok(result_of_json(&json, &[]))
}

/// `{"result":…,"name":…}` of JSON that is there already: it is not parsed again.
pub fn result_of_json(json: &[u8], members: &[(&str, &str)]) -> Response<Body> {
    let mut body = Vec::with_capacity(json.len() + 32);
    body.extend_from_slice(b"{\"result\":");
    body.extend_from_slice(json);
    for (name, value) in members {
        body.extend_from_slice(format!(",\"{name}\":{value}").as_bytes());
    }
    body.push(b'}');
    json_response(StatusCode::OK, body.into())
}

/// `{"result":…,"_cached":false,…}` of rows that were read just now, with the mark that lets a cache keep it.
pub fn read_of_json(json: &[u8], members: &[(&str, &str)]) -> Response<Body> {
    const BEFORE: usize = br#"{"result":,"_cached":"#.len();
    let members: Vec<_> = std::iter::once(("_cached", "false"))
        .chain(members.iter().copied())
        .collect();
    let mut response = result_of_json(json, &members);
    let at = BEFORE + json.len();
    response.extensions_mut().insert(CachedMark { at });
    response
}

/// An object that is a whole reply by itself.
pub fn object(value: &Value) -> Response<Body> {
    json_response(StatusCode::OK, value.to_string().into())
}

/// `{"error":…,"code":…}` with the status that belongs to the code.
///
/// The cause of an internal error, and which part of the system does not answer, stay in the log; the sender gets a
/// number to ask about.
pub fn error(error: &Error) -> Response<Body> {
    let code = error.code();
    let hidden = match code {
        Code::Internal => Some("an internal error occurred"),
        Code::Unavailable => Some("something that is needed does not answer now"),
        _ => None,
    };
    let (text, details) = match hidden {
        Some(text) => (text.to_owned(), Some(log(error))),
        None => (error.to_string(), error.details().cloned()),
    };
    let mut body = Map::new();
    body.insert("error".into(), text.into());
    body.insert("code".into(), code.as_str().into());
    if let Some(details) = details {
        body.insert("details".into(), details);
    }
    json_response(code.status(), Value::Object(body).to_string().into())
}

/// Logs what a sender is not told, and gives the number under which it is found.
fn log(error: &Error) -> Value {
    let trace = trace_id();
    tracing::error!(trace_id = %trace, error = %Chain(error), "a request failed");
    json!({ "trace_id": trace })
}

fn json_response(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// Eight random bytes in hexadecimal: enough to find one line in a log.
fn trace_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness the log line is still there, only harder to find.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An error and its causes on one line.
struct Chain<'a>(&'a Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: &Response<Body>) -> &str {
        std::str::from_utf8(response.body().as_bytes().unwrap()).unwrap()
    }

    #[test]
    fn json_travels_as_bytes() {
        let response = result_of_json(br#"[{"id": 1}]"#, &[("_cached", "false")]);

        assert_eq!(text(&response), r#"{"result":[{"id": 1}],"_cached":false}"#);
    }

    #[test]
    fn the_mark_of_a_read_is_where_it_says_that_it_is_fresh() {
        let response = read_of_json(br#"["_cached"]"#, &[("_more", "true")]);

        let mark = response.extensions().get::<CachedMark>().unwrap();
        let kept = mark.kept(response.body().as_bytes().unwrap()).unwrap();

        let expected = r#"{"result":["_cached"],"_cached":true,"_more":true}"#;
        assert_eq!(kept, expected);
        assert_eq!(text(&response), expected.replacen("true", "false", 1));
    }

    #[test]
    fn an_internal_error_keeps_its_cause() {
        let response = error(&Error::other(Code::Internal, "the disk is on fire"));

        assert_eq!(response.status(), 500);
        assert!(
            text(&response).contains("trace_id") && !text(&response).contains("fire"),
            "{}",
            text(&response)
        );
    }
}
