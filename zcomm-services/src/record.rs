//! Who started what: the file that lets a later program find, stop or sweep a service. Signals nobody.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zcomm_core::service::{Endpoint, StartPlan};

use crate::container::Container;
use crate::process::ProcessId;
use crate::system::{Shell, Unit};
use crate::{Error, Source, folders, trust};

/// One started service. It is written before the server runs, so that nothing runs that is not written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The folder `.zcomm` of the project that started it: a copy of a project brings records along that are not its own.
    #[serde(default)]
    pub(crate) project: PathBuf,
    pub(crate) source: Source,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    pub(crate) database: Option<String>,
    /// Configuration, log and password are there.
    pub(crate) folder: PathBuf,
    pub(crate) data_dir: PathBuf,
    pub(crate) throw_away: bool,
    pub(crate) version: Option<String>,
    pub(crate) extra_args: Vec<String>,
    #[serde(default)]
    pub(crate) image: Option<String>,
    /// Whether it outlives the program that started it.
    pub(crate) detached: bool,
    /// The program that it lives with.
    pub(crate) owner: Option<ProcessId>,
    /// The server.
    pub(crate) process: Option<ProcessId>,
    /// Or the container that it runs in.
    #[serde(default)]
    pub(crate) container: Option<Container>,
    /// Or the unit that the operating system has it as.
    #[serde(default)]
    pub(crate) unit: Option<Unit>,
    /// Who stops it when the owner is gone.
    pub(crate) guard: Option<ProcessId>,
}

impl Record {
    pub(crate) fn of(project: &Path, source: Source, plan: &StartPlan, detached: bool) -> Self {
        Self {
            project: project.to_owned(),
            source,
            host: plan.endpoint.host.clone(),
            port: plan.endpoint.port,
            user: plan.endpoint.user.clone(),
            database: plan.endpoint.database.clone(),
            folder: plan.folder.clone(),
            data_dir: plan.data_dir.clone(),
            throw_away: !plan.persistent,
            version: plan.version.clone(),
            extra_args: plan.extra_args.clone(),
            image: plan.image.clone(),
            detached,
            owner: (!detached).then(ProcessId::own).flatten(),
            process: None,
            container: None,
            unit: None,
            guard: None,
        }
    }

    /// Reads the record, if there is one; refuses one that another account could have written.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, Error> {
        let text = match trust::read(path) {
            Ok(text) => text?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path)(error)),
        };
        let record = serde_json::from_str(&text).map_err(|source| Error::Record {
            path: path.to_owned(),
            source,
        })?;
        Ok(Some(record))
    }

    /// Writes it in one step: whoever reads sees all of it or what was there before.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let json =
            serde_json::to_string_pretty(self).expect("a record holds texts and numbers only");
        folders::secret_file(path, &json, None)
    }

    pub(crate) fn remove(path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Where the instance is and as whom it is asked, with the password of its folder.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let mut endpoint = Endpoint::new(&self.host, self.port);
        endpoint.user.clone_from(&self.user);
        endpoint.database.clone_from(&self.database);
        endpoint.password = folders::known_password(&self.folder);
        endpoint
    }

    /// The plan that it was started by.
    pub(crate) fn plan(&self) -> StartPlan {
        let mut plan = StartPlan::new(self.endpoint(), &self.folder).data_dir(&self.data_dir);
        plan.persistent = !self.throw_away;
        plan.version.clone_from(&self.version);
        plan.extra_args.clone_from(&self.extra_args);
        plan.image.clone_from(&self.image);
        plan
    }

    /// Whether the server is still there.
    pub(crate) async fn is_alive(&self) -> bool {
        if let Some(container) = &self.container {
            return container.is_alive().await;
        }
        if let Some(unit) = &self.unit {
            return unit.is_active(&Shell).await;
        }
        self.process.as_ref().is_some_and(ProcessId::is_alive)
    }

    /// Whether the guard is still there.
    pub(crate) fn is_guarded(&self) -> bool {
        self.guard.as_ref().is_some_and(ProcessId::is_alive)
    }

    /// Whether nobody is left to whom it belongs.
    pub(crate) fn is_orphan(&self) -> bool {
        !self.detached && !self.owner.as_ref().is_some_and(ProcessId::is_alive)
    }

    /// The living program, other than this one, that it belongs to.
    pub(crate) fn other_owner(&self) -> Option<u32> {
        let owner = self.owner.as_ref().filter(|_| !self.detached)?;
        (owner.pid != std::process::id() && owner.is_alive()).then_some(owner.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_holds_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redis.json");
        let endpoint = Endpoint::local(1).with_password("hunter2");
        let plan = StartPlan::new(endpoint, folder.path());
        let record = Record::of(folder.path(), Source::Process, &plan, false);

        record.save(&path).unwrap();

        assert_eq!(Record::load(&path).unwrap().unwrap(), record);
        assert!(!fs::read_to_string(&path).unwrap().contains("hunter2"));
    }

    #[test]
    fn a_damaged_record_is_named_and_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redis.json");
        fs::write(&path, "{\"source\":\"process\"").unwrap();

        let error = Record::load(&path).unwrap_err();

        assert_eq!(error.code(), "damaged_record");
    }
}
