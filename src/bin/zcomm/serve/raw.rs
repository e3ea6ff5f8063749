//! `zcomm serve --handler`: a server without a protocol, for trying out sockets. Serves no models.

use std::num::NonZeroU16;

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

    pub(super) async fn bind(
        self,
        comm: &Comm,
        workers: Option<NonZeroU16>,
    ) -> anyhow::Result<ServerHandle> {
        match self {
            Self::Echo => {
                let to_sender = sync_handler(|cx, message| cx.reply(message));
                bind(comm, to_sender, workers).await
            }
            Self::Broadcast => {
                let to_others = sync_handler(|cx, message| {
                    let connection = cx.connection();
                    let message = Encoded::from(message.to_message());
                    connection.hub().broadcast(message, Some(connection.id()));
                });
                bind(comm, to_others, workers).await
            }
        }
    }
}

async fn bind(
    comm: &Comm,
    handler: impl Handler,
    workers: Option<NonZeroU16>,
) -> anyhow::Result<ServerHandle> {
    let server = comm.websocket()?.handler(handler);
    #[cfg(target_os = "linux")]
    if let Some(workers) = workers {
        return Ok(server.bind_workers(workers).await?);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = workers;
    Ok(server.bind().await?)
}
