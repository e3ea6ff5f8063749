//! Makes, starts and removes the container of one service of one project. Probes nothing.

use std::path::Path;
use std::time::Duration;

use zcomm_core::Secret;
use zcomm_core::service::{ContainerRecipe, StartPlan};

use super::engine::Call;
use super::{Container, Engine, PROJECT, SERVICE, archive};
use crate::Error;

/// How long a container may take to stop before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(30);

impl Container {
    /// The container of a service of the project in that folder; nothing is made yet.
    pub(crate) fn named(engine: Engine, service: &str, project: &Path, plan: &StartPlan) -> Self {
        let name = name(service, project);
        // Data in a folder of the caller's own stays there.
        let own_folder = plan.data_dir != plan.folder.join("data");
        let volume = (plan.persistent && !own_folder).then(|| name.clone());
        Self {
            engine,
            name,
            volume,
        }
    }

    /// Whether its names are those that every container of this service of this project has.
    pub(crate) fn is_of(&self, service: &str, project: &Path) -> bool {
        let name = name(service, project);
        let volume = self.volume.as_ref();
        self.name == name && volume.is_none_or(|volume| *volume == name)
    }

    /// Makes it, with its files inside, in place of any that was left by an earlier start.
    pub(crate) async fn create(
        &self,
        service: &str,
        project: &Path,
        (plan, recipe): (&StartPlan, &ContainerRecipe),
    ) -> Result<(), Error> {
        self.sweep(service, project).await?;
        self.engine.fetch(&recipe.image).await?;
        let mut call = Call::of(self.words(service, project, (plan, recipe)));
        let env = recipe.env.iter();
        call.env = env.map(|(name, value)| (name.as_str(), value)).collect();
        self.engine.call(call).await?;
        for file in &recipe.files {
            let path = file.path.to_string_lossy();
            let archive = archive::of(&path, file.content.expose().as_bytes());
            let mut call = Call::of(["cp", "-", &format!("{}:/", self.name)]);
            call.input = &archive;
            self.engine.call(call).await?;
        }
        Ok(())
    }

    pub(crate) async fn start(&self) -> Result<(), Error> {
        self.engine.run(["start", &self.name]).await.map(drop)
    }

    /// Whether it is there and runs.
    pub(crate) async fn is_alive(&self) -> bool {
        let format = "{{.State.Running}}";
        let said = self
            .engine
            .run(["container", "inspect", "--format", format, &self.name])
            .await;
        said.is_ok_and(|said| said == "true")
    }

    /// Waits for its end; says with which status it came.
    pub(crate) async fn wait(&self) -> String {
        let waited = self.engine.command().args(["wait", &self.name]).output();
        match waited.await {
            Ok(output) => {
                let status = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                format!("exit status: {status}")
            }
            Err(error) => error.to_string(),
        }
    }

    /// Stops it, and kills it where nothing of it is to stay.
    pub(crate) async fn stop(&self, persistent: bool) -> Result<(), Error> {
        if !self.is_alive().await {
            return Ok(());
        }
        if !persistent {
            return self.engine.run(["kill", &self.name]).await.map(drop);
        }
        let seconds = STOP_WITHIN.as_secs().to_string();
        let mut call = Call::of(["stop", "--time", &seconds, &self.name]);
        call.within = Some(STOP_WITHIN * 2);
        self.engine.call(call).await.map(drop)
    }

    /// The last lines that it wrote.
    pub(crate) async fn last_lines(&self, count: usize) -> Vec<String> {
        self.engine.logs(&self.name, count).await
    }

    /// Removes it, with the volumes that have no name.
    pub(crate) async fn remove(&self) -> Result<(), Error> {
        match self
            .engine
            .run(["rm", "--force", "--volumes", &self.name])
            .await
        {
            // `docker` says so, `podman rm --force` does not mind.
            Err(Error::Command { said, .. }) if said.contains("No such container") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Removes the volume that kept its data.
    pub(crate) async fn remove_volume(&self) -> Result<(), Error> {
        let Some(volume) = &self.volume else {
            return Ok(());
        };
        let words = ["volume", "rm", "--force", volume];
        self.engine.run(words).await.map(drop)
    }

    /// Removes what containers of this service of this project an earlier start left without a record.
    async fn sweep(&self, service: &str, project: &Path) -> Result<(), Error> {
        let ours = format!("label={PROJECT}={}", project.display());
        let its = format!("label={SERVICE}={service}");
        let words = [
            "ps", "--all", "--quiet", "--filter", &ours, "--filter", &its,
        ];
        let left = self.engine.run(words).await?;
        for id in left.split_whitespace() {
            self.engine.run(["rm", "--force", "--volumes", id]).await?;
        }
        Ok(())
    }

    fn words(
        &self,
        service: &str,
        project: &Path,
        (plan, recipe): (&StartPlan, &ContainerRecipe),
    ) -> Vec<String> {
        let mut words = vec!["create".to_owned(), "--name".to_owned(), self.name.clone()];
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--label", format!("{PROJECT}={}", project.display()));
        option("--label", format!("{SERVICE}={service}"));
        let (host, port, inside) = (&plan.endpoint.host, plan.endpoint.port, recipe.port);
        option("--publish", format!("{host}:{port}:{inside}/tcp"));
        for (name, _) in &recipe.env {
            option("--env", name.clone());
        }
        let inside = &recipe.data_dir;
        match &self.volume {
            Some(volume) => option("--volume", format!("{volume}:{inside}")),
            None if plan.persistent => {
                let folder = plan.data_dir.display();
                option("--mount", format!("type=bind,src={folder},dst={inside}"));
            }
            None => option("--tmpfs", inside.clone()),
        }
        words.push(recipe.image.clone());
        words.extend(recipe.args.iter().chain(&plan.extra_args).cloned());
        words
    }
}

fn name(service: &str, project: &Path) -> String {
    let digest = Secret::new(project.to_string_lossy()).digest().to_hex();
    format!("zcomm-{}-{service}", &digest[..12])
}

#[cfg(test)]
mod tests {
    use zcomm_core::service::Endpoint;

    use super::*;

    fn words(plan: &StartPlan) -> String {
        let engine: Engine = serde_json::from_str("\"docker\"").unwrap();
        let container = Container::named(engine, "naps", Path::new("/shop"), plan);
        let recipe = ContainerRecipe::new("naps:7", 9, "/data")
            .env("NAPS_PASSWORD", "hunter2")
            .args(["--quiet"]);
        container
            .words("naps", Path::new("/shop"), (plan, &recipe))
            .join(" ")
    }

    #[test]
    fn a_container_is_published_on_loopback_only_and_shows_no_secret() {
        let words = words(&StartPlan::new(Endpoint::local(1234), "/x"));

        assert!(
            words.contains(" --publish 127.0.0.1:1234:9/tcp "),
            "{words}"
        );
        assert!(words.contains(" --env NAPS_PASSWORD "), "{words}");
        assert!(words.ends_with(" --tmpfs /data naps:7 --quiet"), "{words}");
    }

    #[test]
    fn data_that_is_kept_is_in_a_volume_or_in_the_callers_folder() {
        let plan = StartPlan::new(Endpoint::local(1), "/x").persistent();

        let volume = words(&plan);
        let folder = words(&plan.data_dir("/precious"));

        assert!(volume.contains("-naps:/data naps:7"), "{volume}");
        assert!(
            folder.contains(" --mount type=bind,src=/precious,dst=/data "),
            "{folder}"
        );
    }
}
