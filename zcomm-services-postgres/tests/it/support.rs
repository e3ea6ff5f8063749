//! What these tests say to PostgreSQL; projects are the suite's.

use std::process::Command;

use zcomm_services::conformance;
use zcomm_services::{Port, StartOptions};

pub(crate) use zcomm_services::conformance::{is_alive, kill};

/// A project that knows PostgreSQL; whatever its record names ends with it.
pub(crate) struct Project(conformance::Project);

impl Project {
    pub(crate) fn new() -> Self {
        Self(conformance::Project::new(zcomm_services_postgres::PLUGIN))
    }
}

impl std::ops::Deref for Project {
    type Target = conformance::Project;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What most tests start: somewhere, without a trace.
pub(crate) fn scratch() -> StartOptions {
    StartOptions::new().port(Port::AnyFree).throw_away()
}

/// What PostgreSQL's own client prints for a query.
pub(crate) fn psql(url: &str, query: &str) -> String {
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--tuples-only",
            "--no-align",
            "--command",
            query,
            url,
        ])
        .output()
        .expect("psql is installed: apt-get install postgresql");
    let text = if output.status.success() {
        output.stdout
    } else {
        output.stderr
    };
    String::from_utf8(text).unwrap().trim().to_owned()
}
