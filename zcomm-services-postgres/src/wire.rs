//! Messages of PostgreSQL's protocol, version 3, as bytes. Knows no order in which they come.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Error;

/// The longest message that is read; what a probe asks for takes some hundred bytes.
const LIMIT: usize = 64 * 1024;
/// Version 3.0.
const VERSION: u32 = 3 << 16;
/// The kinds of messages that a server may begin with: an authentication request, an error.
const FIRST: [u8; 2] = *b"RE";

/// A message of the server: its kind and what it holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) body: Vec<u8>,
}

/// The packet that opens a session.
pub(crate) fn startup(user: &str, database: &str) -> Vec<u8> {
    let mut body = VERSION.to_be_bytes().to_vec();
    for text in [
        "user",
        user,
        "database",
        database,
        "application_name",
        "zcomm",
    ] {
        push_text(&mut body, text);
    }
    body.push(0);
    with_length(&body)
}

/// A message of a client.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(with_length(body));
    bytes
}

/// A query in the simple protocol.
pub(crate) fn query(text: &str) -> Vec<u8> {
    let mut body = Vec::new();
    push_text(&mut body, text);
    message(b'Q', &body)
}

/// The choice of a SASL mechanism, with its first words.
pub(crate) fn sasl_initial(mechanism: &str, first: &str) -> Vec<u8> {
    let mut body = Vec::new();
    push_text(&mut body, mechanism);
    body.extend((first.len() as u32).to_be_bytes());
    body.extend(first.as_bytes());
    message(b'p', &body)
}

/// Reads a server's first message. A stranger's words are not taken for a length of gigabytes.
pub(crate) async fn read_first<R: AsyncRead + Unpin>(from: &mut R) -> Result<Message, Error> {
    let mut head = [0; 5];
    let mut filled = 0;
    // A stranger that says less than a head and hangs up is to be quoted, too.
    while filled < head.len() {
        match from.read(&mut head[filled..]).await? {
            0 => return Err(stranger(&head[..filled])),
            some => filled += some,
        }
        if !FIRST.contains(&head[0]) {
            return Err(quoted(from, &head[..filled]).await);
        }
    }
    read_rest(from, head).await
}

/// Reads a message.
pub(crate) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> Result<Message, Error> {
    let mut head = [0; 5];
    from.read_exact(&mut head).await?;
    read_rest(from, head).await
}

async fn read_rest<R: AsyncRead + Unpin>(from: &mut R, head: [u8; 5]) -> Result<Message, Error> {
    let [kind, length @ ..] = head;
    // The length counts itself.
    let length = (u32::from_be_bytes(length) as usize).checked_sub(4);
    let Some(length) = length.filter(|length| *length <= LIMIT) else {
        return Err(quoted(from, &head).await);
    };
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(Message { kind, body })
}

/// The error for somebody who begins like this; what comes with it is quoted, and not waited for.
async fn quoted<R: AsyncRead + Unpin>(from: &mut R, said: &[u8]) -> Error {
    let mut more = [0; 64];
    let read = from.read(&mut more).await.unwrap_or_default();
    stranger(&[said, &more[..read]].concat())
}

fn stranger(said: &[u8]) -> Error {
    let text = String::from_utf8_lossy(said);
    let printable = text.chars().filter(|c| !c.is_control()).take(40);
    Error::NotPostgres {
        said: printable.collect(),
    }
}

/// The error that a message of kind `E` holds: fields, each a letter and a text.
pub(crate) fn refusal(body: &[u8]) -> Error {
    let field = |letter: u8| {
        let mut fields = body.split(|byte| *byte == 0);
        let found = fields.find(|field| field.first() == Some(&letter))?;
        Some(String::from_utf8_lossy(&found[1..]).into_owned())
    };
    Error::Refused {
        state: field(b'C').unwrap_or_default(),
        message: field(b'M').unwrap_or_default(),
    }
}

/// The texts of a message that holds nothing else.
pub(crate) fn texts(body: &[u8]) -> Vec<String> {
    let parts = body.split(|byte| *byte == 0);
    parts
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect()
}

/// The columns of a row, as text.
pub(crate) fn row(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (count, mut rest) = body.split_at_checked(2)?;
    let count = u16::from_be_bytes(count.try_into().ok()?);
    let mut columns = Vec::new();
    for _ in 0..count {
        let (length, after) = rest.split_at_checked(4)?;
        let length = i32::from_be_bytes(length.try_into().ok()?);
        // A length of -1 stands for null.
        let Ok(length) = usize::try_from(length) else {
            columns.push(None);
            rest = after;
            continue;
        };
        let (value, after) = after.split_at_checked(length)?;
        columns.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Some(columns)
}

fn push_text(to: &mut Vec<u8>, text: &str) {
    // A zero byte would end the text early, and what follows would be read as something else.
    to.extend(text.bytes().filter(|byte| *byte != 0));
    to.push(0);
}

fn with_length(body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&length.to_be_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_smuggle_in_another_parameter() {
        let packet = startup("me\0database\0other", "db");

        let texts = texts(&packet[8..]);

        assert_eq!(texts[..4], ["user", "medatabaseother", "database", "db"]);
    }

    #[tokio::test]
    async fn a_stranger_is_quoted_and_not_read_on() {
        let greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n".repeat(100);

        let error = read_first(&mut greeting.as_slice()).await.unwrap_err();

        assert_eq!(
            error.to_string(),
            "what listens there is not PostgreSQL: it says `HTTP/1.1 400 Bad RequestHTTP/1.1 400 Bad`"
        );
    }

    #[tokio::test]
    async fn words_that_begin_like_a_message_are_not_taken_for_one() {
        let error = read_first(&mut b"Error: no such thing".as_slice())
            .await
            .unwrap_err();

        assert_eq!(error.code(), "not_postgres");
    }

    #[test]
    fn a_refusal_is_read_from_its_fields() {
        let error = refusal(b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0");

        assert_eq!(
            error.to_string(),
            "it refuses: the database system is starting up (57P03)"
        );
        assert!(error.is_retryable());
    }

    #[test]
    fn a_row_may_hold_nulls_and_may_be_cut_off() {
        let bytes = [&[0, 2][..], &[0, 0, 0, 1], b"x", &[255; 4]].concat();

        assert_eq!(row(&bytes), Some(vec![Some("x".into()), None]));
        assert_eq!(row(&bytes[..8]), None);
    }
}
