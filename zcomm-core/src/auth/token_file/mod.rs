//! The policy of a server whose tokens come and go while it runs: a file of digests, and what keeps it.

mod disk;
mod error;
mod instant;
mod record;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::{AuthPolicy, Credentials, Refusal, TokenList};
use crate::action::Action;
use crate::caller::Peer;
use crate::identity::Identity;
use crate::secret::Secret;

use self::disk::Stamp;
use self::record::Wrong;

pub use error::TokenFileError;
pub use record::{NewToken, TokenRecord};

/// What every token starts with, so that people and scanners for leaked secrets know it.
pub const TOKEN_PREFIX: &str = "zct_";

/// How long a state of the file is believed without looking again.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long looking may take: a disk that hangs must not hang a handshake.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);

/// Lets in whoever presents a token whose digest stands in a file; judges like [`TokenList`].
///
/// The file is JSON, made by [`add`](Self::add) and [`revoke`](Self::revoke), which the program offers as
/// `zcomm token new` and `zcomm token revoke`. It holds digests, never tokens, and is refused unless it belongs to
/// the user who runs the program and has the mode 0600 or less. All but `digest` may be left out:
///
/// ```json
/// {
///   "version": 1,
///   "tokens": [
///     {
///       "digest": "d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24",
///       "user": "ada",
///       "app": "shop",
///       "created": "2026-12-01T08:00:00Z",
///       "expires": "2027-12-01T08:00:00Z",
///       "note": "laptop",
///       "roles": ["admin"]
///     }
///   ]
/// }
/// ```
///
/// A change, by whatever program, counts within a second or so, for whoever is identified from then on; who was
/// let in before stays until the connection or the token's own expiry ends. A changed file that is broken or no
/// longer private is warned about once, and the tokens from before stay; a file that is gone revokes all of them.
/// [`identify`](AuthPolicy::identify) needs a tokio runtime with time.
///
/// The other methods wait for the disk, and changes for other programs that make one, at most five seconds: in
/// asynchronous code call them where blocking is allowed. Clones are the same policy.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
/// # runtime.block_on(async {
/// use zcomm_core::{AuthPolicy, Credentials, NewToken, Peer, TokenFile};
///
/// let folder = tempfile::tempdir().unwrap();
/// let policy = TokenFile::create(folder.path().join("tokens.json")).unwrap();
/// let (token, record) = policy.add(NewToken::new().user("ada").roles(["admin"])).unwrap();
///
/// let given = Credentials::token(token);
/// let who = policy.identify(&given, &Peer::in_process()).await.unwrap();
/// assert_eq!((who.name(), who.has_role("admin")), (Some("ada"), true));
///
/// policy.revoke(&record.id()).unwrap();
/// assert!(policy.identify(&given, &Peer::in_process()).await.is_err());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct TokenFile {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    list: RwLock<Arc<TokenList>>,
    /// What the file was like when it was last looked at. Held while looking, so that nobody else looks.
    seen: Mutex<Seen>,
    /// When it has to be looked at again.
    due: Mutex<Option<Instant>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    There(Stamp),
    Missing,
    /// Its folder would not say.
    Hidden,
}

