//! As much of the Redis protocol (RESP2) as a probe speaks. Knows no meaning of any answer.

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use tokio::net::TcpStream;

use crate::Error;

/// The longest answer that is read; `INFO server` is about a kilobyte.
const LIMIT: usize = 64 * 1024;
/// The longest line that can begin an answer.
const LINE: usize = 1024;
/// As much of a stranger's words as is shown.
const SHOWN: usize = 40;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `+OK`.
    Simple(String),
    /// `$4` and four bytes; nothing for `$-1`.
    Bulk(Option<String>),
    /// `*2` and two bulk texts.
    Array(Vec<String>),
}

/// A connection that asks one thing after another.
pub(crate) struct Client<S = TcpStream> {
    stream: BufReader<S>,
}

impl Client {
    pub(crate) async fn connect(host: &str, port: u16) -> Result<Self, Error> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncWrite + tokio::io::AsyncRead + Unpin> Client<S> {
    fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Asks, and gives the answer; a refusal is [`Error::Refused`].
    pub(crate) async fn ask(&mut self, words: &[&str]) -> Result<Reply, Error> {
        self.stream.get_mut().write_all(&command(words)).await?;
        read(&mut self.stream).await
    }
}

/// A command as an array of bulk texts.
fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
    bytes
}

async fn read<R: AsyncBufRead + Unpin>(from: &mut R) -> Result<Reply, Error> {
    let line = line(from).await?;
    let (kind, rest) = (line.as_bytes().first(), line.get(1..).unwrap_or_default());
    match kind {
        Some(b'+') => Ok(Reply::Simple(rest.to_owned())),
        Some(b'-') => Err(Error::Refused {
            message: rest.to_owned(),
        }),
        Some(b'$') => Ok(Reply::Bulk(bulk(from, &line).await?)),
        Some(b'*') => array(from, &line).await,
        _ => Err(not_redis(&line)),
    }
}

async fn array<R: AsyncBufRead + Unpin>(from: &mut R, header: &str) -> Result<Reply, Error> {
    let count: usize = header[1..].parse().map_err(|_| not_redis(header))?;
    let mut texts = Vec::new();
    let mut left = LIMIT;
    for _ in 0..count {
        let header = line(from).await?;
        let text = bulk(from, &header).await?.unwrap_or_default();
        left = left
            .checked_sub(text.len() + header.len())
            .ok_or(Error::TooLong { limit: LIMIT })?;
        texts.push(text);
    }
    Ok(Reply::Array(texts))
}

async fn bulk<R: AsyncBufRead + Unpin>(
    from: &mut R,
    header: &str,
) -> Result<Option<String>, Error> {
    let length = header.strip_prefix('$').ok_or_else(|| not_redis(header))?;
    if length == "-1" {
        return Ok(None);
    }
    let length: usize = length.parse().map_err(|_| not_redis(header))?;
    if length > LIMIT {
        return Err(Error::TooLong { limit: LIMIT });
    }
    let mut bytes = vec![0; length + 2];
    from.read_exact(&mut bytes).await?;
    if !bytes.ends_with(b"\r\n") {
        return Err(not_redis(&String::from_utf8_lossy(&bytes)));
    }
    bytes.truncate(length);
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

async fn line<R: AsyncBufRead + Unpin>(from: &mut R) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let mut limited = from.take(LINE as u64);
    limited.read_until(b'\n', &mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes);
    let Some(line) = text.strip_suffix("\r\n") else {
        return Err(not_redis(&text));
    };
    Ok(line.to_owned())
}

fn not_redis(said: &str) -> Error {
    let printable = said.chars().filter(|c| !c.is_control()).take(SHOWN);
    Error::NotRedis {
        said: printable.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(bytes: &[u8]) -> Result<Reply, String> {
        let mut from = BufReader::new(bytes);
        read(&mut from).await.map_err(|error| error.to_string())
    }

    #[test]
    fn a_command_is_an_array_of_texts_with_their_lengths() {
        assert_eq!(
            command(&["AUTH", "pä"]),
            "*2\r\n$4\r\nAUTH\r\n$3\r\npä\r\n".as_bytes()
        );
    }

    #[tokio::test]
    async fn answers_of_each_kind_are_read() {
        assert_eq!(check(b"+PONG\r\n").await, Ok(Reply::Simple("PONG".into())));
        assert_eq!(
            check(b"$3\r\na\r\n\r\n").await,
            Ok(Reply::Bulk(Some("a\r\n".into())))
        );
        assert_eq!(check(b"$-1\r\n").await, Ok(Reply::Bulk(None)));
        assert_eq!(
            check(b"*2\r\n$3\r\ndir\r\n$1\r\n/\r\n").await,
            Ok(Reply::Array(vec!["dir".into(), "/".into()]))
        );
        assert_eq!(
            check(b"-NOAUTH who?\r\n").await,
            Err("it refuses: NOAUTH who?".into())
        );
    }

    #[tokio::test]
    async fn a_stranger_is_quoted_in_part() {
        let html = format!("HTTP/1.1 400 Bad Request\r\n{}", "x".repeat(100_000));

        assert_eq!(
            check(html.as_bytes()).await,
            Err("what listens there is not Redis: it says `HTTP/1.1 400 Bad Request`".into())
        );
        assert_eq!(
            check(&[b'+'; 5000]).await,
            Err(format!(
                "what listens there is not Redis: it says `{}`",
                "+".repeat(40)
            ))
        );
    }

    #[tokio::test]
    async fn an_announced_flood_is_not_waited_for() {
        assert_eq!(
            check(b"$999999999999\r\n").await,
            Err("what listens there is not Redis: its answer is longer than 65536 bytes".into())
        );
        let endless = "$60000\r\n".to_owned() + &"x".repeat(60_000) + "\r\n";
        let list = format!("*999999999\r\n{}", endless.repeat(2));
        assert_eq!(
            check(list.as_bytes()).await,
            Err("what listens there is not Redis: its answer is longer than 65536 bytes".into())
        );
    }
}
