//! What a token file says of each token, and the JSON it says it in. Reads and writes no files.

use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::instant;
use crate::auth::token_list::{TokenEntry, short};
use crate::secret::SecretDigest;

const FIELDS: &[&str] = &[
    "digest", "user", "app", "roles", "created", "expires", "note",
];

/// Whom a token that is to be made will stand for.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use zcomm_core::NewToken;
///
/// let month = Duration::from_secs(30 * 24 * 3600);
/// let wanted = NewToken::new().user("ada").roles(["admin"]).expires(SystemTime::now() + month).note("laptop");
/// assert_eq!(wanted.user.as_deref(), Some("ada"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewToken {
    /// The user's name; without one it is `token:` and the token's id.
    pub user: Option<String>,
    /// The application the token is bound to; without one it is good for all.
    pub app: Option<String>,
    /// The user's roles.
    pub roles: Vec<String>,
    /// When the token ends; without one it does not.
    pub expires: Option<SystemTime>,
    /// What the token is for, in words for people.
    pub note: Option<String>,
}

impl NewToken {
    /// A token without a name, without roles, for every application, for ever.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a user of this name.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// The same for one application.
    #[must_use]
    pub fn app(mut self, name: impl Into<String>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// The same with these roles besides those it has.
    #[must_use]
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// The same until then; a fraction of a second is cut off.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    /// The same with words for people.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    pub(super) fn record(self, digest: SecretDigest, created: SystemTime) -> TokenRecord {
        let Self {
            user,
            app,
            roles,
            expires,
            note,
        } = self;
        TokenRecord {
            digest,
            user,
            app,
            roles,
            created,
            expires,
            note,
        }
    }
}

/// What a token file says of one token: everything but the token.
///
/// Serialized, it is what a table of tokens shows: the id, and no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRecord {
    /// The token's fingerprint.
    pub digest: SecretDigest,
    /// The user's name, if one was given.
    pub user: Option<String>,
    /// The application the token is bound to, if it is.
    pub app: Option<String>,
    /// The user's roles.
    pub roles: Vec<String>,
    /// When the token was made.
    pub created: SystemTime,
    /// When it ends, if it does.
    pub expires: Option<SystemTime>,
    /// What it is for.
    pub note: Option<String>,
}

impl TokenRecord {
    /// The name by which the token is shown and revoked: the first eight digits of its digest.
    pub fn id(&self) -> String {
        short(&self.digest)
    }

    /// Whether the token is no longer valid at `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    pub(super) fn entry(&self) -> TokenEntry {
        let mut entry = TokenEntry::of_digest(self.digest).roles(self.roles.iter().cloned());
        if let Some(user) = &self.user {
            entry = entry.user(user.as_str());
        }
        if let Some(app) = &self.app {
            entry = entry.app(app.as_str());
        }
        match self.expires {
            Some(end) => entry.expires(end),
            None => entry,
        }
    }

    /// The record as a JSON object whose first field names the token.
    fn to_object(&self, (name, value): (&str, String)) -> Value {
        let mut object = Map::new();
        object.insert(name.to_owned(), value.into());
        let texts = [
            ("user", self.user.clone()),
            ("app", self.app.clone()),
            ("created", instant::format(self.created)),
            ("expires", self.expires.map(written)),
            ("note", self.note.clone()),
        ];
        for (name, text) in texts {
            object.extend(text.map(|text| (name.to_owned(), text.into())));
        }
        if !self.roles.is_empty() {
            object.insert("roles".to_owned(), json!(self.roles));
        }
        object.into()
    }
}

impl Serialize for TokenRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object(("id", self.id())).serialize(serializer)
    }
}

/// An end that the form has no room for is written as a text that is refused, never left out: that would be for ever.
fn written(end: SystemTime) -> String {
    instant::format(end).unwrap_or_default()
}

/// What is wrong with a text that should be a token file.
#[derive(Debug)]
pub(super) enum Wrong {
    Syntax(serde_json::Error),
    Field {
        field: String,
        expected: &'static str,
    },
}

