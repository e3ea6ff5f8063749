//! The client that a person talks to a service with, ready to be run. Runs none.

use std::process::Command;

use crate::manager::Manager;
use crate::{Error, process};

impl Manager {
    /// The service's own client, `psql` or `redis-cli`, told where the service is and as whom to ask it.
    ///
    /// Passwords go by its environment, not by its command line.
    ///
    /// # Errors
    ///
    /// [`Error::NothingToAdopt`] if the service does not answer, [`Error::NoClient`] if the driver knows none, and
    /// [`Error::NotInstalled`] if it is not there.
    pub async fn client(&self, name: &str) -> Result<Command, Error> {
        let service = self.service(name)?;
        let info = self.connection_info(name).await?;
        if info.status != zcomm_core::service::ServiceState::Running {
            return Err(Error::NothingToAdopt {
                service: service.name,
                endpoint: info.endpoint.to_string(),
            });
        }
        let recipe = info.client.ok_or(Error::NoClient {
            service: service.name,
        })?;
        let program = process::programs(&recipe.program).into_iter().next();
        let program = program.ok_or_else(|| Error::NotInstalled {
            service: service.name,
            program: recipe.program.name.clone(),
            looked_in: recipe.program.look_in.clone(),
            hint: service.driver.about().install_hint(),
        })?;
        let mut command = Command::new(program);
        let env = recipe.env.iter();
        command
            .args(&recipe.args)
            .envs(env.map(|(name, value)| (name, value.expose())));
        Ok(command)
    }
}
