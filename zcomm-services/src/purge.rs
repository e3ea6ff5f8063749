//! Removes the data of a service for good. Nothing else in this crate removes data that was to be kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::folders;
use crate::manager::Manager;

/// What became of a service's data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// What was removed.
    pub removed: Vec<PathBuf>,
    /// A folder of the caller's own or the settings', which is left as it is.
    pub kept: Option<PathBuf>,
}

impl Manager {
    /// What [`purge`](Self::purge) would remove and keep. Changes nothing.
    ///
    /// # Errors
    ///
    /// If the name is unknown or the record is damaged.
    pub fn purgeable(&self, name: &str) -> Result<Purged, Error> {
        let service = self.service(name)?;
        let record = self.record(&service)?;
        let home = self.project().kept(service.name);
        let mut found = Purged::default();
        if fs::symlink_metadata(&home).is_ok() {
            // A link to where the server's account may go; what it leads to is ours as well.
            let real = home.canonicalize().ok().filter(|real| *real != home);
            found.removed.extend(real);
            found.removed.push(home);
        }
        let configured = self.configured(&service).data_dir();
        let own = record
            .filter(|record| record.data_dir != record.folder.join("data"))
            .map(|record| record.data_dir);
        found.kept = own.or(configured);
        Ok(found)
    }

    /// Stops a service and removes all its data in this project: folders, password, log, and the container's volume.
    ///
    /// A data folder that the caller or the settings named is left as it is, and named in the answer.
    ///
    /// # Errors
    ///
    /// Those of [`stop`](Self::stop), and what keeps the data from being removed.
    pub async fn purge(&self, name: &str) -> Result<Purged, Error> {
        let service = self.service(name)?;
        let found = self.purgeable(name)?;
        let _lock = self.lock(&service).await?;
        if let Some(record) = self.record(&service)? {
            self.stop_recorded(&service, &record).await?;
        }
        let container = folders::known_container(&self.project().kept(service.name));
        if let Some(container) = container {
            container.remove_volume().await?;
        }
        for folder in &found.removed {
            remove(folder)?;
            // The project's own folder elsewhere goes with the last service in it; any other is not empty.
            let _ = folder.parent().map(fs::remove_dir);
        }
        Ok(found)
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
