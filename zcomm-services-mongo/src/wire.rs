//! Messages of MongoDB's protocol (`OP_MSG`), one question and one answer at a time. Knows no meaning of any.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Error;
use crate::bson::{Document, Fields};

/// The longest answer that is read; what a probe asks for takes some kilobytes.
const LIMIT: usize = 256 * 1024;
const HEADER: usize = 16;
const OP_MSG: u32 = 2013;

/// A connection that asks one thing after another.
pub(crate) struct Client<S = TcpStream> {
    stream: S,
    last: u32,
}

impl Client {
    pub(crate) async fn connect(host: &str, port: u16) -> Result<Self, Error> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, last: 0 })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Runs a command, and gives the answer; a refusal is [`Error::Refused`].
    pub(crate) async fn ask(&mut self, command: Document, database: &str) -> Result<Fields, Error> {
        self.last += 1;
        let message = message(self.last, &command.text("$db", database));
        self.stream.write_all(&message).await?;
        let answer = self.read().await?;
        if answer.number("ok") == Some(1) || answer.flag("ok") {
            return Ok(answer);
        }
        let Some(message) = answer.text("errmsg") else {
            return Err(stranger(b"a document of another kind"));
        };
        Err(Error::Refused {
            number: answer.number("code").unwrap_or_default(),
            message: message.to_owned(),
        })
    }

    async fn read(&mut self) -> Result<Fields, Error> {
        let mut header = [0; HEADER];
        let mut filled = 0;
        while filled < HEADER {
            match self.stream.read(&mut header[filled..]).await? {
                0 => return Err(stranger(&header[..filled])),
                some => filled += some,
            }
            // A stranger that says less than a header and waits is told by what it said.
            if filled >= 4 && length(&header).is_none() {
                return Err(stranger(&header[..filled]));
            }
        }
        let number = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let length = length(&header).filter(|_| number(8) == self.last && number(12) == OP_MSG);
        let length = length.ok_or_else(|| stranger(&header))?;
        let mut body = vec![0; length - HEADER];
        self.stream.read_exact(&mut body).await?;
        // Four bytes of flags, and the kind of the only section.
        let document = body.strip_prefix(&[0, 0, 0, 0, 0]);
        let fields = document.and_then(Fields::read);
        fields.ok_or_else(|| stranger(b"no document"))
    }
}

fn length(header: &[u8; HEADER]) -> Option<usize> {
    let [a, b, c, d, ..] = *header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    (HEADER + 5..=LIMIT).contains(&length).then_some(length)
}

fn message(id: u32, command: &Document) -> Vec<u8> {
    let document = command.to_bytes();
    let length = (HEADER + 5 + document.len()) as u32;
    let words = [length, id, 0, OP_MSG, 0].map(u32::to_le_bytes);
    [&words.concat(), &[0][..], &document].concat()
}

fn stranger(said: &[u8]) -> Error {
    let text = String::from_utf8_lossy(said);
    let printable = text.chars().filter(|c| !c.is_control()).take(40);
    Error::NotMongo {
        said: printable.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(bytes: &[u8]) -> Result<Fields, Error> {
        let (mine, mut theirs) = tokio::io::duplex(4096);
        theirs.write_all(bytes).await.unwrap();
        let mut client = Client {
            stream: mine,
            last: 0,
        };
        client
            .ask(Document::new().number("hello", 1), "admin")
            .await
    }

    fn answer(to: u32, document: &Document) -> Vec<u8> {
        let mut bytes = message(9, document);
        bytes[8..12].copy_from_slice(&to.to_le_bytes());
        bytes
    }

    #[tokio::test]
    async fn an_answer_to_the_question_is_read_and_another_is_not() {
        let good = Document::new().number("ok", 1);

        assert!(check(&answer(1, &good)).await.is_ok());
        let error = check(&answer(2, &good)).await.unwrap_err();
        assert_eq!(error.code(), "not_mongo");
    }

    #[tokio::test]
    async fn a_refusal_has_its_number() {
        let refusal = Document::new()
            .number("ok", 0)
            .text("errmsg", "no")
            .number("code", 13);

        let error = check(&answer(1, &refusal)).await.unwrap_err();

        assert_eq!(error.to_string(), "it refuses: no (13)");
        assert!(error.is_login());
    }

    #[tokio::test]
    async fn a_stranger_is_quoted_and_not_waited_for() {
        let error = check(b"SSH-2.0\r\n").await.unwrap_err();

        assert_eq!(
            error.to_string(),
            "what listens there is not MongoDB: it says `SSH-2.0`"
        );
    }
}
