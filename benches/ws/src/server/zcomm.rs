//! zcomm as an application uses it: its public handlers, metrics on, and the limits that the report prints.

use anyhow::Result;
use zcomm_ws::frame::Message;
use zcomm_ws::server::{
    Connection, Cx, Handler, Server, ServerBuilder, ServerConfig, async_handler, sync_handler,
};

use super::{Orders, PUBLISH};

/// What differs from the defaults, as the report prints it.
pub(crate) const PROFILE: &str =
    "`max_message_size` 4 MiB, `max_connections` 20 000, `connection_rate` 100 000/s";

pub(super) async fn serve(orders: Orders) -> Result<()> {
    let mut config = ServerConfig::default();
    config.port = 0;
    config.max_message_size = 4 << 20;
    config.max_connections = 20_000;
    config.connection_rate = 100_000;
    if let Some(folder) = &orders.tls {
        config.ssl_enabled = true;
        config.ssl_cert = Some(folder.join("cert.pem"));
        config.ssl_key = Some(folder.join("key.pem"));
    }
    let builder = Server::builder().config(config);
    match (orders.fan_out, orders.name.as_str()) {
        (true, _) => run(builder.handler(sync_handler(publish))).await,
        (false, "zcomm-async") => {
            let echo = async_handler(async |_: Connection, message: Message| message);
            run(builder.handler(echo)).await
        }
        (false, _) => run(builder.handler(sync_handler(|cx, message| cx.reply(message)))).await,
    }
}

fn publish(cx: &mut Cx<'_>, message: zcomm_ws::frame::MessageRef<'_>) {
    let connection = cx.connection();
    if connection.path() == PUBLISH {
        connection.hub().broadcast(message, Some(connection.id()));
    }
}

async fn run<H: Handler>(builder: ServerBuilder<H>) -> Result<()> {
    let server = builder.bind().await?;
    super::announce(server.local_addr().port());
    server.wait().await;
    Ok(())
}
