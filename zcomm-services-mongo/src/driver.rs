//! What MongoDB is: its names, its recipe, its probe, its connection. Starts nothing.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;
use zcomm_core::Settings;
use zcomm_core::service::{
    Account, ClientRecipe, ConnectionInfo, ContainerRecipe, DriverInfo, Endpoint, InstallHint,
    Login, Os, Probe, ProcessRecipe, Program, RecipeFile, Recipes, ServiceDriver, StartPlan,
    StopSignal, SystemUnits,
};

use crate::{Error, session};

const ABOUT: DriverInfo = DriverInfo::new("mongodb", "MongoDB", 27017)
    .with_aliases(&["mongo"])
    .with_login(Login::User {
        user: "zcomm",
        database: "zcomm",
    })
    .with_install(&[
        InstallHint::new(
            Os::Linux,
            "https://www.mongodb.com/docs/manual/administration/install-on-linux/",
        ),
        InstallHint::new(Os::Macos, "brew install mongodb/brew/mongodb-community"),
        InstallHint::new(
            Os::Windows,
            "https://www.mongodb.com/try/download/community",
        ),
    ]);

/// Where the server may be that is not on `PATH`.
const FOLDERS: [&str; 4] = [
    "/opt/homebrew/opt/mongodb-community*/bin",
    "/usr/local/opt/mongodb-community*/bin",
    "/opt/mongodb/*/bin",
    "C:/Program Files/MongoDB/Server/*/bin",
];
/// What stands in an address only escaped (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// A server has to write a checkpoint before it goes.
const STOP_WITHIN: Duration = Duration::from_secs(30);
const IMAGE_VERSION: &str = "7";

/// The driver of MongoDB, and of servers that speak its protocol, which are called what they are.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Mongo {
    /// The server's program, where it is not to be looked for.
    program: Option<PathBuf>,
}

impl Mongo {
    /// The driver as the settings have it.
    pub fn of(settings: &Settings) -> Self {
        let path = "mongodb.program";
        let set = settings.knows(path).then(|| settings.path(path)).flatten();
        Self {
            program: set.map(PathBuf::from),
        }
    }

    fn program(&self) -> Program {
        let named = self.program.as_ref().and_then(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            let folder = path.parent()?.to_string_lossy().into_owned();
            Some(Program::new(name).also_in([folder]))
        });
        named.unwrap_or_else(|| Program::new("mongod").also_in(FOLDERS))
    }
}

#[async_trait]
impl ServiceDriver for Mongo {
    fn about(&self) -> &DriverInfo {
        &ABOUT
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        // What is not kept needs no good-bye.
        let signal = if plan.persistent {
            StopSignal::Terminate
        } else {
            StopSignal::Kill
        };
        let mut process = ProcessRecipe::new(self.program())
            .args(arguments(plan))
            .account(Account::Named("mongodb"))
            .lock_file(plan.data_dir.join("mongod.lock"))
            .stop(signal, STOP_WITHIN);
        if let Some(password) = &plan.endpoint.password {
            // Members of a set know each other by a key; it takes the letters of base64, and no user is told it.
            let key = password.digest().to_hex();
            process = process.file(RecipeFile::new(key_file(plan), key));
        }
        Recipes::none()
            .with_process(process)
            .with_container(container(plan))
            .with_system(
                SystemUnits::new()
                    .systemd(["mongod.service", "mongodb.service"])
                    .brew(["mongodb-community"])
                    .windows(["MongoDB"]),
            )
    }

    async fn probe(&self, at: &Endpoint) -> Probe {
        let start = Instant::now();
        match tokio::time::timeout(at.limit, session::identify(at)).await {
            Ok(Ok(identity)) => Probe::running(identity, start.elapsed()),
            Ok(Err(error)) => in_state(&error, start.elapsed()),
            Err(_) => Probe::unknown(format!("nothing was said within {:?}", at.limit)),
        }
    }

    async fn prepare(&self, plan: &StartPlan) -> Result<(), zcomm_core::Error> {
        Ok(session::prepare(&plan.endpoint).await?)
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        let url = url(at);
        let client = ClientRecipe::new(Program::new("mongosh").also_in(FOLDERS));
        let client = client
            .args(client_words(at))
            .env("MONGODB_URI", url.as_str());
        ConnectionInfo::new(probe.state, at.clone(), url.as_str())
            .with_variable("MONGODB_URI", url)
            .with_client(client)
    }
}

