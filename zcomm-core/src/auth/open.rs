//! The policy of a server that asks nobody who they are.

use async_trait::async_trait;

use super::{AuthPolicy, Credentials, Refusal};
use crate::action::Action;
use crate::caller::Peer;
use crate::identity::Identity;

/// Lets everybody in as a guest of the application they name. What guests may do is up to the schemas.
///
/// A token that somebody presents all the same is not looked at: it makes nobody a user.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use zcomm_core::{AuthPolicy, Credentials, Identity, Open, Peer};
///
/// let who = Open.identify(&Credentials::token("anything"), &Peer::in_process()).await.unwrap();
/// assert_eq!(who, Identity::guest());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

#[async_trait]
impl AuthPolicy for Open {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        Ok(match &given.app {
            Some(app) => Identity::guest().with_app(app.as_str()),
            None => Identity::guest(),
        })
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }

    fn admits_guests(&self) -> bool {
        true
    }
}
