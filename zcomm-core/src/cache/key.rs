//! Keys that are equal only if every field of theirs is.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::data::Query;
use crate::identity::Scope;

/// The key of a kept answer. It can only be made from a [`Scope`].
///
/// Its fields are tagged and stand behind their lengths, so no two different lists of fields give the same bytes:
/// joining `a|b` with `c` is not joining `a` with `b|c`.
#[derive(Clone)]
pub struct CacheKey {
    bytes: Vec<u8>,
    scope: Scope,
}

// The scope is among the bytes: comparing those compares every field.
impl PartialEq for CacheKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for CacheKey {}

impl Hash for CacheKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.bytes);
    }
}

impl CacheKey {
    /// Begins a key for callers of this scope.
    ///
    /// ```
    /// use zcomm_core::{CacheKey, Identity};
    ///
    /// let of = |user: &'static str, path: &str| {
    ///     CacheKey::builder(&Identity::user(user).scope()).field("path", path).finish()
    /// };
    /// assert_eq!(of("ada", "/a"), of("ada", "/a"));
    /// assert_ne!(of("ada", "/a"), of("eve", "/a"));
    /// ```
    pub fn builder(scope: &Scope) -> KeyBuilder {
        let mut builder = KeyBuilder {
            bytes: Vec::with_capacity(384),
            scope: scope.clone(),
        };
        put_scope(&mut builder.bytes, scope);
        builder
    }

    /// The same key with one more field: for what its maker could not know.
    #[must_use]
    pub fn with(mut self, tag: &str, value: impl AsRef<[u8]>) -> Self {
        put(&mut self.bytes, tag, value.as_ref());
        self
    }

    /// For whom the answer is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// All fields in their canonical form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for CacheKey {
    // A key may hold values of a query, which are nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({} bytes)", self.bytes.len())
    }
}

/// Puts the fields of a [`CacheKey`] together.
pub struct KeyBuilder {
    bytes: Vec<u8>,
    scope: Scope,
}

impl KeyBuilder {
    /// Adds a field.
    #[must_use]
    pub fn field(mut self, tag: &str, value: impl AsRef<[u8]>) -> Self {
        self.put(tag, value.as_ref());
        self
    }

    /// Adds a read in its canonical form.
    #[must_use]
    pub fn query(mut self, query: &Query) -> Self {
        self.put("query", &[]);
        let start = self.bytes.len();
        query.canonical_into(&mut self.bytes);
        // The length of the field was not known before it was written.
        let length = (self.bytes.len() - start) as u64;
        self.bytes[start - 8..start].copy_from_slice(&length.to_be_bytes());
        self
    }

    /// The key of all fields so far.
    pub fn finish(self) -> CacheKey {
        CacheKey {
            bytes: self.bytes,
            scope: self.scope,
        }
    }

    fn put(&mut self, tag: &str, value: &[u8]) {
        put(&mut self.bytes, tag, value);
    }
}

fn put_scope(bytes: &mut Vec<u8>, scope: &Scope) {
    // Taken apart without `..`: a field that is added to a scope does not compile until it is in the key.
    match scope {
        Scope::User {
            user,
            app,
            roles,
            auth_context,
        } => {
            put(bytes, "scope", b"user");
            put(bytes, "user", user.as_bytes());
            put(bytes, "app", app.as_bytes());
            put(bytes, "roles", &(roles.len() as u64).to_be_bytes());
            for role in &**roles {
                put(bytes, "role", role.as_bytes());
            }
            put(bytes, "context", auth_context.as_str().as_bytes());
        }
        Scope::Guest { app } => {
            put(bytes, "scope", b"guest");
            put(bytes, "app", app.as_bytes());
        }
        Scope::Credential(digest) => {
            put(bytes, "scope", b"credential");
            put(bytes, "digest", digest.as_bytes());
        }
    }
}

/// A field: its tag and its value, each behind its length.
fn put(bytes: &mut Vec<u8>, tag: &str, value: &[u8]) {
    for part in [tag.as_bytes(), value] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
}

impl fmt::Debug for KeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBuilder({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::identity::{AuthContext, Identity};

    #[test]
    fn scopes_that_read_alike_when_joined_have_keys_of_their_own() {
        let scopes = [
            Identity::user("a|b").with_app("c").scope(),
            Identity::user("a").with_app("b|c").scope(),
            Identity::user("a").with_app("b").with_roles(["c"]).scope(),
            Identity::user("a")
                .with_app("b")
                .with_roles(["c", "d"])
                .scope(),
            Identity::user("a").with_app("b").with_roles(["cd"]).scope(),
            Identity::user("a")
                .with_app("b")
                .with_context(AuthContext::Dual)
                .scope(),
            Identity::guest().with_app("a").scope(),
        ];

        let keys: HashSet<CacheKey> = scopes
            .iter()
            .map(|scope| CacheKey::builder(scope).finish())
            .collect();

        assert_eq!(keys.len(), scopes.len());
    }

    proptest! {
        #[test]
        fn keys_are_equal_only_if_all_fields_are(
            one in prop::collection::vec(("[ab|]{0,3}", "[ab|]{0,3}"), 0..4),
            two in prop::collection::vec(("[ab|]{0,3}", "[ab|]{0,3}"), 0..4),
        ) {
            let key = |fields: &[(String, String)]| {
                let start = CacheKey::builder(&Identity::guest().scope());
                fields.iter().fold(start, |key, (tag, value)| key.field(tag, value)).finish()
            };

            prop_assert_eq!(key(&one) == key(&two), one == two);
        }
    }
}
