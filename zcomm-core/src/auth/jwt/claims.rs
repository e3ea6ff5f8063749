//! From the claims of a verified token to an identity. Believes nothing that is not of the right type.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use crate::identity::Identity;

pub(super) type Claims = Map<String, Value>;

/// Which claims say what.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) user: String,
    pub(super) app: String,
    pub(super) roles: Vec<String>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            user: "sub".to_owned(),
            app: "app".to_owned(),
            roles: vec!["roles".to_owned(), "role".to_owned()],
        }
    }
}

impl Names {
    /// Who the token is about; nothing if a claim that counts is missing or of another type.
    pub(super) fn identity(
        &self,
        claims: &Claims,
        claimed_app: Option<&str>,
        leeway: Duration,
    ) -> Option<Identity> {
        let user = find(claims, &self.user)?.as_str();
        let user = user.filter(|name| !name.trim().is_empty())?;
        let mut who = Identity::user(user).with_roles(self.roles(claims)?);
        let app = match find(claims, &self.app) {
            Some(app) => Some(app.as_str().filter(|app| !app.trim().is_empty())?),
            None => claimed_app,
        };
        if let Some(app) = app {
            who = who.with_app(app);
        }
        match claims.get("exp") {
            Some(Value::Null) | None => Some(who),
            // Without the leeway, a token let in by it would make an identity that has ended already.
            Some(end) => Some(who.expiring(instant(end)?.checked_add(leeway)?)),
        }
    }

    /// The roles in the first claim that is there.
    fn roles(&self, claims: &Claims) -> Option<Vec<String>> {
        let found = self
            .roles
            .iter()
            .find_map(|name| Some((name, find(claims, name)?)));
        let Some((name, value)) = found else {
            return Some(Vec::new());
        };
        match value {
            // RFC 8693 §4.2: scopes are one text with blanks between. Any other text is one role, blanks and all:
            // a `super admin` must not become an `admin`.
            Value::String(text) if ["scope", "scp"].contains(&name.as_str()) => {
                Some(text.split_ascii_whitespace().map(str::to_owned).collect())
            }
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => list
                .iter()
                .map(|role| role.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    }
}

/// A claim by its name, or by a path of names with dots between: `realm_access.roles`. `null` counts as absent.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let whole = claims.get(name);
    let found = whole.or_else(|| {
        let mut names = name.split('.');
        let first = claims.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    });
    found.filter(|value| !value.is_null())
}

/// RFC 7519 §2, NumericDate: seconds, perhaps with a fraction.
fn instant(value: &Value) -> Option<SystemTime> {
    let since = match value.as_u64() {
        Some(seconds) => Duration::from_secs(seconds),
        None => Duration::try_from_secs_f64(value.as_f64()?).ok()?,
    };
    UNIX_EPOCH.checked_add(since)
}
