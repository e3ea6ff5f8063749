//! The head of an HTTP/1.1 message, read strictly: a line ends with CRLF, a header is one line. Knows no WebSocket.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::HandshakeError;

/// The longest head that is read.
const MAX_HEAD: usize = 16 << 10;

/// The most headers that are read.
const MAX_HEADERS: usize = 100;

/// A head: its first line, its headers, and how many bytes it takes.
pub(super) struct Head<'a> {
    pub(super) start: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) length: usize,
}

impl<'a> Head<'a> {
    /// Reads a head; `None` if it isn't all there yet.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Option<Self>, HandshakeError> {
        let within = &bytes[..bytes.len().min(MAX_HEAD)];
        let Some(end) = within.windows(4).position(|four| four == b"\r\n\r\n") else {
            return if bytes.len() < MAX_HEAD {
                Ok(None)
            } else {
                Err(too_large(MAX_HEAD, "bytes"))
            };
        };
        let mut lines = within[..end + 2]
            .split_inclusive(|byte| *byte == b'\n')
            .map(strip_crlf);
        let start = lines.next().unwrap_or(Ok(b""))?;
        let start = str::from_utf8(start)
            .ok()
            .filter(|start| super::is_printable(start));
        let start = start.ok_or_else(|| malformed("its first line"))?;
        let mut headers = HeaderMap::new();
        for line in lines {
            if headers.len() == MAX_HEADERS {
                return Err(too_large(MAX_HEADERS, "headers"));
            }
            let (name, value) = parse_line(line?)?;
            headers.append(name, value);
        }
        Ok(Some(Self {
            start,
            headers,
            length: end + 4,
        }))
    }
}

fn strip_crlf(line: &[u8]) -> Result<&[u8], HandshakeError> {
    line.strip_suffix(b"\r\n")
        .ok_or_else(|| malformed("a line that ends without CR"))
}

fn parse_line(line: &[u8]) -> Result<(HeaderName, HeaderValue), HandshakeError> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.ok_or_else(|| malformed("a line without a colon"))?);
    // A name is a token, so a folded line or a space around it fail here.
    let name = HeaderName::from_bytes(name).map_err(|_| malformed("a header's name"))?;
    // Bytes beyond ASCII may stand in headers that nobody here reads (RFC 9110 §5.5); control characters may not.
    let value =
        HeaderValue::from_bytes(trim(&value[1..])).map_err(|_| malformed("a header's value"))?;
    Ok((name, value))
}

/// Cuts blanks and tabs off both ends, and nothing else: a stray CR has to stay visible.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

pub(super) fn malformed(what: &'static str) -> HandshakeError {
    HandshakeError::Malformed { what }
}

fn too_large(limit: usize, unit: &'static str) -> HandshakeError {
    HandshakeError::HeadTooLarge { limit, unit }
}

/// The value of a header that must be there exactly once.
pub(super) fn only<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<&'a str, HandshakeError> {
    optional(headers, name)?.ok_or_else(|| problem(name, "is missing"))
}

/// The value of a header that may be there once.
pub(super) fn optional<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, HandshakeError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(problem(name, "comes more than once"));
    }
    value
        .to_str()
        .map(Some)
        .map_err(|_| problem(name, "is not ASCII"))
}

/// The elements of a header that is a list, over all lines it is spread on.
pub(super) fn list<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Vec<&'a str>, HandshakeError> {
    let mut elements = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| problem(name, "is not ASCII"))?;
        // What is open at the end of a line would swallow the next one.
        if !is_closed(value) {
            return Err(problem(name, "has a quote that is not closed"));
        }
        elements.extend(
            split_unquoted(value)
                .map(str::trim)
                .filter(|element| !element.is_empty()),
        );
    }
    Ok(elements)
}

/// Checks that a list names a value, in any case.
pub(super) fn names(
    headers: &HeaderMap,
    name: &'static str,
    wanted: &'static str,
) -> Result<(), HandshakeError> {
    let elements = list(headers, name)?;
    if elements.is_empty() {
        Err(problem(name, "is missing"))
    } else if elements
        .iter()
        .any(|element| element.eq_ignore_ascii_case(wanted))
    {
        Ok(())
    } else {
        Err(problem(name, "asks for something else"))
    }
}

pub(super) fn problem(name: &'static str, problem: &'static str) -> HandshakeError {
    HandshakeError::Header { name, problem }
}

/// Splits at commas, but not inside of "quotes", where an extension's parameter may have one.
pub(super) fn split_unquoted(value: &str) -> impl Iterator<Item = &str> {
    let mut quotes = Quotes::default();
    value.split(move |character| {
        quotes.pass(character);
        character == ',' && !quotes.open
    })
}

/// Whether every quote is closed.
pub(super) fn is_closed(value: &str) -> bool {
    let mut quotes = Quotes::default();
    value.chars().for_each(|character| quotes.pass(character));
    !quotes.open
}

/// Where a reader of a list stands: inside of quotes or not.
#[derive(Default)]
struct Quotes {
    open: bool,
    escaped: bool,
}

impl Quotes {
    fn pass(&mut self, character: char) {
        match character {
            _ if self.escaped => self.escaped = false,
            '\\' if self.open => self.escaped = true,
            '"' => self.open = !self.open,
            _ => {}
        }
    }
}