impl TokenFile {
    /// Reads the tokens of a file that is there.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`]: a server that cannot read its tokens should not start.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TokenFileError> {
        let path = path.into();
        // Before the text, so that a change in between is seen at the next look.
        let stamp = disk::stamp(&path)?;
        let list = records_of(&path)?.iter().map(TokenRecord::entry).collect();
        let shared = Shared {
            path,
            list: RwLock::new(Arc::new(list)),
            seen: Mutex::new(stamp.map_or(Seen::Missing, Seen::There)),
            due: Mutex::new(None),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Reads the tokens of a file, which is made if it is not there yet.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`], also for a file that is there and is not as it has to be.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, TokenFileError> {
        let path = path.into();
        {
            let _lock = disk::lock(&path)?;
            if disk::stamp(&path)?.is_none() {
                disk::write(&path, &record::to_text(&[]))?;
            }
        }
        Self::open(path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Makes a token and writes its digest down. The token itself is here once, and nowhere else.
    ///
    /// It is 256 random bits in base64url behind the prefix [`zct_`](TOKEN_PREFIX).
    ///
    /// # Errors
    ///
    /// [`TokenFileError`]; the file is then as it was.
    pub fn add(&self, wanted: NewToken) -> Result<(Secret, TokenRecord), TokenFileError> {
        let token = new_token()?;
        let record = wanted.record(token.digest(), SystemTime::now());
        let id = record.id();
        let mut records = self.change(|records| {
            records.push(record);
            Ok(())
        })?;
        let written = records.pop().filter(|record| record.id() == id);
        Ok((token, written.expect("the record was pushed last")))
    }

    /// All tokens that stand in the file now, expired ones included, in the order of their making.
    ///
    /// # Errors
    ///
    /// [`TokenFileError`].
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenFileError> {
        records_of(self.path())
    }

    /// Takes the token of this id out of the file, and says what it was.
    ///
    /// # Errors
    ///
    /// [`TokenFileError::UnknownId`], or what kept the file from being changed; it is then as it was.
    pub fn revoke(&self, id: &str) -> Result<TokenRecord, TokenFileError> {
        let mut revoked = None;
        self.change(|records| {
            let found = records.iter().position(|record| record.id() == id);
            let index = found.ok_or_else(|| TokenFileError::UnknownId {
                path: self.path().to_owned(),
                id: id.to_owned(),
            })?;
            revoked = Some(records.remove(index));
            Ok(())
        })?;
        Ok(revoked.expect("a change that succeeds has removed one"))
    }

    /// Changes the file while no other program does, and returns what now stands in it.
    fn change(
        &self,
        edit: impl FnOnce(&mut Vec<TokenRecord>) -> Result<(), TokenFileError>,
    ) -> Result<Vec<TokenRecord>, TokenFileError> {
        // A link stays a link: the file it leads to is the one that is locked and replaced.
        let path = fs::canonicalize(self.path()).unwrap_or_else(|_| self.path().to_owned());
        let _lock = disk::lock(&path)?;
        let mut records = records_of(&path)?;
        edit(&mut records)?;
        let text = record::to_text(&records);
        // What could not be read again must not be written: a blank name, an end in the year 10000.
        let records = parsed(&path, &text)?;
        disk::write(&path, &text)?;
        *locked(&self.shared.due) = None;
        Ok(records)
    }

    /// Whether it is time to look at the file; whoever is told so is the one to do it.
    fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut due = locked(&self.shared.due);
        if due.is_some_and(|due| now < due) {
            return false;
        }
        *due = Some(now + CHECK_INTERVAL);
        true
    }
}

#[async_trait]
impl AuthPolicy for TokenFile {
    async fn identify(&self, given: &Credentials, _peer: &Peer) -> Result<Identity, Refusal> {
        if self.is_due() {
            let shared = Arc::clone(&self.shared);
            let look = spawn_blocking(move || shared.refresh());
            let looked = timeout(CHECK_DEADLINE, look).await;
            looked.map_err(unavailable)?.map_err(unavailable)?;
        }
        let list = Arc::clone(
            &self
                .shared
                .list
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        );
        list.judge(given, SystemTime::now())
    }

    fn permits(&self, _who: &Identity, _what: &Action<'_>) -> bool {
        true
    }
}

fn unavailable(source: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    Refusal::Unavailable {
        source: source.into(),
    }
}

impl Shared {
    /// Looks whether the file is another one than before, and takes over what now stands in it.
    fn refresh(&self) {
        // Somebody who looks already will see what there is to see.
        let Ok(mut seen) = self.seen.try_lock() else {
            return;
        };
        let (now, trouble) = match disk::stamp(&self.path) {
            Ok(Some(stamp)) => (Seen::There(stamp), None),
            Ok(None) => (Seen::Missing, None),
            Err(error) => (Seen::Hidden, Some(error)),
        };
        if now == *seen {
            return;
        }
        *seen = now;
        match (now, trouble) {
            (Seen::Missing, _) => {
                tracing::warn!(path = %self.path.display(), "the token file is gone; no token is valid");
                self.replace(TokenList::new());
            }
            (Seen::There(_), _) => match records_of(&self.path) {
                Ok(records) => self.replace(records.iter().map(TokenRecord::entry).collect()),
                Err(error) => warn_of(&error),
            },
            (Seen::Hidden, error) => error.iter().for_each(warn_of),
        }
    }

    fn replace(&self, list: TokenList) {
        tracing::debug!(path = %self.path.display(), tokens = list.len(), "tokens reloaded");
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(list);
    }
}

/// Called only when what is seen of the file has changed, so that each trouble is told once.
fn warn_of(error: &TokenFileError) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(error = %error, cause, "the token file cannot be used; the tokens from before stay valid");
}

/// A panic leaves none of these values half written.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn records_of(path: &Path) -> Result<Vec<TokenRecord>, TokenFileError> {
    parsed(path, &disk::read(path)?)
}

fn parsed(path: &Path, text: &str) -> Result<Vec<TokenRecord>, TokenFileError> {
    let path = path.to_owned();
    record::from_text(text).map_err(|wrong| match wrong {
        Wrong::Syntax(source) => TokenFileError::Syntax {
            path,
            line: source.line(),
            column: source.column(),
            source,
        },
        Wrong::Field { field, expected } => TokenFileError::Field {
            path,
            field,
            expected,
        },
    })
}

fn new_token() -> Result<Secret, TokenFileError> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits).map_err(|source| TokenFileError::Random { source })?;
    // Room for all of it from the start: a text that grows leaves copies of itself in memory.
    let mut text = String::with_capacity(64);
    text.push_str(TOKEN_PREFIX);
    URL_SAFE_NO_PAD.encode_string(bits, &mut text);
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests;
