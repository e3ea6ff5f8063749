//! A stream whose first bytes were looked at already, and are read again. Judges none of them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Gives back what was read of a stream before the stream itself.
#[derive(Debug)]
pub(super) struct Rewind<Io> {
    first: Vec<u8>,
    at: usize,
    io: Io,
}

impl<Io> Rewind<Io> {
    pub(super) fn new(first: Vec<u8>, io: Io) -> Self {
        Self { first, at: 0, io }
    }

    /// The stream, and what nobody has read again.
    pub(super) fn into_parts(mut self) -> (Io, Vec<u8>) {
        (self.io, self.first.split_off(self.at))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Rewind<Io> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.first.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buffer);
        }
        let rest = &this.first[this.at..];
        let count = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        this.at += count;
        if this.at == this.first.len() {
            // Given back: the stream may live for days.
            (this.first, this.at) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Rewind<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_was_read_comes_first_in_pieces_of_any_size() {
        let mut stream = Rewind::new(b"first ".to_vec(), &b"second"[..]);
        let mut two = [0; 2];
        let mut rest = String::new();

        stream.read_exact(&mut two).await.unwrap();
        stream.read_to_string(&mut rest).await.unwrap();

        assert_eq!((&two, rest.as_str()), (b"fi", "rst second"));
    }

    #[tokio::test]
    async fn what_nobody_read_is_not_lost() {
        let mut stream = Rewind::new(b"abc".to_vec(), &b""[..]);
        stream.read_u8().await.unwrap();

        assert_eq!(stream.into_parts().1, b"bc");
    }
}
