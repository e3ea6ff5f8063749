//! One row of the table of settings, built in a `const`. Holds no value that anybody set.

/// A setting: where it is written, what it takes, what it is when nobody sets it.
///
/// Rows are made in constants, so a plugin's table costs nothing at start-up:
///
/// ```
/// use zcomm_core::settings::Key;
///
/// pub const KEYS: &[Key] = &[
///     Key::port("redis.port").env("REDIS_PORT").default("6379").doc("Port of the server."),
///     Key::text("redis.password").env("REDIS_PASSWORD").secret().doc("Password of the server."),
/// ];
/// assert_eq!(KEYS[0].section(), Some("redis"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The dotted path under which YAML, zSpark and `--set` know it: `websocket.port`.
    pub path: &'static str,
    /// The variable that sets it in the environment and in `.zEnv`.
    pub env: Option<&'static str>,
    /// What it takes.
    pub kind: Kind,
    /// Whether its value is never shown, and may be given as a file to read (`*_FILE`).
    pub secret: bool,
    /// What it is when no layer sets it, written as a user would write it.
    pub default: Option<&'static str>,
    /// The least and the most of a number: bytes for a size, milliseconds for a duration.
    pub range: Option<(u64, u64)>,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Any text.
    Text,
    /// `true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`, in any case.
    Flag,
    /// A TCP port; 0 lets the system choose.
    Port,
    /// A whole number.
    Count,
    /// A number of bytes: `512`, `64KiB`, `1MiB`, `10MB`.
    Size,
    /// A time span with its unit: `500ms`, `30s`, `5m`, `1h`.
    Duration,
    /// Several texts, parted by commas or written as a list.
    List,
    /// A file or folder; a relative one belongs to the folder of the file that sets it.
    Path,
    /// An address with its scheme: `redis://localhost:6379`. One that may hold a password is secret.
    Url,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
}

impl Kind {
    /// The name of the kind, as the documentation's table shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Flag => "flag",
            Self::Port => "port",
            Self::Count => "count",
            Self::Size => "size",
            Self::Duration => "duration",
            Self::List => "list",
            Self::Path => "path",
            Self::Url => "url",
            Self::Choice(_) => "choice",
        }
    }
}

impl Key {
    const fn new(path: &'static str, kind: Kind) -> Self {
        Self {
            path,
            env: None,
            kind,
            secret: false,
            default: None,
            range: None,
            doc: "",
        }
    }

    /// A row that takes any text.
    pub const fn text(path: &'static str) -> Self {
        Self::new(path, Kind::Text)
    }

    /// A row that is on or off.
    pub const fn flag(path: &'static str) -> Self {
        Self::new(path, Kind::Flag)
    }

    /// A row that takes a TCP port.
    pub const fn port(path: &'static str) -> Self {
        Self::new(path, Kind::Port)
    }

    /// A row that takes a whole number.
    pub const fn count(path: &'static str) -> Self {
        Self::new(path, Kind::Count)
    }

    /// A row that takes a number of bytes.
    pub const fn size(path: &'static str) -> Self {
        Self::new(path, Kind::Size)
    }

    /// A row that takes a time span.
    pub const fn duration(path: &'static str) -> Self {
        Self::new(path, Kind::Duration)
    }

    /// A row that takes several texts.
    pub const fn list(path: &'static str) -> Self {
        Self::new(path, Kind::List)
    }

    /// A row that takes a file or folder.
    pub const fn path(path: &'static str) -> Self {
        Self::new(path, Kind::Path)
    }

    /// A row that takes an address with its scheme.
    pub const fn url(path: &'static str) -> Self {
        Self::new(path, Kind::Url)
    }

    /// A row that takes one of a few words; readers see the spelling given here.
    pub const fn choice(path: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(path, Kind::Choice(words))
    }

    /// Names the variable that sets it.
    pub const fn env(mut self, name: &'static str) -> Self {
        self.env = Some(name);
        self
    }

    /// Says what it is when nobody sets it; checked like any other value when settings are loaded.
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// Says what it is for.
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    /// Hides its value everywhere, and lets it be given as a file.
    ///
    /// # Panics
    ///
    /// While the constant is built, unless it takes a text or an address: only those can be kept as a
    /// [`Secret`](crate::Secret).
    pub const fn secret(mut self) -> Self {
        assert!(
            matches!(self.kind, Kind::Text | Kind::Url),
            "only a text or an address can be secret"
        );
        self.secret = true;
        self
    }

    /// Bounds a number, both ends included: bytes for a size, milliseconds for a duration.
    ///
    /// # Panics
    ///
    /// While the constant is built, if the least is above the most.
    pub const fn between(mut self, least: u64, most: u64) -> Self {
        assert!(least <= most, "the least is above the most");
        self.range = Some((least, most));
        self
    }

    /// The part before the first dot, if there is one: `websocket`.
    pub fn section(&self) -> Option<&'static str> {
        self.path.split_once('.').map(|(section, _)| section)
    }
}
