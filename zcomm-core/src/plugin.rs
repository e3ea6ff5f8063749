//! The one record by which a crate says what it brings. Linking it starts nothing.

use std::fmt;
use std::sync::Arc;

use crate::auth::AuthPolicy;
use crate::data::{Store, StoreAddress};
use crate::error::Error;
use crate::service::ServiceDriver;
use crate::settings::{Key, Settings};
use crate::transport::Transport;

/// Makes a driver of the settings.
pub type MakeDriver = fn(&Settings) -> Result<Arc<dyn ServiceDriver>, Error>;
/// Makes a transport of the settings.
pub type MakeTransport = fn(&Settings) -> Result<Arc<dyn Transport>, Error>;
/// Makes a policy of the settings.
pub type MakePolicy = fn(&Settings) -> Result<Arc<dyn AuthPolicy>, Error>;

/// Opens the store at an address, as the settings have it. It may wait for a disk, but for no network.
pub type OpenStore = fn(&StoreAddress<'_>, &Settings) -> Result<Arc<dyn Store>, Error>;

/// What a crate brings: its name, its settings, and what makes its parts.
///
/// A crate ends its `lib.rs` with one constant and hands it in; the [`Registry`](crate::Registry) finds it wherever
/// the crate is linked.
///
/// ```
/// use std::sync::Arc;
/// use zcomm_core::settings::Key;
/// use zcomm_core::{Plugin, Registry, Settings, Transport, transport, Error};
///
/// const KEYS: &[Key] = &[Key::text("loop.greeting").default("hello").doc("What it says.")];
///
/// fn make_transport(settings: &Settings) -> Result<Arc<dyn Transport>, Error> {
///     let greeting = settings.text("loop.greeting").unwrap_or_default().to_owned();
///     let service = tower::service_fn(move |_| {
///         let reply = http::Response::new(greeting.clone().into());
///         async move { Ok(reply) }
///     });
///     Ok(transport::from_service("loop", service))
/// }
///
/// pub const PLUGIN: Plugin = Plugin::new("loop", env!("CARGO_PKG_NAME")).keys(KEYS).transport(make_transport);
/// zcomm_core::inventory::submit!(PLUGIN);
///
/// assert!(Registry::linked().unwrap().names().any(|name| name == "loop"));
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Plugin {
    /// The name it is found by.
    pub name: &'static str,
    /// The crate it comes from, for messages.
    pub package: &'static str,
    /// Other names it is found by.
    pub aliases: &'static [&'static str],
    /// Its rows in the table of settings.
    pub keys: &'static [Key],
    /// What makes its driver.
    pub driver: Option<MakeDriver>,
    /// What makes its transport.
    pub transport: Option<MakeTransport>,
    /// What makes its policy.
    pub policy: Option<MakePolicy>,
    /// What opens its stores.
    pub store: Option<OpenStore>,
    /// The schemes of the addresses of its stores.
    pub schemes: &'static [&'static str],
}

inventory::collect!(Plugin);

impl Plugin {
    /// A plugin that brings nothing yet; `package` is `env!("CARGO_PKG_NAME")`.
    pub const fn new(name: &'static str, package: &'static str) -> Self {
        Self {
            name,
            package,
            aliases: &[],
            keys: &[],
            driver: None,
            transport: None,
            policy: None,
            store: None,
            schemes: &[],
        }
    }

    /// The same under other names, too.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same with rows in the table of settings.
    #[must_use]
    pub const fn keys(mut self, keys: &'static [Key]) -> Self {
        self.keys = keys;
        self
    }

    /// The same with a driver.
    #[must_use]
    pub const fn driver(mut self, make: MakeDriver) -> Self {
        self.driver = Some(make);
        self
    }

    /// The same with a transport.
    #[must_use]
    pub const fn transport(mut self, make: MakeTransport) -> Self {
        self.transport = Some(make);
        self
    }

    /// The same with a policy.
    #[must_use]
    pub const fn policy(mut self, make: MakePolicy) -> Self {
        self.policy = Some(make);
        self
    }

    /// The same with stores, whose addresses begin with one of these schemes.
    #[must_use]
    pub const fn store(mut self, schemes: &'static [&'static str], open: OpenStore) -> Self {
        self.schemes = schemes;
        self.store = Some(open);
        self
    }

    /// What it brings, for people.
    pub fn kinds(&self) -> Vec<PluginKind> {
        let kinds = [
            (PluginKind::Driver, self.driver.is_some()),
            (PluginKind::Transport, self.transport.is_some()),
            (PluginKind::Policy, self.policy.is_some()),
            (PluginKind::Store, self.store.is_some()),
        ];
        kinds
            .into_iter()
            .filter(|(_, brought)| *brought)
            .map(|(kind, _)| kind)
            .collect()
    }

    /// Whether `name`, in any case, means this plugin.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("package", &self.package)
            .field("kinds", &self.kinds())
            .finish_non_exhaustive()
    }
}

/// The kinds of parts that a plugin may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PluginKind {
    /// A [`ServiceDriver`].
    Driver,
    /// A [`Transport`].
    Transport,
    /// An [`AuthPolicy`].
    Policy,
    /// A [`Store`].
    Store,
}

impl PluginKind {
    /// The word in tables and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Transport => "transport",
            Self::Policy => "policy",
            Self::Store => "store",
        }
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
