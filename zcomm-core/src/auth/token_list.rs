//! The policy of a server that knows its tokens: a list held in memory as digests.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;

use super::{AuthPolicy, Credentials, Refusal};
use crate::action::Action;
use crate::caller::Peer;
use crate::identity::{AuthContext, Identity};
use crate::secret::{Secret, SecretDigest};

/// Lets in whoever presents one of the tokens, as the user that the token stands for.
///
/// Several tokens are valid at once, so that a new one can be handed out before the old one is taken away. Only
/// digests are kept, and a presented token is compared with all of them, each in constant time: how long a refusal
/// takes tells nothing about the list. Without a token there is nobody to be: no guest comes in here.
///
/// Everything is permitted to those who are let in; what they may do with which rows is up to the schemas.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use zcomm_core::{AuthPolicy, Credentials, Peer, Refusal, TokenEntry, TokenList};
///
/// let policy = TokenList::new()
///     .token(TokenEntry::new("new-and-long").user("kiosk").roles(["viewer"]))
///     .token(TokenEntry::new("old-and-long").user("kiosk").roles(["viewer"]));
/// let peer = Peer::in_process();
///
/// let who = policy.identify(&Credentials::token("old-and-long"), &peer).await.unwrap();
/// assert_eq!((who.name(), who.has_role("viewer")), (Some("kiosk"), true));
///
/// let refused = policy.identify(&Credentials::token("guess"), &peer).await.unwrap_err();
/// assert!(matches!(refused, Refusal::InvalidToken));
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct TokenList {
    entries: Vec<TokenEntry>,
}

impl TokenList {
    /// A list that lets nobody in yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A list of one token, without a name and without roles.
    pub fn single(token: impl Into<Secret>) -> Self {
        Self::new().token(TokenEntry::new(token))
    }

    /// The same with one more token; a token that is there already now stands for what this entry says.
    #[must_use]
    pub fn token(mut self, entry: TokenEntry) -> Self {
        self.entries.retain(|other| other.digest != entry.digest);
        self.entries.push(entry);
        self
    }

    /// How many tokens there are, expired ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody can be let in.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Who presents these credentials at `now`.
    pub(super) fn judge(&self, given: &Credentials, now: SystemTime) -> Result<Identity, Refusal> {
        let Some(token) = given.token.as_ref().filter(|token| !token.is_empty()) else {
            return Err(Refusal::AuthenticationRequired);
        };
        let entry = self.find(&token.digest()).ok_or(Refusal::InvalidToken)?;
        let who = entry.identity(given.app.as_deref());
        if who.is_expired(now) {
            return Err(Refusal::InvalidToken);
        }
        Ok(who)
    }

    /// Looks at every entry, also behind the one that is found: the time taken must not tell where it stands.
    fn find(&self, digest: &SecretDigest) -> Option<&TokenEntry> {
        self.entries.iter().fold(None, |found, entry| {
            let same = entry.digest == *digest;
            if same { Some(entry) } else { found }
        })
    }
}

impl FromIterator<TokenEntry> for TokenList {
    fn from_iter<I: IntoIterator<Item = TokenEntry>>(entries: I) -> Self {
        entries.into_iter().fold(Self::new(), Self::token)
    }
}

#[async_trait]
impl AuthPolicy for TokenList {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        self.judge(given, SystemTime::now())
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

/// A token's digest, and whom the token stands for.
///
/// ```
/// use zcomm_core::{AuthContext, TokenEntry};
///
/// let entry = TokenEntry::new("a-long-random-text").user("ada").app("shop").context(AuthContext::ZSession);
/// assert!(!format!("{entry:?}").contains("random"));
/// ```
#[derive(Clone, Debug)]
pub struct TokenEntry {
    digest: SecretDigest,
    user: Option<Arc<str>>,
    app: Option<Arc<str>>,
    roles: Vec<Arc<str>>,
    context: AuthContext,
    expires: Option<SystemTime>,
}

impl TokenEntry {
    /// A token for a user without roles, in every application, for ever.
    pub fn new(token: impl Into<Secret>) -> Self {
        Self::of_digest(token.into().digest())
    }

    /// The same where only the token's digest is known.
    pub fn of_digest(digest: SecretDigest) -> Self {
        Self {
            digest,
            user: None,
            app: None,
            roles: Vec::new(),
            context: AuthContext::Application,
            expires: None,
        }
    }

