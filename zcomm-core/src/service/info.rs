//! What is known of a kind of service before any is looked at.

/// The names, the usual port, and how the service is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DriverInfo {
    /// The name that everything prints.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// The name as people write it: `PostgreSQL`.
    pub title: &'static str,
    /// The port that clients expect.
    pub default_port: u16,
    /// As whom it is asked, where nobody says.
    pub login: Login,
    /// How the service is installed, per operating system.
    pub install: &'static [InstallHint],
    /// The names of the services that must run before this one starts.
    pub needs: &'static [&'static str],
}

impl DriverInfo {
    /// A service without aliases or hints.
    pub const fn new(name: &'static str, title: &'static str, default_port: u16) -> Self {
        Self {
            name,
            aliases: &[],
            title,
            default_port,
            login: Login::Open,
            install: &[],
            needs: &[],
        }
    }

    /// The same with other names.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same with another login.
    #[must_use]
    pub const fn with_login(mut self, login: Login) -> Self {
        self.login = login;
        self
    }

    /// The same with hints for installing.
    #[must_use]
    pub const fn with_install(mut self, install: &'static [InstallHint]) -> Self {
        self.install = install;
        self
    }

    /// The same with services that must run before it starts.
    #[must_use]
    pub const fn with_needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = needs;
        self
    }

    /// Whether `name`, in any case, means this service.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(name))
    }

    /// How the service is installed on this machine's system, if the driver knows.
    pub fn install_hint(&self) -> Option<&'static str> {
        self.install
            .iter()
            .find(|hint| hint.os == Os::current())
            .map(|hint| hint.command)
    }
}

/// As whom a service is asked, where neither caller nor settings say.
///
/// It tells what a started instance is given: with [`Password`](Self::Password) and [`User`](Self::User) every data
/// directory gets a password of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// Whoever reaches it may use it.
    Open,
    /// Whoever knows the password may use it.
    Password,
    /// It has users with passwords, and several databases.
    User {
        /// The user that owns everything.
        user: &'static str,
        /// The database that is made at the first start.
        database: &'static str,
    },
}

/// One way to install a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstallHint {
    /// Where it applies.
    pub os: Os,
    /// The command, or an address to download from.
    pub command: &'static str,
}

impl InstallHint {
    /// What installs it on that system.
    pub const fn new(os: Os, command: &'static str) -> Self {
        Self { os, command }
    }
}

/// The operating systems that hints and units tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Os {
    /// Linux distributions.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
    /// Anything else.
    Other,
}

impl Os {
    /// The one this program was built for.
    pub const fn current() -> Self {
        if cfg!(target_os = "linux") {
            Self::Linux
        } else if cfg!(target_os = "macos") {
            Self::Macos
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Other
        }
    }

    /// The name in status reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Macos => "macos",
            Self::Windows => "windows",
            Self::Other => "other",
        }
    }
}
