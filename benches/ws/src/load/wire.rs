//! One socket to a server, plain or encrypted, past its handshake. Knows no frames.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Where the sockets go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) port: u16,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// A bare socket has no handshake and echoes the frame as it is.
    pub(crate) bare: bool,
}

#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    pub(crate) fn open(target: &Target, path: &str) -> Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", target.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut wire = match &target.tls {
            None => Self::Plain(socket),
            Some(config) => {
                let name = ServerName::try_from("localhost")?;
                let session = ClientConnection::new(Arc::clone(config), name)?;
                Self::Tls(Box::new(StreamOwned::new(session, socket)))
            }
        };
        if !target.bare {
            wire.upgrade(path)?;
        }
        wire.socket().set_nonblocking(true)?;
        Ok(wire)
    }

    pub(crate) fn open_many(target: &Target, path: &str, count: usize) -> Result<Vec<Self>> {
        (0..count).map(|_| Self::open(target, path)).collect()
    }

    fn upgrade(&mut self, path: &str) -> Result<()> {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.write_all(head.as_bytes())?;
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            self.read_exact(&mut byte)?;
            answer.push(byte[0]);
        }
        ensure!(
            answer.starts_with(b"HTTP/1.1 101"),
            "no upgrade: {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(())
    }

    /// Whether something it took is not with the system yet.
    pub(crate) fn is_behind(&mut self) -> io::Result<bool> {
        let Self::Tls(stream) = self else {
            return Ok(false);
        };
        match stream.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(stream.conn.wants_write()),
        }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref(),
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
