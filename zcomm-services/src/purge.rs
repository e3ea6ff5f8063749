//! Removes the data of a service for good. Nothing else in this crate removes data that was to be kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::folders;
use crate::manager::{Manager, Service};

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
        let kept = self.kept_data(&service)?;
        let removed = self.removable(&service, &kept)?;
        let kept = kept.into_iter().next();
        Ok(Purged { removed, kept })
    }

    /// Stops a service and removes all its data in this project: folders, password, log, and the container's volume.
    ///
    /// A data folder that the caller or the settings named is left as it is, with its password, and named in the answer.
    ///
    /// # Errors
    ///
    /// Those of [`stop`](Self::stop), and what keeps the data from being removed: [`Error::ForeignLink`] and
    /// [`Error::DataInside`] before anything is stopped.
    pub async fn purge(&self, name: &str) -> Result<Purged, Error> {
        let service = self.service(name)?;
        self.purgeable(name)?;
        let _lock = self.lock(&service).await?;
        // Asked before the record goes, which may be what names it.
        let kept = self.kept_data(&service)?;
        if let Some(record) = self.record(&service)? {
            self.stop_recorded(&service, &record).await?;
        }
        let removed = self.removable(&service, &kept)?;
        let container = folders::known_container(self.project(), service.name);
        if let Some(container) = container {
            container.remove_volume().await?;
        }
        for path in &removed {
            remove(path)?;
            // The project's own folder elsewhere goes with the last service in it; any other is not empty.
            let _ = path.parent().map(fs::remove_dir);
        }
        let kept = kept.into_iter().next();
        Ok(Purged { removed, kept })
    }

    /// The folders with data of this service that are the caller's or the settings', as far as they are there.
    fn kept_data(&self, service: &Service) -> Result<Vec<PathBuf>, Error> {
        let of_record = self
            .record(service)?
            .filter(|record| record.data_dir != record.folder.join("data"))
            .map(|record| record.data_dir);
        let noted = folders::known_data_dir(&self.project().kept(service.name));
        let configured = self.configured(service).data_dir();
        let mut kept: Vec<PathBuf> = [of_record, noted, configured]
            .into_iter()
            .flatten()
            .map(|folder| std::path::absolute(&folder).unwrap_or(folder))
            .filter(|folder| fs::symlink_metadata(folder).is_ok())
            .collect();
        kept.dedup();
        Ok(kept)
    }

    /// What may be removed: the service's own folder, but for what belongs to data that is kept.
    fn removable(&self, service: &Service, kept: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
        let home = self.project().kept(service.name);
        if fs::symlink_metadata(&home).is_err() {
            return Ok(Vec::new());
        }
        let Some(real) = self.project().own_place(service.name)? else {
            // A link to nothing.
            return Ok(vec![home]);
        };
        if let Some(data) = kept.iter().find(|data| is_inside(data, &real)) {
            return Err(Error::DataInside {
                service: service.name,
                data: data.clone(),
                folder: real,
            });
        }
        if !kept.is_empty() {
            return folders::without_password(&real);
        }
        if real == home {
            return Ok(vec![home]);
        }
        Ok(vec![real, home])
    }
}

/// Whether `data`, or what it leads to, is `folder` or lies below it.
fn is_inside(data: &Path, folder: &Path) -> bool {
    let real = data.canonicalize();
    data.starts_with(folder) || real.is_ok_and(|real| real.starts_with(folder))
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
