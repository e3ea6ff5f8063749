//! One suite of tests for every driver and every source: what a service started by zcomm has to do, and never does.
//!
//! A driver's crate implements [`Subject`] and calls [`conformance!`](crate::conformance!) in an integration test; each
//! case becomes a test of its own. The suite starts real servers in folders of its own, on free ports, and leaves
//! nothing behind. It needs `tokio` among the crate's dev-dependencies.
//!
//! ```no_run
//! use async_trait::async_trait;
//! use zcomm_core::Plugin;
//! use zcomm_core::service::ConnectionInfo;
//! # use zcomm_core::service::*;
//! # #[derive(Default)] struct Naps;
//! # const ABOUT: DriverInfo = DriverInfo::new("naps", "Naps", 7);
//! # #[async_trait] impl ServiceDriver for Naps {
//! #     fn about(&self) -> &DriverInfo { &ABOUT }
//! #     fn recipes(&self, _: &StartPlan) -> Recipes { Recipes::none() }
//! #     async fn probe(&self, _: &Endpoint) -> Probe { Probe::stopped() }
//! #     fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
//! #         ConnectionInfo::new(probe.state, at.clone(), "")
//! #     }
//! # }
//! # const PLUGIN: Plugin = Plugin::new("naps", "naps");
//! use zcomm_services::conformance::Subject;
//!
//! struct AsProcess;
//!
//! #[async_trait]
//! impl Subject for AsProcess {
//!     type Driver = Naps;
//!     const PLUGIN: Plugin = PLUGIN;
//!
//!     async fn put(at: &ConnectionInfo, value: &str) { /* writes it through a client */ }
//!     async fn fetch(at: &ConnectionInfo) -> Option<String> { None /* reads it again */ }
//! }
//!
//! zcomm_services::conformance!(AsProcess);
//! ```

#![expect(
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "every case is a test, which fails by panicking, and a test's child speaks through its output"
)]

mod faults;
mod host;
mod life;
mod project;

use std::path::Path;

use async_trait::async_trait;
use zcomm_core::Plugin;
use zcomm_core::service::{ConnectionInfo, ServiceDriver};

use crate::{Port, Source, StartOptions};

pub use faults::{
    a_corrupt_data_folder_fails_by_name_and_is_left_alone, a_full_disk_fails_by_name,
    a_missing_program_is_named_with_a_hint, a_read_only_folder_fails_by_name,
    a_silent_port_is_not_taken_for_it, a_start_that_is_dropped_leaves_nothing,
    a_taken_port_is_named_with_who_has_it, another_server_is_not_taken_for_it,
};
pub use host::a_killed_program_leaves_nothing_running;
pub use life::{
    a_killed_one_is_noticed_and_started_again, a_restart_keeps_data_and_port,
    a_running_one_is_adopted_and_not_stopped, it_starts_from_nothing_and_stops_without_a_trace,
    kept_data_is_there_at_the_next_start_until_it_is_purged, one_that_never_ran_is_stopped,
    two_programs_that_start_it_get_the_same,
};
pub use project::{Project, is_alive, kill, until};

/// A driver, and the source by which the suite has it started.
#[async_trait]
pub trait Subject: Send + Sync + 'static {
    /// The driver itself; the suite changes its recipes to see what becomes of a missing program.
    type Driver: ServiceDriver + Default + 'static;

    /// What the driver's crate brings.
    const PLUGIN: Plugin;

    /// The source.
    const SOURCE: Source = Source::Process;

    /// What every start of the suite wishes besides: an image, a version.
    fn options() -> StartOptions {
        StartOptions::new()
    }

    /// Settings that the driver needs here, as the program's `--set` takes them.
    fn settings() -> Vec<(String, String)> {
        Vec::new()
    }

    /// Keeps a value in the service, in place of any that it kept before.
    async fn put(at: &ConnectionInfo, value: &str);

    /// The value that was kept, if one was.
    async fn fetch(at: &ConnectionInfo) -> Option<String>;

    /// Spoils a data folder so that no server can start on it.
    ///
    /// Without one of its own, every file that is not empty is overwritten.
    fn spoil(data_dir: &Path) {
        project::overwrite(data_dir);
    }
}

/// What the suite wishes of every start.
fn kept<S: Subject>() -> StartOptions {
    let options = S::options().port(Port::AnyFree);
    options.source(S::SOURCE)
}

fn scratch<S: Subject>() -> StartOptions {
    kept::<S>().throw_away()
}

/// Makes a test of every case of the suite, for one [`Subject`](crate::conformance::Subject).
#[macro_export]
macro_rules! conformance {
    ($subject:ty) => {
        $crate::conformance! { @cases $subject:
            it_starts_from_nothing_and_stops_without_a_trace
            one_that_never_ran_is_stopped
            a_running_one_is_adopted_and_not_stopped
            a_restart_keeps_data_and_port
            kept_data_is_there_at_the_next_start_until_it_is_purged
            two_programs_that_start_it_get_the_same
            a_killed_one_is_noticed_and_started_again
            a_taken_port_is_named_with_who_has_it
            another_server_is_not_taken_for_it
            a_silent_port_is_not_taken_for_it
            a_corrupt_data_folder_fails_by_name_and_is_left_alone
            a_missing_program_is_named_with_a_hint
            a_read_only_folder_fails_by_name
            a_full_disk_fails_by_name
            a_start_that_is_dropped_leaves_nothing
        }

        #[tokio::test]
        async fn a_killed_program_leaves_nothing_running() {
            let test = concat!(module_path!(), "::a_killed_program_leaves_nothing_running");
            $crate::conformance::a_killed_program_leaves_nothing_running::<$subject>(test).await;
        }
    };
    (@cases $subject:ty: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::conformance::$case::<$subject>().await;
            }
        )*
    };
}
