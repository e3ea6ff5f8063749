//! Who is this, and may they: the trait [`AuthPolicy`], what it judges, and how it refuses.

mod credentials;
#[cfg(feature = "jwt")]
mod jwt;
mod layer;
mod layered;
mod open;
mod refusal;
mod token_file;
mod token_list;

use std::sync::Arc;

use async_trait::async_trait;

use crate::action::Action;
use crate::caller::Peer;
use crate::identity::Identity;

pub use credentials::{Credentials, TokenSource};
#[cfg(feature = "jwt")]
pub use jwt::{Jwt, JwtError, JwtKey, PLUGIN_JWT};
pub use layer::{Auth, AuthLayer};
pub use layered::Layered;
pub use open::Open;
pub use refusal::Refusal;
pub use token_file::{NewToken, TOKEN_PREFIX, TokenFile, TokenFileError, TokenRecord};
pub use token_list::{TokenEntry, TokenList};

/// Says who a caller is, and what it may do. The only source of an [`Identity`].
///
/// A server asks [`identify`](Self::identify) at a handshake, at the head of a plain HTTP request, and at the event
/// `auth`; it asks [`permits`](Self::permits) once for every message, remembered answers included.
///
/// Implementors see to it that `identify` takes the same time for a wrong token wherever it is wrong, and that
/// `permits` neither blocks nor waits: it runs between two messages of a connection. Both are called from many tasks
/// at once. A future of `identify` may be dropped at any await point.
///
/// ```
/// use async_trait::async_trait;
/// use zcomm_core::{Action, AuthPolicy, Credentials, Identity, Peer, Refusal};
///
/// /// Everybody in the same process is the operator; nobody else gets in.
/// struct Local;
///
/// #[async_trait]
/// impl AuthPolicy for Local {
///     async fn identify(&self, _given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
///         match peer.address {
///             None => Ok(Identity::user("operator")),
///             Some(_) => Err(Refusal::AuthenticationRequired),
///         }
///     }
///
///     fn permits(&self, who: &Identity, what: &Action<'_>) -> bool {
///         who.name() == Some("operator") && !matches!(what, Action::Open(_))
///     }
/// }
/// ```
#[async_trait]
pub trait AuthPolicy: Send + Sync {
    /// Finds out who presents these credentials.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], whose reason a peer is told, so it names no user and no token.
    async fn identify(&self, given: &Credentials, peer: &Peer) -> Result<Identity, Refusal>;

    /// Whether `who` may do `what`. The rules of a schema on rows and fields are checked besides.
    fn permits(&self, who: &Identity, what: &Action<'_>) -> bool;

    /// Whether a caller without credentials is let in. A server that does so is bound to its own machine, unless its
    /// settings say otherwise, and its models are open to guests where no rules say otherwise.
    ///
    /// A policy that lets guests in has to say so here; the default is that it does not.
    fn admits_guests(&self) -> bool {
        false
    }
}

#[async_trait]
impl<P: AuthPolicy + ?Sized> AuthPolicy for Arc<P> {
    async fn identify(&self, given: &Credentials, peer: &Peer) -> Result<Identity, Refusal> {
        (**self).identify(given, peer).await
    }

    fn permits(&self, who: &Identity, what: &Action<'_>) -> bool {
        (**self).permits(who, what)
    }

    fn admits_guests(&self) -> bool {
        (**self).admits_guests()
    }
}
