//! `zcomm serve --handler`: a server without a protocol, for trying out sockets. Serves no models.

use zcomm::Comm;
use zcomm::ws::hub::Encoded;
use zcomm::ws::server::{Handler, ServerHandle, sync_handler};

/// What a raw server does with a message.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Raw {
    /// Sends it back, unchanged
    Echo,
    /// Sends it to all other connections
    Broadcast,
}

impl Raw {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Broadcast => "broadcast",
        }
    }

    pub(super) async fn bind(self, comm: &Comm) -> anyhow::Result<ServerHandle> {
        match self {
            Self::Echo => bind(comm, sync_handler(|cx, message| cx.reply(message))).await,
            Self::Broadcast => {
                let to_others = sync_handler(|cx, message| {
                    let connection = cx.connection();
                    let message = Encoded::from(message.to_message());
                    connection.hub().broadcast(message, Some(connection.id()));
                });
                bind(comm, to_others).await
            }
        }
    }
}

async fn bind(comm: &Comm, handler: impl Handler) -> anyhow::Result<ServerHandle> {
    Ok(comm.websocket()?.handler(handler).bind().await?)
}
