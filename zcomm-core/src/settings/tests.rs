//! What the settings promise: generated from the table where that can be, tables of cases elsewhere.

mod faults;
mod pages;
mod precedence;
mod values;

use super::*;

/// The rows of a build with a server.
pub(super) fn table() -> Vec<&'static Key> {
    KEYS.iter().chain(WEBSOCKET_KEYS).collect()
}

pub(super) fn loader<'a>() -> Loader<'a> {
    Loader::new(table())
}

/// What a load that must fail says.
#[track_caller]
pub(super) fn refused(loader: Loader<'_>) -> String {
    match loader.load() {
        Ok(settings) => panic!("taken: {settings:?}"),
        Err(invalid) => invalid.to_string(),
    }
}
