//! Whether a running service is the one that was asked for. Starts and stops none.

use std::fmt;

use zcomm_core::service::Probe;

use crate::record::Record;
use crate::{Error, Port, StartOptions, process};

/// Whether the one that this project has running fits the wishes, as far as its record says.
pub(crate) fn record_agrees(
    service: &'static str,
    record: &Record,
    options: &StartOptions,
) -> Result<(), Error> {
    if let Port::At(port) = options.port {
        same(service, "port", &port, &record.port)?;
    }
    if let Some(wanted) = options.source {
        same(service, "the source", &wanted, &record.source)?;
    }
    if let Some(wanted) = &options.data_dir {
        let found = record.data_dir.display();
        same(service, "the data folder", &wanted.display(), &found)?;
    }
    let kept = |thrown_away| if thrown_away { "thrown away" } else { "kept" };
    let (wanted, found) = (kept(options.discards()), kept(record.throw_away));
    same(service, "data that is", &wanted, &found)?;
    match record.other_owner() {
        Some(pid) if options.detach => {
            let found = format!("that of process {pid}");
            same(service, "a life", &"of its own", &found)
        }
        _ => Ok(()),
    }
}

/// Whether the version fits as far as it is given: 7 means 7 and 7.0.15, and not 70.
pub(crate) fn version_agrees(
    service: &'static str,
    probe: &Probe,
    wanted: Option<&str>,
) -> Result<(), Error> {
    let identity = probe.identity.as_ref();
    let found = identity.and_then(|identity| identity.version.as_deref());
    let (Some(wanted), found) = (wanted, found.unwrap_or("unknown")) else {
        return Ok(());
    };
    if process::fits(found, wanted) {
        return Ok(());
    }
    same(service, "version", &wanted, &found)
}

/// Whether the one that somebody else has running keeps its data where it was asked for.
pub(crate) fn data_agrees(
    service: &'static str,
    probe: &Probe,
    options: &StartOptions,
) -> Result<(), Error> {
    let Some(wanted) = &options.data_dir else {
        return Ok(());
    };
    let identity = probe.identity.as_ref();
    let found = identity.and_then(|identity| identity.data_dir.as_ref());
    let found = found.map_or_else(|| "unknown".to_owned(), |found| found.display().to_string());
    same(service, "the data folder", &wanted.display(), &found)
}

fn same(
    service: &'static str,
    what: &'static str,
    wanted: &dyn fmt::Display,
    found: &dyn fmt::Display,
) -> Result<(), Error> {
    let (wanted, found) = (wanted.to_string(), found.to_string());
    if wanted == found {
        return Ok(());
    }
    Err(Error::Mismatch {
        service,
        what,
        wanted,
        found,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use zcomm_core::service::ServiceIdentity;

    use super::*;

    #[track_caller]
    fn check(wanted: &str, found: &str, fits: bool) {
        let mut identity = ServiceIdentity::default();
        identity.version = Some(found.to_owned());
        let probe = Probe::running(identity, Duration::ZERO);

        let agreed = version_agrees("redis", &probe, Some(wanted));

        assert_eq!(agreed.is_ok(), fits, "{wanted} {found}");
    }

    #[test]
    fn a_version_is_compared_as_far_as_it_is_given() {
        check("7", "7.0.15", true);
        check("7.0", "7.0.15", true);
        check("7.0.15", "7.0.15", true);
        check("7", "70.1", false);
        check("8", "7.0.15", false);
    }
}
