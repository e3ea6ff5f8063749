//! All plugins that are linked into a program, by name. Makes their parts, keeps none of them.

use std::fmt;
use std::sync::Arc;

use crate::auth::AuthPolicy;
use crate::data::{Store, StoreAddress};
use crate::error::Error;
use crate::plugin::{Plugin, PluginKind};
use crate::service::ServiceDriver;
use crate::settings::{Key, Settings};
use crate::transport::Transport;

/// What zcomm itself can bring, so that a name which is not compiled in can be told how it would be.
///
/// Each row: name, other names, feature of the facade, crate.
const FIRST_PARTY: &[(&str, &[&str], &str, &str)] = &[
    ("cache", &[], "cache", "zcomm-cache"),
    ("http", &["https"], "http", "zcomm-http"),
    ("jwt", &[], "jwt", "zcomm-core"),
    ("mongodb", &["mongo"], "mongo", "zcomm-services-mongo"),
    (
        "postgresql",
        &["postgres", "pg"],
        "postgres",
        "zcomm-services-postgres",
    ),
    ("redis", &[], "redis", "zcomm-services-redis"),
    ("sqlite", &["sqlite3"], "sqlite", "zcomm-services-sqlite"),
    ("websocket", &[], "ws", "zcomm-ws"),
    ("ws", &["wss"], "ws-client", "zcomm-ws"),
];

/// Policies that are no plugins, and how one has them.
const OWN_POLICIES: &[(&str, &str)] = &[
    ("open", NOBODY_IS_ASKED),
    ("none", NOBODY_IS_ASKED),
    ("token", TOKENS_ARE_ASKED_FOR),
    ("tokens", TOKENS_ARE_ASKED_FOR),
    ("token_list", TOKENS_ARE_ASKED_FOR),
    ("token_file", TOKENS_ARE_ASKED_FOR),
    (
        "layered",
        "Its two tiers are put together in code: `Comm::builder().policy(Layered::new(…, …))`",
    ),
];
const NOBODY_IS_ASKED: &str =
    "It is what holds without `policy`, while `websocket.require_auth` is off";
const TOKENS_ARE_ASKED_FOR: &str =
    "It is what holds without `policy`, once `websocket.require_auth` is on";

/// All plugins that are linked into a program.
///
/// ```
/// use zcomm_core::{Plugin, Registry, Settings};
///
/// let registry = Registry::of([Plugin::new("postbox", "acme-postbox")]).unwrap();
/// assert_eq!(registry.names().collect::<Vec<_>>(), ["postbox"]);
///
/// let error = registry.driver("redis", &Settings::defaults([])).err().unwrap();
/// assert_eq!(
///     error.to_string(),
///     "no driver is called `redis`; this program has: none. \
///      Enable the feature `redis` of zcomm, or link the crate with `use zcomm_services_redis as _;`"
/// );
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    plugins: Vec<Plugin>,
}

