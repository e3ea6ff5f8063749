//! How a stream begins: with a proxy's header, with TLS, or with HTTP. Answers nothing.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use zcomm_core::Peer;

use super::proxies::Proxies;
use super::proxy_header::{self, Found};
use super::rewind::Rewind;

/// Room for what is looked at: the first line of most requests, or a TLS hello's first half.
const FIRST: usize = 512;
/// The first byte of a TLS record that holds a handshake (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// A stream whose first bytes have come.
#[derive(Debug)]
pub(super) struct Arrival<Io> {
    pub(super) io: Rewind<Io>,
    /// Where it comes from, as far as the stream itself says.
    pub(super) peer: Peer,
    /// Whether it begins as TLS does.
    pub(super) is_tls: bool,
}

/// Waits for the first bytes, and takes a proxy's header off them where the peer is a proxy that is trusted.
///
/// # Errors
///
/// What the socket said, or `InvalidData` for a header that cannot be read: whose stream it is, is then not known.
pub(super) async fn read<Io>(
    mut io: Io,
    mut peer: Peer,
    proxies: &Proxies,
) -> io::Result<Arrival<Io>>
where
    Io: AsyncRead + Unpin,
{
    let mut first = Vec::with_capacity(FIRST);
    more(&mut io, &mut first).await?;
    if proxies.trust(&peer) {
        while proxy_header::parse(&first) == Found::Partial {
            more(&mut io, &mut first).await?;
        }
        match proxy_header::parse(&first) {
            Found::Header { length, source } => {
                first.drain(..length);
                peer = source.map_or(peer, Peer::at);
                if first.is_empty() {
                    more(&mut io, &mut first).await?;
                }
            }
            Found::Invalid => {
                let text = "a PROXY header that cannot be read";
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            Found::Partial | Found::None => {}
        }
    }
    Ok(Arrival {
        is_tls: first.first() == Some(&HANDSHAKE_RECORD),
        io: Rewind::new(first, io),
        peer,
    })
}

async fn more<Io: AsyncRead + Unpin>(io: &mut Io, into: &mut Vec<u8>) -> io::Result<()> {
    if io.read_buf(into).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}
