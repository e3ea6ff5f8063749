//! Whether a record may be acted on: who could have written it, and whether what it names is this project's. Acts on none.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zcomm_core::service::{Endpoint, ServiceDriver};

use crate::folders::{self, Project};
use crate::record::Record;
use crate::{Error, Source};

/// Reads a file that only we could have written, in a folder that only we may write to.
pub(crate) fn read(path: &Path) -> io::Result<Result<String, Error>> {
    let mut file = File::open(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let checked = only_ours(folder, &fs::symlink_metadata(folder)?)
        .and_then(|()| only_ours(path, &file.metadata().map_err(Error::io("look at", path))?));
    if let Err(error) = checked {
        return Ok(Err(error));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Ok(text))
}

/// Refuses what belongs to another account, or what others may write to.
pub(crate) fn only_ours(path: &Path, found: &Metadata) -> Result<(), Error> {
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if ours && !found.is_symlink() && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(Error::Untrusted { path })
}

/// Whether this project wrote the record, and all that it names is what this project would name.
///
/// A record comes along when a project is copied, and may come with one that was fetched from somewhere. What it says
/// is run, stopped and removed, and a password is sent to where it points.
pub(crate) fn is_own(record: &Record, project: &Project, driver: &dyn ServiceDriver) -> bool {
    let service = driver.about().name;
    let in_place = if record.throw_away {
        folders::is_throw_away(&record.folder, service)
    } else {
        project.is_home(&record.folder, service)
    };
    record.project == project.root()
        && record.host == Endpoint::local(record.port).host
        && in_place
        && is_of_its_source(record)
        && names_agree(record, project, driver)
}

/// Whether it names nothing that its source does not have.
fn is_of_its_source(record: &Record) -> bool {
    let allowed = |source, named: bool| !named || record.source == source;
    allowed(Source::Process, record.process.is_some())
        && allowed(Source::Container, record.container.is_some())
        && allowed(Source::System, record.unit.is_some())
}

fn names_agree(record: &Record, project: &Project, driver: &dyn ServiceDriver) -> bool {
    let service = driver.about().name;
    let container = record.container.as_ref();
    let unit_agrees = record.unit.as_ref().is_none_or(|unit| {
        let units = driver.recipes(&record.plan()).system;
        units.is_some_and(|units| unit.is_among(&units))
    });
    unit_agrees && container.is_none_or(|container| container.is_of(service, project.root()))
}
