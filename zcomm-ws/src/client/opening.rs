//! The opening of one connection: the way there, and the handshake. The greeting comes after it.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zcomm_core::{Phase, Secret};

use super::address::Address;
use super::compression;
use super::dial::{Dial, Stream, Time};
use super::{ClientConfig, ClientError, TokenPlace};
use crate::frame::{DeflateParams, HandshakeError, HandshakeRequest, HandshakeResponse};

/// What every connection of a client is opened with, apart from its token.
pub(super) struct Target {
    pub(super) address: Address,
    pub(super) dial: Box<dyn Dial>,
    pub(super) token_place: TokenPlace,
    pub(super) protocols: Vec<String>,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) config: ClientConfig,
}

/// A connection after its handshake.
pub(super) struct Opened {
    pub(super) stream: Box<dyn Stream>,
    /// What the server sent behind its answer.
    pub(super) early: Vec<u8>,
    /// How messages are compressed, if that was agreed on.
    pub(super) deflate: Option<DeflateParams>,
    /// The time that is left for the greeting.
    pub(super) time: Time,
}

impl Target {
    /// Opens a connection. Dropping the future leaves nothing behind.
    pub(super) async fn open(&self, token: Option<&Secret>) -> Result<Opened, ClientError> {
        let request = self.request(token).map_err(|error| self.unfit(error))?;
        let time = Time::new(&self.address, self.config.open_timeout);
        let mut stream = self.dial.dial(&self.address, &time).await?;
        let answering = answer(&mut *stream, &request);
        let (answer, early) = time.within(Phase::Handshake, answering).await?;
        let response = answer.map_err(|error| self.unfit(error))?;
        response
            .verify(&request)
            .map_err(|error| self.unfit(error))?;
        if !self.protocols.is_empty() && response.protocol().is_none() {
            let host = self.address.place();
            return Err(ClientError::NoSubprotocol { host });
        }
        let deflate = compression::agreed(&self.config, &response);
        let deflate = deflate.map_err(|error| self.unfit(error))?;
        Ok(Opened {
            stream,
            early,
            deflate,
            time,
        })
    }

    /// The request, for a check before anything is opened and for opening.
    pub(super) fn request(
        &self,
        token: Option<&Secret>,
    ) -> Result<HandshakeRequest, HandshakeError> {
        let in_query = token.filter(|_| self.token_place == TokenPlace::Query);
        let in_header = token.filter(|_| self.token_place == TokenPlace::Header);
        let target = self.address.target(in_query);
        let mut request = HandshakeRequest::new(self.address.host.as_str(), target)?;
        if let Some(token) = in_header {
            let bearer = Secret::new(format!("Bearer {}", token.expose()));
            request = request.with_header("authorization", bearer.expose())?;
        }
        for protocol in &self.protocols {
            request = request.with_protocol(protocol)?;
        }
        if let Some(offer) = compression::offer(&self.config) {
            request = request.with_extension(offer)?;
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value.expose())?;
        }
        Ok(request)
    }

    pub(super) fn unfit(&self, source: HandshakeError) -> ClientError {
        ClientError::Handshake {
            host: self.address.place(),
            source,
        }
    }
}

type Answer = Result<HandshakeResponse, HandshakeError>;

/// Sends the request and reads the answer's head; what is behind it belongs to the connection.
async fn answer(
    stream: &mut dyn Stream,
    request: &HandshakeRequest,
) -> io::Result<(Answer, Vec<u8>)> {
    stream.write_all(&request.build()).await?;
    stream.flush().await?;
    let mut head = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // A head has a limit of its own: reading ends with an answer or an error.
        match HandshakeResponse::parse(&head) {
            Ok(None) => {}
            Ok(Some((response, length))) => return Ok((Ok(response), head.split_off(length))),
            Err(error) => return Ok((Err(error), Vec::new())),
        }
    }
}
