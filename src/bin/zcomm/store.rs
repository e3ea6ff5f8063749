//! Which store the program uses where nobody named one. Opens none.

use zcomm::{Comm, CommBuilder};

/// Where the program keeps rows, if this build can: in the project, beside the data of its services.
#[cfg(feature = "sqlite")]
const OWN: Option<&str> = Some("sqlite://.zcomm/data.db");
#[cfg(not(feature = "sqlite"))]
const OWN: Option<&str> = None;

/// What `OWN` is called in `zcomm config explain` and in errors.
const LABEL: &str = "the program";

/// The same, with the program's own store where the settings name none.
pub(crate) fn or_own(comm: &Comm, builder: CommBuilder) -> CommBuilder {
    match OWN {
        Some(url) if !is_named(comm) => builder.set_from(LABEL, "store", url),
        _ => builder,
    }
}

/// The same, with a store that is gone afterwards where the settings name none.
#[cfg(feature = "bifrost")]
pub(crate) fn or_passing(comm: &Comm, builder: CommBuilder) -> CommBuilder {
    match OWN {
        Some(_) if !is_named(comm) => builder.set_from(LABEL, "store", "sqlite::memory:"),
        _ => builder,
    }
}

fn is_named(comm: &Comm) -> bool {
    comm.settings().secret("store").is_some()
}
