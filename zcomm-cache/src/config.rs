//! The bounds of a cache and the time that answers are kept. Enforces neither.

use std::time::Duration;

use zcomm_core::Settings;
use zcomm_core::settings::Key;

/// Every setting of the cache.
pub(crate) const KEYS: &[Key] = &[
    Key::flag("cache.enabled")
        .env("ZCOMM_CACHE_ENABLED")
        .default("true")
        .doc("Whether a zBifrost server keeps the answers to reads."),
    Key::duration("cache.ttl")
        .env("ZCOMM_CACHE_TTL")
        .default("60s")
        .between(1, 86_400_000)
        .doc("How long an answer is kept that names no time of its own; a write ends it at once."),
    Key::size("cache.max_bytes")
        .env("ZCOMM_CACHE_MAX_BYTES")
        .default("64MiB")
        .between(1024, 1 << 44)
        .doc("Memory for kept answers of everybody together."),
    Key::count("cache.max_entries")
        .env("ZCOMM_CACHE_MAX_ENTRIES")
        .default("100000")
        .between(1, 1_000_000_000)
        .doc("Kept answers of everybody together; the message that asked for one counts as another."),
    Key::count("cache.share")
        .env("ZCOMM_CACHE_SHARE")
        .default("25")
        .between(1, 100)
        .doc("The share of one user, in percent; all guests together count as one."),
    Key::flag("http.cache")
        .env("HTTP_CLIENT_CACHE")
        .default("false")
        .doc("Whether the HTTP client keeps answers as their servers allow it (RFC 9111), apart for each credential."),
];

/// The bounds of a [`Cache`](crate::Cache), and how long it keeps what names no time.
///
/// ```
/// use std::time::Duration;
/// use zcomm_cache::{Cache, CacheConfig};
///
/// let cache = Cache::new(CacheConfig::default().max_bytes(1 << 20).ttl(Duration::from_secs(5)));
/// assert_eq!(cache.ttl(), Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Memory for everything that is kept. 64 MiB.
    pub max_bytes: u64,
    /// The number of things that are kept. 100 000.
    pub max_entries: u64,
    /// The share of one user in both, in percent. 25.
    pub share: u8,
    /// How long an answer is kept that names no time. 60 seconds.
    pub ttl: Duration,
    /// How long working an answer out may take once nobody waits for it any more. 30 seconds.
    pub load_timeout: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_entries: 100_000,
            share: 25,
            ttl: Duration::from_secs(60),
            load_timeout: Duration::from_secs(30),
        }
    }
}

impl CacheConfig {
    /// Takes what the settings name.
    ///
    /// ```
    /// use zcomm_cache::{CacheConfig, PLUGIN};
    /// use zcomm_core::Settings;
    /// use zcomm_core::settings::KEYS;
    ///
    /// let settings = Settings::defaults(KEYS.iter().chain(PLUGIN.keys));
    /// assert_eq!(CacheConfig::from_settings(&settings), CacheConfig::default());
    /// ```
    pub fn from_settings(settings: &Settings) -> Self {
        let own = Self::default();
        let share = settings.count("cache.share").map(u8::try_from);
        Self {
            max_bytes: settings.size("cache.max_bytes").unwrap_or(own.max_bytes),
            max_entries: settings
                .count("cache.max_entries")
                .unwrap_or(own.max_entries),
            share: share.and_then(Result::ok).unwrap_or(own.share),
            ttl: settings.duration("cache.ttl").unwrap_or(own.ttl),
            load_timeout: settings
                .duration("request_timeout")
                .unwrap_or(own.load_timeout),
        }
    }

    /// Takes this much memory for everything that is kept.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Keeps no more than so many things.
    #[must_use]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = entries;
        self
    }

    /// Gives one user no more than this share, in percent.
    #[must_use]
    pub fn share(mut self, percent: u8) -> Self {
        self.share = percent;
        self
    }

    /// Keeps answers for this long that name no time.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Gives up an answer that nobody waits for any more after this time.
    #[must_use]
    pub fn load_timeout(mut self, limit: Duration) -> Self {
        self.load_timeout = limit;
        self
    }
}
