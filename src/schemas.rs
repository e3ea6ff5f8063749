//! Reads the schema files of a project. What they mean is the core's.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::core::data::Schema;
use crate::error::Error;

/// As [`read`], and no models where there is no such folder.
pub(crate) fn read_if_there(folder: &Path) -> Result<Schema, Error> {
    match read(folder) {
        Err(Error::UnreadableSchema { path, source })
            if path == folder && source.kind() == io::ErrorKind::NotFound =>
        {
            Ok(Schema::default())
        }
        other => other,
    }
}

/// The models of the folder's `zSchema.*.yaml`, in the order of their names.
///
/// # Errors
///
/// [`Error::Schema`] lists everything that is wrong in all files, by file and line; [`Error::UnreadableSchema`] names one
/// that cannot be read.
pub(crate) fn read(folder: &Path) -> Result<Schema, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::UnreadableSchema { path, source }
    };
    let mut texts = Vec::new();
    for path in files(folder).map_err(unreadable(folder))? {
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        texts.push((path.display().to_string(), text));
    }
    let files = texts
        .iter()
        .map(|(label, text)| (label.as_str(), text.as_str()));
    Ok(Schema::parse(files)?)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let paths: io::Result<Vec<PathBuf>> = entries.map(|entry| Ok(entry?.path())).collect();
    let mut schemas: Vec<PathBuf> = paths?.into_iter().filter(|path| is_schema(path)).collect();
    schemas.sort();
    Ok(schemas)
}

fn is_schema(path: &Path) -> bool {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name.starts_with("zSchema.") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}
