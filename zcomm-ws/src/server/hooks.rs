//! Closures for the beginning and the end of a connection, put around a handler that has none.

use std::fmt;

use super::{CloseReason, Connection, Cx, Handler};
use crate::frame::MessageRef;

/// A handler with a closure that is asked first whether a connection is taken: see [`Handler::on_connect`].
pub struct OnConnect<H, F> {
    inner: H,
    f: F,
}

impl<H, F> OnConnect<H, F> {
    pub(super) fn new(inner: H, f: F) -> Self {
        Self { inner, f }
    }
}

impl<H, F> Handler for OnConnect<H, F>
where
    H: Handler,
    F: Fn(&mut Cx<'_>) -> Result<(), CloseReason> + Send + Sync + 'static,
{
    type Session = H::Session;

    fn connect(&self, cx: &mut Cx<'_>) -> Result<H::Session, CloseReason> {
        (self.f)(cx)?;
        self.inner.connect(cx)
    }

    fn message(&self, session: &mut H::Session, cx: &mut Cx<'_>, message: MessageRef<'_>) {
        self.inner.message(session, cx, message);
    }

    fn disconnect(&self, session: H::Session, connection: &Connection, ended: &CloseReason) {
        self.inner.disconnect(session, connection, ended);
    }
}

/// A handler with a closure that learns of every end: see [`Handler::on_disconnect`].
pub struct OnDisconnect<H, F> {
    inner: H,
    f: F,
}

impl<H, F> OnDisconnect<H, F> {
    pub(super) fn new(inner: H, f: F) -> Self {
        Self { inner, f }
    }
}

impl<H, F> Handler for OnDisconnect<H, F>
where
    H: Handler,
    F: Fn(&Connection, &CloseReason) + Send + Sync + 'static,
{
    type Session = H::Session;

    fn connect(&self, cx: &mut Cx<'_>) -> Result<H::Session, CloseReason> {
        self.inner.connect(cx)
    }

    fn message(&self, session: &mut H::Session, cx: &mut Cx<'_>, message: MessageRef<'_>) {
        self.inner.message(session, cx, message);
    }

    fn disconnect(&self, session: H::Session, connection: &Connection, ended: &CloseReason) {
        self.inner.disconnect(session, connection, ended);
        (self.f)(connection, ended);
    }
}

impl<H: fmt::Debug, F> fmt::Debug for OnConnect<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnConnect").field(&self.inner).finish()
    }
}

impl<H: fmt::Debug, F> fmt::Debug for OnDisconnect<H, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnDisconnect").field(&self.inner).finish()
    }
}
