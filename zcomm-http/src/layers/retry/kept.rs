//! An answer that is kept while another attempt is made: as much of its body as there is, and nothing still under way.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{Instant, timeout_at};
use zcomm_core::{Body, BoxError};

/// The most of a body that is read, so that its connection can be used again.
const MOST: usize = 64 * 1024;
/// How long reading it may take.
const LONGEST: Duration = Duration::from_millis(500);

/// How the body of a kept answer ends that was not read to its own end.
#[derive(Debug, thiserror::Error)]
#[error("the rest was given up for another attempt")]
struct GivenUp;

/// The answer with what could be read of its body; where that is not all, it ends with an error.
///
/// The body itself is dropped in any case: it holds a connection and a place with the host, for which the next attempt
/// may have to wait.
pub(super) async fn kept(answer: Response<Body>, until: Option<Instant>) -> Response<Body> {
    if answer.body().as_bytes().is_some() {
        return answer;
    }
    let longest = Instant::now() + LONGEST;
    let until = until.map_or(longest, |until| until.min(longest));
    let (head, mut body) = answer.into_parts();
    let mut read = BytesMut::new();
    let end = timeout_at(until, read_into(&mut read, &mut body)).await;
    let read = read.freeze();
    Response::from_parts(
        head,
        match end.unwrap_or_else(|_| Err(GivenUp.into())) {
            Ok(()) => read.into(),
            Err(error) => broken_off(read, error),
        },
    )
}

async fn read_into(read: &mut BytesMut, body: &mut Body) -> Result<(), BoxError> {
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().unwrap_or_default();
        let room = MOST - read.len();
        read.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Err(GivenUp.into());
        }
    }
    Ok(())
}

fn broken_off(read: Bytes, error: BoxError) -> Body {
    let frames = [Ok(Frame::data(read)), Err(error)];
    Body::stream(StreamBody::new(stream::iter(frames)))
}
