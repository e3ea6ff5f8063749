//! What would keep an application's parts from being made, all of it at once. Starts and binds nothing.

use crate::comm::Comm;
use crate::error::Error;

/// The error of each part that cannot be made as the settings have it.
#[cfg_attr(
    not(any(feature = "ws", feature = "services")),
    expect(unused_mut, unused_variables, reason = "a build without such parts")
)]
pub(crate) fn verify(comm: &Comm) -> Vec<Error> {
    let mut errors = Vec::new();
    #[cfg(feature = "ws")]
    match comm.websocket() {
        Ok(server) => errors.extend(server.check().err().map(Error::from)),
        Err(error) => errors.push(error),
    }
    #[cfg(feature = "bifrost")]
    errors.extend(comm.schema().err());
    #[cfg(feature = "services")]
    for name in comm.settings().list("services") {
        let driver = comm.registry().driver(name, comm.settings());
        errors.extend(driver.err().map(|error| match error {
            crate::core::Error::Registry(unknown) => Error::Registry(unknown),
            other => Error::Part(other),
        }));
    }
    errors
}
