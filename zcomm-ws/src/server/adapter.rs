//! Closures as handlers: synchronous ones over borrowed messages, async ones over owned messages.

use std::fmt;
use std::future::Future;

use super::{CloseReason, Connection, Cx, Handler, Reply};
use crate::frame::{Message, MessageRef};

/// A [`Handler`] out of a closure that answers at once: the fast way.
///
/// ```
/// use zcomm_ws::server::sync_handler;
///
/// let echo = sync_handler(|cx, message| cx.reply(message));
/// # let _ = echo;
/// ```
pub fn sync_handler<F>(f: F) -> SyncHandler<F>
where
    F: Fn(&mut Cx<'_>, MessageRef<'_>) + Send + Sync + 'static,
{
    SyncHandler(f)
}

/// The handler that [`sync_handler`] makes.
pub struct SyncHandler<F>(F);

impl<F> Handler for SyncHandler<F>
where
    F: Fn(&mut Cx<'_>, MessageRef<'_>) + Send + Sync + 'static,
{
    type Session = ();

    fn connect(&self, _cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn message(&self, (): &mut (), cx: &mut Cx<'_>, message: MessageRef<'_>) {
        (self.0)(cx, message);
    }
}

/// A [`Handler`] out of an async closure: it takes the messages of a connection one after the other.
///
/// What it returns is the reply; `()` is none. While it waits, further messages of that connection wait too, and
/// beyond the limit of what may be in flight the connection is not read from.
///
/// ```
/// use zcomm_ws::frame::Message;
/// use zcomm_ws::server::{Connection, async_handler};
///
/// let echo = async_handler(async |connection: Connection, message: Message| {
///     let _ = connection.send(message).await;
/// });
/// # let _ = echo;
/// ```
pub fn async_handler<F, Fut>(f: F) -> AsyncHandler<F>
where
    F: Fn(Connection, Message) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Into<Reply>> + Send + 'static,
{
    AsyncHandler(f)
}

/// The handler that [`async_handler`] makes.
pub struct AsyncHandler<F>(F);

impl<F, Fut> Handler for AsyncHandler<F>
where
    F: Fn(Connection, Message) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Into<Reply>> + Send + 'static,
{
    type Session = ();

    fn connect(&self, _cx: &mut Cx<'_>) -> Result<(), CloseReason> {
        Ok(())
    }

    fn message(&self, (): &mut (), cx: &mut Cx<'_>, message: MessageRef<'_>) {
        let future = (self.0)(cx.connection().clone(), message.to_message());
        cx.run_in_order(future)
            .expect("a saturated connection is paused, and takes no messages");
        if cx.is_saturated() {
            cx.pause();
        }
    }
}

impl<F> fmt::Debug for SyncHandler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SyncHandler")
    }
}

impl<F> fmt::Debug for AsyncHandler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncHandler")
    }
}
