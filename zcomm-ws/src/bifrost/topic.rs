//! What a topic is called, and who may hear it and speak on it. Delivers nothing.

use std::sync::Arc;

use zcomm_core::Identity;

/// A topic that clients may join or publish on. One that is not declared nobody may use.
///
/// ```
/// use zcomm_ws::bifrost::{Bifrost, Topic, Who};
///
/// let builder = Bifrost::builder()
///     // Everybody hears it; only the server's own code speaks.
///     .topic(Topic::new("news"))
///     .topic(Topic::new("chat").publish(Who::Everybody))
///     .topic(Topic::new("staff").join(Who::roles(["admin", "editor"])).publish(Who::roles(["admin"])));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub(super) name: String,
    pub(super) join: Who,
    pub(super) publish: Who,
}

impl Topic {
    /// A topic that everybody may join, and on which only the server's own code publishes.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            join: Who::Everybody,
            publish: Who::Nobody,
        }
    }

    /// Who may join it.
    #[must_use]
    pub fn join(mut self, who: Who) -> Self {
        self.join = who;
        self
    }

    /// Who may publish on it.
    #[must_use]
    pub fn publish(mut self, who: Who) -> Self {
        self.publish = who;
        self
    }
}

/// Some of those whom the server lets in. The policy is asked besides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Who {
    /// All of them.
    Everybody,
    /// Those who are known by name.
    Users,
    /// Those who have one of these roles.
    Roles(Vec<Arc<str>>),
    /// None of them.
    Nobody,
}

impl Who {
    /// Those who have one of these roles.
    pub fn roles<R: Into<Arc<str>>>(roles: impl IntoIterator<Item = R>) -> Self {
        Self::Roles(roles.into_iter().map(Into::into).collect())
    }

    /// Whether somebody is one of them.
    pub fn admits(&self, who: &Identity) -> bool {
        match self {
            Self::Everybody => true,
            Self::Users => who.name().is_some(),
            Self::Roles(roles) => roles.iter().any(|role| who.has_role(role)),
            Self::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_admits_those_it_names() {
        let (guest, user) = (Identity::guest(), Identity::user("ada"));
        let admin = user.clone().with_roles(["admin"]);

        let admits = |who: Who| [&guest, &user, &admin].map(|identity| who.admits(identity));

        assert_eq!(admits(Who::Everybody), [true, true, true]);
        assert_eq!(admits(Who::Users), [false, true, true]);
        assert_eq!(
            admits(Who::roles(["admin", "editor"])),
            [false, false, true]
        );
        assert_eq!(admits(Who::Nobody), [false, false, false]);
    }
}
