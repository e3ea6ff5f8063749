//! `auth`: who somebody is, said by a message on a live connection.

use async_trait::async_trait;
use http::Response;
use zcomm_core::{Body, Error};

use crate::bifrost::app::App;
use crate::bifrost::fault::Fault;
use crate::bifrost::reply;
use crate::bifrost::router::{Event, EventCx};
use crate::hub::Encoded;
use crate::server::CloseReason;

/// Sets or renews the identity of the connection. Where the token is not accepted, the one so far stays.
pub(super) struct Auth;

#[async_trait]
impl Event for Auth {
    async fn answer(&self, cx: EventCx<'_>) -> Result<Response<Body>, Error> {
        let connection = cx.socket()?;
        let token = cx.text("token")?;
        let missing = "the server";
        let door = cx.app.door().ok_or(Fault::LayerMissing { missing })?;
        let is_first = connection.awaits_auth();
        let identity = match door.renew(token, cx.caller).await {
            Ok(identity) => identity,
            Err(refusal) => {
                if is_first {
                    connection.close(CloseReason::policy(refusal.to_string()));
                }
                return Err(refusal.into());
            }
        };
        let info = App::auth_info(&identity);
        cx.app.renew(connection, identity);
        if is_first {
            if let Err(reason) = cx.app.greet(connection) {
                connection.close(reason);
                return reply::result(&info);
            }
            let hello = cx.app.connection_info(cx.caller);
            connection.push(&Encoded::from(hello.to_string()));
        }
        reply::result(&info)
    }
}
