//! What an application says before its communication is put together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::comm::{Comm, Inner};
use crate::core::settings::{Invalid, KEYS, Key, Loader, Settings};
use crate::core::{Plugin, Registry};
use crate::error::Error;
use crate::settings::Sources;

/// Says how a [`Comm`] is to be: values of its own, plugins, the project's folder.
///
/// ```
/// use serde_json::json;
/// use zcomm::Comm;
///
/// let comm = Comm::builder()
///     .spark(json!({"title": "port-check", "deployment": "Production"}))
///     .build()?;
/// assert_eq!(comm.settings().text("title"), Some("port-check"));
/// # Ok::<(), zcomm::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "nothing is read or made before `build`"]
pub struct CommBuilder {
    sparks: Vec<Spark>,
    plugins: Vec<Plugin>,
    project: Option<PathBuf>,
    isolated: bool,
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    schema: Option<zcomm_core::data::Schema>,
    #[cfg(feature = "ws")]
    policy: Option<Shown>,
    #[cfg(feature = "log")]
    log: bool,
}

/// A policy, of which there is nothing to show.
#[cfg(feature = "ws")]
struct Shown(Arc<dyn zcomm_core::AuthPolicy>);

#[cfg(feature = "ws")]
impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthPolicy")
    }
}

#[derive(Debug)]
enum Spark {
    Tree(Value),
    Pair {
        label: String,
        key: String,
        value: String,
    },
}

impl CommBuilder {
    /// Adds values as the guides' zSpark has them, nested or flat. They win over every file and variable.
    pub fn spark(mut self, values: Value) -> Self {
        self.sparks.push(Spark::Tree(values));
        self
    }

    /// Adds one value by its dotted name: `websocket.port`.
    pub fn set(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_from("code", key, value)
    }

    /// Adds one value and says where it is from, as errors and `explain` will call it: `--set`, `--port`.
    pub fn set_from(
        mut self,
        label: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.sparks.push(Spark::Pair {
            label: label.into(),
            key: key.into(),
            value: value.into(),
        });
        self
    }

    /// Names the project's folder, in place of the working directory.
    pub fn project(mut self, folder: impl Into<PathBuf>) -> Self {
        self.project = Some(folder.into());
        self
    }

    /// Adds a plugin that did not register itself: in static libraries, on wasm, in tests.
    pub fn plugin(mut self, plugin: Plugin) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Says who callers of this application's servers are, in place of what the settings say about tokens.
    #[cfg(feature = "ws")]
    pub fn policy(mut self, policy: impl zcomm_core::AuthPolicy + 'static) -> Self {
        self.policy = Some(Shown(Arc::new(policy)));
        self
    }

    /// Gives the models in code, in place of the files of the schema folder.
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    pub fn schema(mut self, schema: zcomm_core::data::Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Reads neither files nor the environment: only defaults and the values given here. For tests.
    pub fn isolated(mut self) -> Self {
        self.isolated = true;
        self
    }

    /// Installs the logging that the settings describe, for the whole process.
    #[cfg(feature = "log")]
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    /// Reads the settings and puts everything together. Nothing is started or connected.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] lists every wrong value at once; [`Error::Registry`] names a plugin that is there twice;
    /// [`Error::Unreadable`] names a file that is there and cannot be read.
    pub fn build(self) -> Result<Comm, Error> {
        let registry = Registry::linked()?.with(self.plugins.iter().copied())?;
        let project = self.project_folder()?;
        let (settings, warnings) = self.load(&registry, &project)?;
        #[cfg(feature = "log")]
        let log = if self.log {
            Some(crate::log::install(&settings, &project)?)
        } else {
            None
        };
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let transports = registry.transports(&settings)?;
        Ok(Comm::of(Inner {
            transports,
            #[cfg(any(feature = "bifrost", feature = "sqlite"))]
            schema: self.schema,
            #[cfg(feature = "ws")]
            policy: self.policy.map(|shown| shown.0),
            #[cfg(feature = "ws")]
            policy_of_settings: std::sync::OnceLock::new(),
            registry: Arc::new(registry),
            settings,
            warnings,
            project,
            #[cfg(any(feature = "bifrost", feature = "sqlite"))]
            data: std::sync::OnceLock::new(),
            #[cfg(feature = "cache")]
            cache: std::sync::OnceLock::new(),
            #[cfg(feature = "http")]
            http: std::sync::OnceLock::new(),
            #[cfg(feature = "services")]
            services: std::sync::OnceLock::new(),
            #[cfg(feature = "blocking")]
            runtime: std::sync::OnceLock::new(),
            #[cfg(feature = "log")]
            _log: log,
        }))
    }

    fn project_folder(&self) -> Result<PathBuf, Error> {
        if let Some(folder) = &self.project {
            // A slip in the name would drop the `.zEnv` that is there, and every rule in it.
            return match folder.is_dir() {
                true => Ok(folder.clone()),
                false => Err(Error::ProjectMissing {
                    path: folder.clone(),
                }),
            };
        }
        std::env::current_dir().map_err(|source| Error::NoProject { source })
    }

    /// Reads the settings, to show what is right in them beside what is wrong. Makes nothing of them.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), but for values that are wrong.
    pub fn inspect(&self) -> Result<Inspected, Error> {
        let registry = Registry::linked()?.with(self.plugins.iter().copied())?;
        let project = self.project_folder()?;
        let (loader, open) = self.layers(&registry, &project)?;
        let (settings, faults) = loader.load_rest();
        Ok(Inspected {
            warnings: warnings(open, &settings),
            settings,
            faults,
        })
    }

    fn load(&self, registry: &Registry, project: &Path) -> Result<(Settings, Vec<String>), Error> {
        let (loader, open) = self.layers(registry, project)?;
        let settings = loader.load()?;
        let warnings = warnings(open, &settings);
        Ok((settings, warnings))
    }

    /// A loader with every layer, and warnings about the files of some.
    fn layers(
        &self,
        registry: &Registry,
        project: &Path,
    ) -> Result<(Loader<'static>, Vec<String>), Error> {
        let keys = || all_keys(registry);
        let (loader, open) = if self.isolated {
            (Loader::new(keys()), Vec::new())
        } else {
            let sources = Sources::read(project)?;
            (
                sources.loader(keys()),
                sources.warnings().iter().map(ToString::to_string).collect(),
            )
        };
        let spark = |loader: Loader<'static>, spark: &Spark| match spark {
            Spark::Tree(values) => loader.spark(values.clone()),
            Spark::Pair { label, key, value } => {
                loader.set(label.as_str(), [(key.as_str(), value.as_str())])
            }
        };
        Ok((self.sparks.iter().fold(loader, spark), open))
    }
}

/// What the layers give, before anybody relies on it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspected {
    /// All values that are right.
    pub settings: Settings,
    /// What is odd about them.
    pub warnings: Vec<String>,
    /// What is wrong, if anything is.
    pub faults: Option<Invalid>,
}

fn warnings(of_files: Vec<String>, settings: &Settings) -> Vec<String> {
    let mut warnings = of_files;
    warnings.extend(settings.warnings().iter().map(ToString::to_string));
    warnings
}

/// The whole table: core's rows and those of every plugin.
pub(crate) fn all_keys(registry: &Registry) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().chain(registry.keys())
}
