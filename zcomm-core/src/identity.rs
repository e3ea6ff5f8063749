//! Who a caller is, and the scope within which answers may be shared. Decides nothing about rights.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::secret::SecretDigest;

/// The application name of callers that name none.
pub const DEFAULT_APP: &str = "default";

/// Which of the guides' tiers vouched for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AuthContext {
    /// Nobody did.
    Guest,
    /// The system's own sessions (zSession).
    ZSession,
    /// An application's users.
    Application,
    /// Both at once.
    Dual,
}

impl AuthContext {
    /// The name that replies and cache keys carry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::ZSession => "zSession",
            Self::Application => "application",
            Self::Dual => "dual",
        }
    }
}

impl fmt::Display for AuthContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who a caller is, as an [`AuthPolicy`](crate::AuthPolicy) found out. Clones share their texts.
///
/// ```
/// use zcomm_core::Identity;
///
/// let ada = Identity::user("ada").with_roles(["member", "admin", "member"]);
/// assert_eq!(ada.roles(), ["admin".into(), "member".into()]);
/// assert_eq!(Identity::guest().roles(), ["guest".into()]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user: Option<Arc<str>>,
    app: Arc<str>,
    roles: Arc<[Arc<str>]>,
    context: AuthContext,
    expires: Option<SystemTime>,
}

impl Identity {
    /// Somebody of whom nothing is known. The role `guest` is theirs alone.
    pub fn guest() -> Self {
        Self {
            user: None,
            app: DEFAULT_APP.into(),
            roles: Arc::new(["guest".into()]),
            context: AuthContext::Guest,
            expires: None,
        }
    }

    /// A known user, without roles, of the default application.
    pub fn user(name: impl Into<Arc<str>>) -> Self {
        Self {
            user: Some(name.into()),
            app: DEFAULT_APP.into(),
            roles: Arc::new([]),
            context: AuthContext::Application,
            expires: None,
        }
    }

    /// The same caller, seen by another application.
    #[must_use]
    pub fn with_app(mut self, app: impl Into<Arc<str>>) -> Self {
        self.app = app.into();
        self
    }

    /// The same user with exactly these roles; `guest` is dropped, as users never have it. Guests keep theirs.
    #[must_use]
    pub fn with_roles<R: Into<Arc<str>>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        if self.user.is_none() {
            return self;
        }
        let mut roles: Vec<Arc<str>> = roles
            .into_iter()
            .map(Into::into)
            .filter(|role| &**role != "guest")
            .collect();
        roles.sort_unstable();
        roles.dedup();
        self.roles = roles.into();
        self
    }

    /// The same user, vouched for by another tier. Guests stay guests.
    #[must_use]
    pub fn with_context(mut self, context: AuthContext) -> Self {
        if self.user.is_some() && context != AuthContext::Guest {
            self.context = context;
        }
        self
    }

    /// The same caller, until then.
    #[must_use]
    pub fn expiring(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// The user's name; guests have none.
    pub fn name(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The application the caller came through.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The same, shared.
    pub(crate) fn shared_app(&self) -> Arc<str> {
        Arc::clone(&self.app)
    }

    /// The roles, sorted, each once.
    pub fn roles(&self) -> &[Arc<str>] {
        &self.roles
    }

    /// Whether the caller has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| &**own == role)
    }

    /// Which tier vouched for the caller.
    pub fn context(&self) -> AuthContext {
        self.context
    }

    /// Until when the identity holds, if it ends.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Whether the identity no longer holds at `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Within which answers to this caller may be shared.
    pub fn scope(&self) -> Scope {
        let app = Arc::clone(&self.app);
        match &self.user {
            None => Scope::Guest { app },
            Some(user) => Scope::User {
                user: Arc::clone(user),
                app,
                roles: Arc::clone(&self.roles),
                auth_context: self.context,
            },
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "`{user}`"),
            None => f.write_str("a guest"),
        }
    }
}

/// Who may be shown one and the same answer. No scope, no caching.
///
/// Two callers share a scope only if everything that could change an answer is the same for both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One user in one application, with one set of roles, vouched for in one way.
    User {
        /// The user's name.
        user: Arc<str>,
        /// The application.
        app: Arc<str>,
        /// The roles, sorted, each once.
        roles: Arc<[Arc<str>]>,
        /// The tier that vouched.
        auth_context: AuthContext,
    },
    /// All guests of one application.
    Guest {
        /// The application.
        app: Arc<str>,
    },
    /// Outbound requests that carry the same credentials.
    Credential(SecretDigest),
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn scopes_differ_where_any_part_differs() {
        let ada = Identity::user("ada").with_roles(["member"]);

        let others = [
            Identity::user("eve").with_roles(["member"]),
            ada.clone().with_app("other"),
            ada.clone().with_roles(["admin"]),
            ada.clone().with_context(AuthContext::Dual),
            Identity::guest(),
        ];

        for other in others {
            assert_ne!(ada.scope(), other.scope(), "{other:?}");
        }
        assert_eq!(
            ada.scope(),
            ada.clone().with_roles(["member", "member"]).scope()
        );
    }

    #[test]
    fn guests_gain_neither_roles_nor_a_context() {
        let guest = Identity::guest()
            .with_roles(["admin"])
            .with_context(AuthContext::Dual);

        assert_eq!(guest, Identity::guest());
        assert!(
            !Identity::user("ada")
                .with_roles(["guest"])
                .has_role("guest")
        );
    }

    #[test]
    fn an_identity_ends_at_its_expiry() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        let ada = Identity::user("ada").expiring(end);

        assert!(!ada.is_expired(end - Duration::from_secs(1)));
        assert!(ada.is_expired(end));
    }
}