impl Registry {
    /// The plugins that registered themselves by being linked.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Duplicate`], which names both crates.
    pub fn linked() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<Plugin>.into_iter().copied())
    }

    /// Exactly these plugins.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Duplicate`], which names both crates.
    pub fn of(plugins: impl IntoIterator<Item = Plugin>) -> Result<Self, RegistryError> {
        let mut registry = Self::default();
        plugins
            .into_iter()
            .try_for_each(|plugin| registry.add(plugin))?;
        // Linking promises no order; whatever is printed or tried in turn should not depend on it.
        registry.plugins.sort_by_key(|plugin| plugin.name);
        Ok(registry)
    }

    /// The same and these plugins besides.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Duplicate`], which names both crates.
    pub fn with(self, plugins: impl IntoIterator<Item = Plugin>) -> Result<Self, RegistryError> {
        Self::of(self.plugins.into_iter().chain(plugins))
    }

    /// Every plugin, by name.
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// Every plugin's name, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.plugins.iter().map(|plugin| plugin.name)
    }

    /// What zcomm itself could bring and this program has not, with what would bring it.
    pub fn absent(&self) -> impl Iterator<Item = (&'static str, Fix)> {
        let rows = FIRST_PARTY
            .iter()
            .filter(|(name, ..)| !self.names().any(|own| own == *name));
        rows.map(|&(name, _, feature, package)| (name, Fix::Feature { feature, package }))
    }

    /// All rows that plugins bring to the table of settings.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.plugins.iter().flat_map(|plugin| plugin.keys)
    }

    /// Makes the driver of that name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], which says what there is and what is missing; and what making it meets.
    pub fn driver(&self, name: &str, settings: &Settings) -> Result<Arc<dyn ServiceDriver>, Error> {
        let plugin = self.find(name, PluginKind::Driver)?;
        plugin
            .driver
            .expect("`find` gives only plugins of the kind")(settings)
    }

    /// Makes every driver, by name.
    ///
    /// # Errors
    ///
    /// What making one of them meets.
    pub fn drivers(&self, settings: &Settings) -> Result<Vec<Arc<dyn ServiceDriver>>, Error> {
        self.plugins
            .iter()
            .filter_map(|plugin| plugin.driver)
            .map(|make| make(settings))
            .collect()
    }

    /// Makes the transport of that name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], which says what there is and what is missing; and what making it meets.
    pub fn transport(&self, name: &str, settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
        let plugin = self.find(name, PluginKind::Transport)?;
        plugin
            .transport
            .expect("`find` gives only plugins of the kind")(settings)
    }

    /// Makes every transport, by name.
    ///
    /// # Errors
    ///
    /// What making one of them meets.
    pub fn transports(&self, settings: &Settings) -> Result<Vec<Arc<dyn Transport>>, Error> {
        self.plugins
            .iter()
            .filter_map(|plugin| plugin.transport)
            .map(|make| make(settings))
            .collect()
    }

    /// Makes the policy of that name.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], which says what there is and what is missing; and what making it meets.
    pub fn policy(&self, name: &str, settings: &Settings) -> Result<Arc<dyn AuthPolicy>, Error> {
        let plugin = self.find(name, PluginKind::Policy)?;
        plugin
            .policy
            .expect("`find` gives only plugins of the kind")(settings)
    }

    /// Opens the store at an address; its scheme says whose it is.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], which says what there is and what is missing; and what opening it meets.
    pub fn store(
        &self,
        address: &StoreAddress<'_>,
        settings: &Settings,
    ) -> Result<Arc<dyn Store>, Error> {
        let scheme = address.scheme();
        let serves = |plugin: &&Plugin| {
            let mut schemes = plugin.schemes.iter();
            schemes.any(|own| own.eq_ignore_ascii_case(scheme))
        };
        let plugin = match self.plugins.iter().find(serves) {
            Some(plugin) => plugin,
            None => self.find(scheme, PluginKind::Store)?,
        };
        plugin
            .store
            .expect("a plugin has schemes only with what opens a store")(address, settings)
    }

    fn find(&self, name: &str, kind: PluginKind) -> Result<&Plugin, RegistryError> {
        let of_kind = |plugin: &&Plugin| plugin.kinds().contains(&kind);
        let found = self
            .plugins
            .iter()
            .filter(of_kind)
            .find(|plugin| plugin.answers_to(name));
        found.ok_or_else(|| RegistryError::Unknown {
            kind,
            name: name.to_owned(),
            known: self
                .plugins
                .iter()
                .filter(of_kind)
                .map(|plugin| plugin.name)
                .collect(),
            fix: self.fix(name, kind),
        })
    }

    fn fix(&self, name: &str, kind: PluginKind) -> Fix {
        let own = OWN_POLICIES
            .iter()
            .find(|(own, _)| kind == PluginKind::Policy && own.eq_ignore_ascii_case(name));
        if let Some((_, instead)) = own {
            return Fix::NoPlugin { instead };
        }
        let brings = |plugin: &Plugin| plugin.kinds().into_iter().map(PluginKind::as_str).collect();
        let linked = self.plugins.iter().find(|plugin| plugin.answers_to(name));
        linked.map_or_else(
            || Fix::of(name),
            |plugin| Fix::OtherKind {
                package: plugin.package,
                brings: brings(plugin),
            },
        )
    }

    fn add(&mut self, plugin: Plugin) -> Result<(), RegistryError> {
        let names = || std::iter::once(plugin.name).chain(plugin.aliases.iter().copied());
        for other in &self.plugins {
            if let Some(name) = names().find(|name| other.answers_to(name)) {
                let [first, second] = [other.package, plugin.package];
                return Err(RegistryError::Duplicate {
                    name,
                    first,
                    second,
                });
            }
        }
        self.plugins.push(plugin);
        Ok(())
    }
}

/// Why the registry cannot give what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Two linked plugins answer to one name.
    #[error(
        "`{name}` is registered twice, by the crates {first} and {second}; rename one or link only one"
    )]
    Duplicate {
        /// The name.
        name: &'static str,
        /// The crate that had it.
        first: &'static str,
        /// The crate that came later.
        second: &'static str,
    },
    /// No plugin of this kind has the name.
    #[error(
        "no {kind} is called `{name}`; this program has: {}. {fix}",
        listed(known)
    )]
    Unknown {
        /// What was asked for.
        kind: PluginKind,
        /// Under which name.
        name: String,
        /// The names of this kind that there are.
        known: Vec<&'static str>,
        /// What would make it known.
        fix: Fix,
    },
}

