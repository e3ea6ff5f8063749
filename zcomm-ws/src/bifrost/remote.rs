//! The client at the other end of a socket, as application code speaks to it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::timeout;
use zcomm_core::Error;

use super::app::App;
use super::display::Display;
use super::fault::Fault;
use super::question::Question;
use crate::hub::Encoded;
use crate::server::Connection;

/// The client at the other end of a socket: it can be shown things, and asked.
///
/// It is the [`Connection`] besides. Clones are cheap, and mean the same client.
///
/// ```
/// use zcomm_ws::bifrost::{Bifrost, Call, Display, Question};
///
/// let builder = Bifrost::builder().function("wipe", async |call: Call, (): ()| {
///     let client = call.connection()?;
///     if client.ask(&Question::confirm("Really?")).await? == true {
///         client.display(&Display::text("Gone.")).await?;
///     }
///     Ok(())
/// });
/// # let _ = builder;
/// ```
#[derive(Clone)]
pub struct Remote {
    app: Arc<App>,
    connection: Connection,
}

impl Remote {
    pub(super) fn new(app: Arc<App>, connection: Connection) -> Self {
        Self { app, connection }
    }

    /// Shows something. Waits while too much is waiting for the client.
    ///
    /// # Errors
    ///
    /// `unavailable` where the connection ends before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not sent when it is dropped never will be.
    pub async fn display(&self, display: &Display) -> Result<(), Error> {
        self.tell(&json!({"event": "display", "data": display.data()}))
            .await
    }

    /// Asks a question, and waits for its answer.
    ///
    /// # Errors
    ///
    /// `timeout` where nobody answers in time, `bad_value` for what is no answer to this question, `unavailable` where
    /// the connection ends, `too_many_requests` where the client has too many questions before it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an answer to a question that was given up is ignored.
    pub async fn ask(&self, question: &Question) -> Result<Value, Error> {
        let limit = question.limit();
        let mut waiting = self.app.questions().wait(self.connection.id())?;
        let asked = async {
            self.tell(&question.request(&waiting.id())).await?;
            waiting.answer().await.ok_or(Error::from(Fault::Gone))
        };
        let answer = timeout(limit, asked).await;
        let answer = answer.unwrap_or(Err(Error::Timeout { limit }))?;
        Ok(question.check(answer)?)
    }

    async fn tell(&self, message: &Value) -> Result<(), Error> {
        let message = Encoded::from(message.to_string());
        let sent = self.connection.send(message).await;
        sent.map_err(|_| Fault::Gone.into())
    }
}

impl Deref for Remote {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.connection.fmt(f)
    }
}