fn wrong(field: impl Into<String>, expected: &'static str) -> Wrong {
    let field = field.into();
    Wrong::Field { field, expected }
}

/// Writes a token file's text.
pub(super) fn to_text(records: &[TokenRecord]) -> String {
    let tokens: Vec<Value> = records
        .iter()
        .map(|record| record.to_object(("digest", record.digest.to_hex())))
        .collect();
    let mut text = format!("{:#}", json!({ "version": 1, "tokens": tokens }));
    text.push('\n');
    text
}

/// Reads a token file's text. A field that is not known is refused: a misspelt `expires` would mean for ever.
pub(super) fn from_text(text: &str) -> Result<Vec<TokenRecord>, Wrong> {
    // Values are walked by hand, as serde's messages repeat the value that is wrong, and that may be a token.
    let value: Value = serde_json::from_str(text).map_err(Wrong::Syntax)?;
    let file = object(&value, "", "an object with `version` and `tokens`")?;
    if let Some(field) = file
        .keys()
        .find(|key| !["version", "tokens"].contains(&key.as_str()))
    {
        return Err(wrong(
            field,
            "absent: only `version` and `tokens` are known",
        ));
    }
    if file.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(wrong("version", "1"));
    }
    let tokens = file.get("tokens").and_then(Value::as_array);
    let tokens = tokens.ok_or_else(|| wrong("tokens", "a list"))?;
    let mut records = Vec::with_capacity(tokens.len());
    let mut ids = std::collections::HashSet::with_capacity(tokens.len());
    for (index, token) in tokens.iter().enumerate() {
        let record = Fields::of(token, format!("tokens[{index}]"))?.record()?;
        if !ids.insert(record.id()) {
            let field = format!("tokens[{index}].digest");
            return Err(wrong(
                field,
                "a digest whose first eight digits no other one has",
            ));
        }
        records.push(record);
    }
    Ok(records)
}

fn object<'a>(
    value: &'a Value,
    field: &str,
    expected: &'static str,
) -> Result<&'a Map<String, Value>, Wrong> {
    let field = if field.is_empty() { "the file" } else { field };
    value.as_object().ok_or_else(|| wrong(field, expected))
}