impl RegistryError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate_plugin",
            Self::Unknown { .. } => "unknown_plugin",
        }
    }

    /// Never: the same program has the same plugins.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

/// What makes an unknown name known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fix {
    /// It is one of zcomm's own.
    Feature {
        /// The feature of the facade that brings it.
        feature: &'static str,
        /// The crate that registers it.
        package: &'static str,
    },
    /// The plugin is there, and brings something else.
    OtherKind {
        /// The crate that registers it.
        package: &'static str,
        /// What it brings, besides settings.
        brings: Vec<&'static str>,
    },
    /// It is there without being a plugin.
    NoPlugin {
        /// How one has it.
        instead: &'static str,
    },
    /// It would be somebody else's.
    Link,
}

impl Fix {
    pub(crate) fn of(name: &str) -> Self {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        let row = FIRST_PARTY
            .iter()
            .find(|(first, others, ..)| same(first) || others.iter().any(|other| same(other)));
        row.map_or(Self::Link, |&(_, _, feature, package)| Self::Feature {
            feature,
            package,
        })
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind { package, brings } if brings.is_empty() => {
                write!(
                    f,
                    "The crate {package} has that name, and brings settings only"
                )
            }
            Self::OtherKind { package, brings } => {
                write!(
                    f,
                    "The crate {package} has that name, and brings a {}",
                    brings.join(" and a ")
                )
            }
            Self::NoPlugin { instead } => f.write_str(instead),
            // The core is always linked; only its feature is missing.
            Self::Feature {
                feature,
                package: "zcomm-core",
            } => {
                write!(f, "Enable the feature `{feature}` of zcomm")
            }
            Self::Feature { feature, package } => write!(
                f,
                "Enable the feature `{feature}` of zcomm, or link the crate with `use {} as _;`",
                package.replace('-', "_"),
            ),
            // A crate that is only listed in Cargo.toml is not linked, and registers nothing, silently.
            Self::Link => f.write_str(
                "If a crate of yours brings it, link that crate with `use that_crate as _;`",
            ),
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport;

    fn never(_: &Settings) -> Result<Arc<dyn Transport>, Error> {
        let service = tower::service_fn(async |_| {
            Err(Error::Closed {
                host: "nowhere".into(),
            })
        });
        Ok(transport::from_service("never", service))
    }

    const CARRIER: Plugin = Plugin::new("carrier", "acme-carrier")
        .aliases(&["pigeon"])
        .transport(never);
    const POSTBOX: Plugin = Plugin::new("postbox", "acme-postbox").transport(never);

    #[test]
    fn plugins_come_in_the_order_of_their_names() {
        let registry = Registry::of([POSTBOX, CARRIER]).unwrap();

        assert_eq!(registry.names().collect::<Vec<_>>(), ["carrier", "postbox"]);
    }

    #[test]
    fn two_crates_with_one_name_are_both_named() {
        let rival = Plugin::new("PIGEON", "other-pigeon");

        let error = Registry::of([CARRIER, rival]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "`PIGEON` is registered twice, by the crates acme-carrier and other-pigeon; rename one or link only one"
        );
    }

    #[test]
    fn a_plugin_is_found_by_any_of_its_names() {
        let registry = Registry::of([CARRIER, POSTBOX]).unwrap();

        assert!(
            registry
                .transport("Pigeon", &Settings::defaults([]))
                .is_ok()
        );
    }

    #[test]
    fn an_unknown_name_is_told_what_there_is_and_what_is_missing() {
        let registry = Registry::of([CARRIER, POSTBOX]).unwrap();
        let unknown = |name| {
            registry
                .transport(name, &Settings::defaults([]))
                .err()
                .unwrap()
                .to_string()
        };

        assert_eq!(
            unknown("https"),
            "no transport is called `https`; this program has: carrier, postbox. \
             Enable the feature `http` of zcomm, or link the crate with `use zcomm_http as _;`"
        );
        assert_eq!(
            unknown("smoke"),
            "no transport is called `smoke`; this program has: carrier, postbox. \
             If a crate of yours brings it, link that crate with `use that_crate as _;`"
        );
    }

    #[test]
    fn a_name_of_another_kind_is_unknown() {
        let registry = Registry::of([CARRIER]).unwrap();

        let error = registry
            .driver("carrier", &Settings::defaults([]))
            .err()
            .unwrap();

        assert_eq!(
            error.to_string(),
            "no driver is called `carrier`; this program has: none. \
             The crate acme-carrier has that name, and brings a transport"
        );
    }
}