    /// Names the user.
    ///
    /// Without a name the user is `token:` and the first eight hexadecimal digits of the token's digest: the same
    /// after every restart, and another one for each token. Name the user where rows have owners and tokens are
    /// replaced, or where the token is a text that people choose: the digits would help to guess such a text.
    #[must_use]
    pub fn user(mut self, name: impl Into<Arc<str>>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Binds the token to an application, whichever one its bearer claims to come from.
    ///
    /// Without this the bearer is believed: the token is good for every application.
    #[must_use]
    pub fn app(mut self, name: impl Into<Arc<str>>) -> Self {
        self.app = Some(name.into());
        self
    }

    /// Gives the user these roles besides those it has.
    #[must_use]
    pub fn roles<R: Into<Arc<str>>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// Says which tier vouches for the user; an application's, unless this is called.
    #[must_use]
    pub fn context(mut self, context: AuthContext) -> Self {
        self.context = context;
        self
    }

    /// Ends the token then, and with it the identity of those who came in by it.
    #[must_use]
    pub fn expires(mut self, at: SystemTime) -> Self {
        self.expires = Some(at);
        self
    }

    fn identity(&self, claimed_app: Option<&str>) -> Identity {
        let user = self
            .user
            .clone()
            .unwrap_or_else(|| format!("token:{}", short(&self.digest)).into());
        let mut who = Identity::user(user)
            .with_roles(self.roles.iter().cloned())
            .with_context(self.context);
        if let Some(app) = self.app.as_deref().or(claimed_app) {
            who = who.with_app(app);
        }
        match self.expires {
            Some(end) => who.expiring(end),
            None => who,
        }
    }
}

/// The digits by which people and logs tell tokens apart.
pub(super) fn short(digest: &SecretDigest) -> String {
    let mut digits = digest.to_hex();
    digits.truncate(8);
    digits
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::identity::DEFAULT_APP;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    #[track_caller]
    fn identify(list: &TokenList, token: &str) -> Identity {
        list.judge(&Credentials::token(token), now()).unwrap()
    }

    #[track_caller]
    fn refusal(list: &TokenList, given: &Credentials) -> String {
        list.judge(given, now()).unwrap_err().to_string()
    }

    #[test]
    fn each_of_several_tokens_stands_for_its_user() {
        let list = TokenList::new()
            .token(TokenEntry::new("one").user("ada").roles(["admin", "staff"]))
            .token(
                TokenEntry::new("two")
                    .user("bob")
                    .context(AuthContext::ZSession),
            );

        let (ada, bob) = (identify(&list, "one"), identify(&list, "two"));

        assert_eq!(
            (ada.name(), ada.context()),
            (Some("ada"), AuthContext::Application)
        );
        assert_eq!(ada.roles(), ["admin".into(), "staff".into()]);
        assert_eq!(
            (bob.name(), bob.context()),
            (Some("bob"), AuthContext::ZSession)
        );
        assert_eq!(bob.roles(), []);
    }

    #[test]
    fn what_is_not_on_the_list_is_refused() {
        let list = TokenList::single("sesame");

        for wrong in ["sesam", "sesame ", "Sesame", "\0", "sesamesesame"] {
            assert_eq!(
                refusal(&list, &Credentials::token(wrong)),
                "Invalid token",
                "{wrong:?}"
            );
        }
        assert_eq!(
            refusal(&list, &Credentials::none()),
            "Authentication required"
        );
        assert_eq!(
            refusal(&TokenList::new(), &Credentials::token("x")),
            "Invalid token"
        );
    }

    #[test]
    fn an_empty_token_opens_nothing() {
        let given = Credentials {
            token: Some(Secret::new("")),
            ..Credentials::none()
        };

        assert_eq!(
            refusal(&TokenList::single(""), &given),
            "Authentication required"
        );
    }

    #[test]
    fn a_connection_that_is_somebody_inherits_nothing() {
        let held = Arc::new(Identity::user("root").with_roles(["admin"]));
        let list = TokenList::single("sesame");

        let without = Credentials::none().held_by(Arc::clone(&held));
        let with = list
            .judge(&Credentials::token("sesame").held_by(held), now())
            .unwrap();

        assert_eq!(refusal(&list, &without), "Authentication required");
        assert_eq!(with.roles(), []);
        assert_ne!(with.name(), Some("root"));
    }

    #[test]
    fn a_token_ends_at_its_expiry_and_takes_its_identity_along() {
        let second = Duration::from_secs(1);
        let list = TokenList::new()
            .token(TokenEntry::new("past").expires(now()))
            .token(TokenEntry::new("soon").expires(now() + second));

        assert_eq!(refusal(&list, &Credentials::token("past")), "Invalid token");
        assert_eq!(identify(&list, "soon").expires(), Some(now() + second));
    }

    #[test]
    fn a_token_without_a_user_is_named_after_its_digest() {
        let (one, two) = (TokenList::single("one"), TokenList::single("two"));

        let name = identify(&one, "one").name().unwrap().to_owned();

        assert_eq!(
            name,
            format!("token:{}", &Secret::new("one").digest().to_hex()[..8])
        );
        assert_ne!(identify(&two, "two").name(), Some(name.as_str()));
    }

    #[test]
    fn a_bound_token_stays_in_its_application_and_a_free_one_goes_where_it_is_taken() {
        let list = TokenList::single("free").token(TokenEntry::new("bound").app("shop"));
        let app = |token, claimed: Option<&str>| {
            let given = Credentials {
                app: claimed.map(str::to_owned),
                ..Credentials::token(token)
            };
            list.judge(&given, now()).unwrap().app().to_owned()
        };

        assert_eq!(app("bound", Some("bank")), "shop");
        assert_eq!(app("free", Some("bank")), "bank");
        assert_eq!(app("free", None), DEFAULT_APP);
    }

    #[test]
    fn the_later_of_two_entries_for_one_token_counts() {
        let list = TokenList::new()
            .token(TokenEntry::new("one").user("ada").roles(["admin"]))
            .token(TokenEntry::new("one").user("ada"));

        assert_eq!(list.len(), 1);
        assert_eq!(identify(&list, "one").roles(), []);
    }

    #[test]
    fn debug_shows_no_token() {
        assert!(!format!("{:?}", TokenList::single("hunter2")).contains("hunter2"));
    }
}
