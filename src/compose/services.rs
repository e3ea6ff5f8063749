//! The manager of local services. Starts nothing.

use std::sync::Arc;

use zcomm_services::Manager;

use crate::comm::Inner;

/// A manager for the project's services.
pub(crate) fn manager(comm: &Inner) -> Manager {
    Manager::new(
        Arc::clone(&comm.registry),
        comm.settings.clone(),
        comm.project.clone(),
    )
}