/// One token's object, and where it stands.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    at: String,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value, at: String) -> Result<Self, Wrong> {
        let object = object(value, &at, "an object")?;
        if let Some(name) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(wrong(
                format!("{at}.{name}"),
                "absent: only `digest`, `user`, `app`, `roles`, `created`, `expires` and `note` are known",
            ));
        }
        Ok(Self { object, at })
    }

    fn record(&self) -> Result<TokenRecord, Wrong> {
        let digest = self.object.get("digest").and_then(Value::as_str);
        let digest = digest.and_then(SecretDigest::from_hex);
        Ok(TokenRecord {
            digest: digest.ok_or_else(|| self.wrong("digest", "64 hexadecimal digits"))?,
            user: self.text("user")?,
            app: self.text("app")?,
            roles: self.roles()?,
            created: self.instant("created")?.unwrap_or(SystemTime::UNIX_EPOCH),
            expires: self.instant("expires")?,
            note: self.text("note")?,
        })
    }

    fn text(&self, name: &str) -> Result<Option<String>, Wrong> {
        let Some(value) = self.object.get(name) else {
            return Ok(None);
        };
        let text = value.as_str().filter(|text| !text.trim().is_empty());
        match text {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(self.wrong(name, "a text that is not blank")),
        }
    }

    fn roles(&self) -> Result<Vec<String>, Wrong> {
        let Some(value) = self.object.get("roles") else {
            return Ok(Vec::new());
        };
        let role = |value: &Value| {
            let role = value.as_str().filter(|role| !role.trim().is_empty());
            role.map(str::to_owned)
        };
        let roles = value.as_array().map(|list| list.iter().map(role).collect());
        roles
            .flatten()
            .ok_or_else(|| self.wrong("roles", "a list of texts that are not blank"))
    }

    fn instant(&self, name: &str) -> Result<Option<SystemTime>, Wrong> {
        let Some(value) = self.object.get(name) else {
            return Ok(None);
        };
        match value.as_str().and_then(instant::parse) {
            Some(at) => Ok(Some(at)),
            None => Err(self.wrong(name, "an instant like `2027-01-31T23:59:59Z`")),
        }
    }

    fn wrong(&self, name: &str, expected: &'static str) -> Wrong {
        wrong(format!("{}.{name}", self.at), expected)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::secret::Secret;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let Err(Wrong::Field {
            field,
            expected: found,
        }) = from_text(text)
        else {
            panic!("{text} is not refused by a field");
        };

        assert_eq!(format!("{field}: {found}"), expected);
    }

    fn token(fields: &str) -> String {
        let digest = Secret::new("x").digest().to_hex();
        format!(r#"{{"version": 1, "tokens": [{{"digest": "{digest}"{fields}}}]}}"#)
    }

    #[test]
    fn records_survive_their_text() {
        let end = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);
        let full = NewToken::new()
            .user("ada \"the\" first")
            .app("shop")
            .roles(["b", "a"])
            .expires(end)
            .note("laptop");
        let records = [
            full.record(Secret::new("one").digest(), SystemTime::UNIX_EPOCH),
            NewToken::new().record(Secret::new("two").digest(), end),
        ];

        assert_eq!(from_text(&to_text(&records)).unwrap(), records);
        assert_eq!(from_text(&to_text(&[])).unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_never_repeated() {
        check("[]", "the file: an object with `version` and `tokens`");
        check(r#"{"tokens": []}"#, "version: 1");
        check(r#"{"version": 2, "tokens": []}"#, "version: 1");
        check(r#"{"version": 1}"#, "tokens: a list");
        check(
            r#"{"version": 1, "tokens": ["zct_x"]}"#,
            "tokens[0]: an object",
        );
        check(
            r#"{"version": 1, "tokens": [{"digest": "zct_secret"}]}"#,
            "tokens[0].digest: 64 hexadecimal digits",
        );
        check(
            &token(r#", "user": "  ""#),
            "tokens[0].user: a text that is not blank",
        );
        check(
            &token(r#", "app": null"#),
            "tokens[0].app: a text that is not blank",
        );
        check(
            &token(r#", "roles": "admin""#),
            "tokens[0].roles: a list of texts that are not blank",
        );
        check(
            &token(r#", "roles": ["a", 1]"#),
            "tokens[0].roles: a list of texts that are not blank",
        );
        check(
            &token(r#", "expires": 1999999999"#),
            "tokens[0].expires: an instant like `2027-01-31T23:59:59Z`",
        );
        check(
            &token(r#", "expire": "2027-01-31T23:59:59Z""#),
            "tokens[0].expire: absent: only `digest`, `user`, `app`, `roles`, `created`, `expires` and `note` are known",
        );
    }

    #[test]
    fn one_token_twice_is_refused() {
        let record = NewToken::new().record(Secret::new("x").digest(), SystemTime::UNIX_EPOCH);

        check(
            &to_text(&[record.clone(), record]),
            "tokens[1].digest: a digest whose first eight digits no other one has",
        );
    }

    #[test]
    fn an_end_without_a_form_is_not_for_ever() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        let record = NewToken::new()
            .expires(far)
            .record(Secret::new("x").digest(), SystemTime::UNIX_EPOCH);

        check(
            &to_text(&[record]),
            "tokens[0].expires: an instant like `2027-01-31T23:59:59Z`",
        );
    }

    #[test]
    fn a_table_shows_the_id_and_no_digest() {
        let digest = Secret::new("x").digest();
        let record = NewToken::new()
            .user("ada")
            .record(digest, SystemTime::UNIX_EPOCH);

        let shown = serde_json::to_value(&record).unwrap();

        assert_eq!(
            shown,
            json!({"id": digest.to_hex()[..8], "user": "ada", "created": "1970-01-01T00:00:00Z"})
        );
    }
}
