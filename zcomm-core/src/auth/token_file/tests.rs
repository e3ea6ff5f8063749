//! A token file on a real disk: what is taken, what is refused, and what a change does to a running policy.

use std::thread;

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn create(folder: &tempfile::TempDir) -> TokenFile {
    TokenFile::create(folder.path().join("tokens.json")).unwrap()
}

async fn ask(policy: &TokenFile, token: &Secret) -> Result<Identity, String> {
    let given = Credentials::token(token.clone());
    let verdict = policy.identify(&given, &Peer::in_process()).await;
    verdict.map_err(|refusal| refusal.to_string())
}

/// Lets the time pass after which the file is looked at again.
async fn next_look() {
    tokio::time::advance(CHECK_INTERVAL).await;
}

fn refused<T>() -> Result<T, String> {
    Err("Invalid token".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_token_works_from_its_making_to_its_revocation() {
    let folder = folder();
    let policy = create(&folder);
    let wanted = NewToken::new().user("ada").app("shop").roles(["admin"]);

    let (token, record) = policy.add(wanted).unwrap();
    let who = ask(&policy, &token).await.unwrap();
    let revoked = policy.revoke(&record.id()).unwrap();

    let expected = Identity::user("ada").with_app("shop").with_roles(["admin"]);
    assert_eq!(who, expected);
    assert_eq!(revoked, record);
    assert_eq!(ask(&policy, &token).await, refused());
    assert_eq!(policy.list().unwrap(), []);
}

#[test]
fn a_token_is_256_random_bits_and_stands_nowhere() {
    let folder = folder();
    let policy = create(&folder);

    let (one, record) = policy.add(NewToken::new()).unwrap();
    let (two, _) = policy.add(NewToken::new()).unwrap();

    let bits = one.expose().strip_prefix("zct_").unwrap();
    assert_eq!(URL_SAFE_NO_PAD.decode(bits).unwrap().len(), 32);
    assert_ne!(one.expose(), two.expose());
    let text = fs::read_to_string(policy.path()).unwrap();
    assert!(!text.contains(bits));
    assert!(text.contains(&record.digest.to_hex()));
}

#[test]
fn the_list_says_what_each_token_is_for() {
    let folder = folder();
    let policy = create(&folder);
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000);

    let wanted = NewToken::new().user("ada").expires(end).note("laptop");
    let (_, record) = policy.add(wanted).unwrap();

    assert_eq!(
        (record.expires, record.note.as_deref()),
        (Some(end), Some("laptop"))
    );
    assert!(!record.is_expired(SystemTime::now()) && record.is_expired(end));
    assert_eq!(policy.list().unwrap(), [record]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_invalid() {
    let folder = folder();
    let policy = create(&folder);
    let past = SystemTime::now() - Duration::from_secs(5);

    let (token, _) = policy.add(NewToken::new().expires(past)).unwrap();

    assert_eq!(ask(&policy, &token).await, refused());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = folder();
    let policy = create(&folder);

    let error = policy.add(NewToken::new().user(" ")).unwrap_err();

    assert!(
        error
            .to_string()
            .ends_with("`tokens[0].user` must be a text that is not blank"),
        "{error}"
    );
    assert_eq!(policy.list().unwrap(), []);
}

#[test]
fn an_unknown_id_is_an_error_that_names_it() {
    let folder = folder();
    let policy = create(&folder);

    let error = policy.revoke("0badcafe").unwrap_err();

    assert_eq!(error.code(), "unknown_token_id");
    assert!(
        error.to_string().ends_with("has the id `0badcafe`"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_by_another_program_counts_at_the_next_look() {
    let folder = folder();
    let policy = create(&folder);
    let other = TokenFile::open(policy.path()).unwrap();
    let (token, _) = other.add(NewToken::new().user("ada")).unwrap();

    let first = ask(&policy, &token).await.unwrap();
    let (late, _) = other.add(NewToken::new().user("bob")).unwrap();
    let before = ask(&policy, &late).await;
    next_look().await;
    let after = ask(&policy, &late).await.unwrap();

    assert_eq!(first.name(), Some("ada"));
    assert_eq!(
        before,
        refused(),
        "the file is looked at once a second at most"
    );
    assert_eq!(after.name(), Some("bob"));
}

#[tokio::test(start_paused = true)]
async fn a_broken_change_keeps_the_tokens_from_before() {
    let folder = folder();
    let policy = create(&folder);
    let (token, _) = policy.add(NewToken::new().user("ada")).unwrap();
    let good = fs::read_to_string(policy.path()).unwrap();
    ask(&policy, &token).await.unwrap();

    fs::write(policy.path(), "{ \"version\": 1,").unwrap();
    next_look().await;
    let broken = ask(&policy, &token).await.unwrap();
    // With the quotes: without them the digest itself may well hold the name, as hexadecimal digits.
    fs::write(policy.path(), good.replace("\"ada\"", "\"eve\"")).unwrap();
    next_look().await;
    let mended = ask(&policy, &token).await.unwrap();

    assert_eq!(broken.name(), Some("ada"));
    assert_eq!(mended.name(), Some("eve"));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_revokes_all() {
    let folder = folder();
    let policy = create(&folder);
    let (token, _) = policy.add(NewToken::new()).unwrap();
    let text = fs::read_to_string(policy.path()).unwrap();
    ask(&policy, &token).await.unwrap();

    fs::remove_file(policy.path()).unwrap();
    next_look().await;
    let gone = ask(&policy, &token).await;
    disk::write(policy.path(), &text).unwrap();
    next_look().await;
    let back = ask(&policy, &token).await;

    assert_eq!(gone, refused());
    assert!(back.is_ok(), "{back:?}");
}

#[test]
fn a_wrong_file_is_refused_by_place() {
    let folder = folder();
    let path = folder.path().join("tokens.json");
    let message = |text: &str| {
        disk::write(&path, text).unwrap();
        let error = TokenFile::open(&path).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "PATH")
    };

    assert_eq!(
        message("{\n  \"version\" 1"),
        "`PATH`, line 2, column 13: not valid JSON"
    );
    assert_eq!(message(""), "`PATH`, line 1, column 0: not valid JSON");
    assert_eq!(
        message(r#"{"version": 1, "tokens": [{"digest": "zct_oops"}]}"#),
        "`PATH`: `tokens[0].digest` must be 64 hexadecimal digits"
    );
}

#[test]
fn what_is_no_file_of_tokens_is_refused() {
    let folder = folder();
    let huge = folder.path().join("huge");
    disk::write(&huge, &" ".repeat(5 << 20)).unwrap();

    let missing = TokenFile::open(folder.path().join("missing")).unwrap_err();

    assert!(
        matches!(
            missing,
            TokenFileError::Io {
                doing: "look at",
                ..
            }
        ),
        "{missing:?}"
    );
    assert_eq!(
        TokenFile::open(folder.path()).unwrap_err().code(),
        "token_file_not_a_file"
    );
    assert_eq!(
        TokenFile::open(huge).unwrap_err().code(),
        "token_file_too_large"
    );
}

#[test]
fn a_file_that_is_there_is_not_made_anew() {
    let folder = folder();
    let (_, record) = create(&folder).add(NewToken::new()).unwrap();

    assert_eq!(create(&folder).list().unwrap(), [record]);
}

#[test]
fn changes_made_at_once_are_all_kept() {
    let folder = folder();
    let path = create(&folder).path().to_owned();

    thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                // Each opens the file for itself, as a program of its own would.
                let own = TokenFile::open(path).unwrap();
                own.add(NewToken::new().user(format!("user{number}")))
                    .unwrap();
            });
        }
    });

    let mut users: Vec<_> = TokenFile::open(&path)
        .unwrap()
        .list()
        .unwrap()
        .into_iter()
        .filter_map(|record| record.user)
        .collect();
    users.sort();
    assert_eq!(
        users,
        (0..8)
            .map(|number| format!("user{number}"))
            .collect::<Vec<_>>()
    );
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

#[test]
fn a_lock_that_is_never_given_up_is_not_waited_for_for_ever() {
    let folder = folder();
    let policy = create(&folder);
    let _held = disk::lock(policy.path()).unwrap();

    let error = disk::lock_within(policy.path(), Duration::ZERO).unwrap_err();

    assert_eq!(error.code(), "token_file_locked");
    assert!(error.is_retryable());
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        let folder = folder();
        let path = create(&folder).path().to_owned();

        chmod(&path, 0o644);
        let error = TokenFile::open(&path).unwrap_err();

        let path = path.display();
        assert_eq!(
            error.to_string(),
            format!(
                "`{path}` has mode 0644, and must be for its owner alone; run `chmod 600 {path}`"
            )
        );
    }

    #[test]
    fn a_file_of_somebody_elses_is_refused() {
        let folder = folder();
        let path = create(&folder).path().to_owned();

        // Only root can give a file away, and only root could read one that is another user's alone.
        if let Err(error) = chown(&path, Some(1), None) {
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
            return;
        }
        let error = TokenFile::open(&path).unwrap_err();

        assert!(
            matches!(
                error,
                TokenFileError::NotOurs {
                    owner: 1,
                    runs_as: 0,
                    ..
                }
            ),
            "{error:?}"
        );
    }

    #[test]
    fn every_file_is_written_private() {
        let folder = folder();
        let policy = create(&folder);
        policy.add(NewToken::new()).unwrap();

        assert_eq!(mode(policy.path()), 0o600);
        assert_eq!(mode(&folder.path().join("tokens.json.lock")), 0o600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_opened_to_others_while_in_use_brings_no_new_tokens() {
        let folder = folder();
        let policy = create(&folder);
        let (token, _) = policy.add(NewToken::new().user("ada")).unwrap();
        let text = fs::read_to_string(policy.path()).unwrap();
        ask(&policy, &token).await.unwrap();

        chmod(policy.path(), 0o666);
        fs::write(policy.path(), text.replace("\"ada\"", "\"root\"")).unwrap();
        next_look().await;

        assert_eq!(ask(&policy, &token).await.unwrap().name(), Some("ada"));
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = folder();
        let policy = create(&folder);
        let link = folder.path().join("link.json");
        symlink(policy.path(), &link).unwrap();

        let (_, record) = TokenFile::open(&link)
            .unwrap()
            .add(NewToken::new())
            .unwrap();

        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(policy.list().unwrap(), [record]);
    }
}

mod warnings {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;

    /// Counts the warnings of one thread.
    #[derive(Clone, Default)]
    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }

        fn event(&self, _event: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn new_span(&self, _span: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _span: &Id, _values: &Record<'_>) {}
        fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
        fn enter(&self, _span: &Id) {}
        fn exit(&self, _span: &Id) {}
    }

    #[test]
    fn each_trouble_is_told_once() {
        let folder = folder();
        let policy = create(&folder);
        let warnings = Warnings::default();
        let looks = || {
            tracing::subscriber::with_default(warnings.clone(), || {
                policy.shared.refresh();
                policy.shared.refresh();
            });
            warnings.0.load(Ordering::Relaxed)
        };

        let fine = looks();
        fs::write(policy.path(), "broken").unwrap();
        let broken = looks();
        fs::write(policy.path(), "broken otherwise").unwrap();
        let otherwise = looks();
        fs::remove_file(policy.path()).unwrap();
        let gone = looks();

        assert_eq!([fine, broken, otherwise, gone], [0, 1, 2, 3]);
    }
}