fn arguments(plan: &StartPlan) -> Vec<String> {
    let at = &plan.endpoint;
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut arguments = vec![
        "--dbpath".to_owned(),
        text(plan.data_dir.clone()),
        "--bind_ip".to_owned(),
        at.host.clone(),
        "--port".to_owned(),
        at.port.to_string(),
        // Without a set there are neither transactions nor change streams.
        "--replSet".to_owned(),
        session::SET.to_owned(),
        // Its socket would be in a folder that everybody may look into.
        "--nounixsocket".to_owned(),
    ];
    if at.password.is_some() {
        arguments.extend([
            "--auth".to_owned(),
            "--keyFile".to_owned(),
            text(key_file(plan)),
        ]);
    }
    arguments
}

fn key_file(plan: &StartPlan) -> PathBuf {
    plan.folder.join("mongod.key")
}

/// The official image, which makes its first user from its environment. It is no replica set: that would need a key
/// file of the account that the server has inside.
fn container(plan: &StartPlan) -> ContainerRecipe {
    let version = plan.version.as_deref().unwrap_or(IMAGE_VERSION);
    let image = plan.image.clone();
    let image = image.unwrap_or_else(|| format!("mongo:{version}"));
    let mut recipe = ContainerRecipe::new(image, 27017, "/data/db");
    let at = &plan.endpoint;
    if let (Some(user), Some(password)) = (&at.user, &at.password) {
        recipe = recipe
            .env("MONGO_INITDB_ROOT_USERNAME", user.as_str())
            .env("MONGO_INITDB_ROOT_PASSWORD", password.clone());
    }
    recipe
}

/// `mongosh` asks for a password that its command line does not hold; the address is in its environment.
fn client_words(at: &Endpoint) -> Vec<String> {
    let mut words = vec![
        "--host".to_owned(),
        at.host.clone(),
        "--port".to_owned(),
        at.port.to_string(),
    ];
    if let Some(user) = &at.user {
        words.extend(["--username", user, "--authenticationDatabase", "admin"].map(str::to_owned));
    }
    words.extend(at.database.clone());
    words
}

fn in_state(error: &Error, latency: Duration) -> Probe {
    use std::io::ErrorKind;

    match error {
        Error::Connection(io) if io.kind() == ErrorKind::ConnectionRefused => Probe::stopped(),
        Error::Connection(io) => Probe::error(io.to_string()),
        Error::Electing => Probe::starting(error.to_string()),
        Error::NotInitiated => Probe::closed(error.to_string(), latency),
        refused if refused.is_login() => Probe::closed(refused.to_string(), latency),
        other => Probe::error(other.to_string()),
    }
}

fn url(at: &Endpoint) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let database = at.database.as_deref().map(escaped).unwrap_or_default();
    let (login, source) = match (&at.user, &at.password) {
        (Some(user), Some(password)) => {
            let login = format!("{}:{}@", escaped(user), escaped(password.expose()));
            (login, "authSource=admin&")
        }
        _ => (String::new(), ""),
    };
    // A set of one would have clients look for its members by the names they have for themselves.
    format!("mongodb://{login}{at}/{database}?{source}directConnection=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> StartPlan {
        let endpoint = Endpoint::local(27017)
            .as_user("me", "hunter2")
            .with_database("shop");
        StartPlan::new(endpoint, "/x")
    }

    #[test]
    fn the_server_is_a_set_of_one_and_asks_for_a_login() {
        let recipe = Mongo::default().recipes(&plan()).process.unwrap();

        assert_eq!(
            recipe.args.join(" "),
            "--dbpath /x/data --bind_ip 127.0.0.1 --port 27017 --replSet zcomm --nounixsocket \
             --auth --keyFile /x/mongod.key"
        );
        assert!(!format!("{recipe:?}").contains("hunter2"));
        // The key is no way to the password.
        assert!(!recipe.files[0].content.expose().contains("hunter2"));
    }

    #[test]
    fn a_container_gets_its_first_user_by_the_environment() {
        let recipe = Mongo::default().recipes(&plan()).container.unwrap();

        assert_eq!((recipe.image.as_str(), recipe.args.len()), ("mongo:7", 0));
        let password = &recipe.env[1];
        assert_eq!(
            (password.0.as_str(), password.1.expose()),
            ("MONGO_INITDB_ROOT_PASSWORD", "hunter2")
        );
    }

    #[test]
    fn the_address_names_user_password_and_database() {
        assert_eq!(
            url(&plan().endpoint),
            "mongodb://me:hunter2@127.0.0.1:27017/shop?authSource=admin&directConnection=true"
        );
        assert_eq!(
            url(&Endpoint::local(1)),
            "mongodb://127.0.0.1:1/?directConnection=true"
        );
    }

    #[test]
    fn no_command_line_of_the_client_shows_the_password() {
        assert!(!client_words(&plan().endpoint).join(" ").contains("hunter2"));
    }
}
