//! What Redis is: its names, its recipe, its probe, its connection. Starts nothing.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;
use zcomm_core::service::{
    Account, ClientRecipe, ConnectionInfo, ContainerRecipe, DriverInfo, Endpoint, InstallHint,
    Login, Os, Probe, ProcessRecipe, Program, RecipeFile, Recipes, ServiceDriver, ServiceIdentity,
    StartPlan, StopSignal, SystemUnits,
};

use crate::error::{is_login, is_starting};
use crate::resp::{Client, Reply};
use crate::{Error, config};

const ABOUT: DriverInfo = DriverInfo::new("redis", "Redis", 6379)
    .with_login(Login::Password)
    .with_install(&[
        InstallHint::new(Os::Linux, "sudo apt-get install redis-server"),
        InstallHint::new(Os::Macos, "brew install redis"),
        InstallHint::new(
            Os::Windows,
            "https://redis.io/docs/latest/operate/oss_and_stack/install/",
        ),
    ]);

/// Where a server may be that is not on `PATH`.
const FOLDERS: [&str; 3] = [
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/local/opt/redis/bin",
];
/// The configuration's place inside a container.
const CONF_INSIDE: &str = "/zcomm-redis.conf";
/// What stands in an address only escaped (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// A server may have to write its data before it goes.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The driver of Redis, and of servers that speak its protocol, which are called what they are.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Redis;

#[async_trait]
impl ServiceDriver for Redis {
    fn about(&self) -> &DriverInfo {
        &ABOUT
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        let conf = plan.folder.join("redis.conf");
        // What is not kept needs no good-bye, and SIGKILL is the fastest way to go.
        let signal = if plan.persistent {
            StopSignal::Terminate
        } else {
            StopSignal::Kill
        };
        let process = ProcessRecipe::new(Program::new("redis-server").also_in(FOLDERS))
            .args([conf.to_string_lossy()])
            .file(RecipeFile::new(conf, config::file(plan)))
            .account(Account::Named("redis"))
            .stop(signal, STOP_WITHIN);
        Recipes::none()
            .with_process(process)
            .with_container(container(plan))
            .with_system(units())
    }

    async fn probe(&self, at: &Endpoint) -> Probe {
        let start = Instant::now();
        match tokio::time::timeout(at.limit, identify(at)).await {
            Ok(Ok(identity)) => Probe::running(identity, start.elapsed()),
            Ok(Err(error)) => in_state(&error, start.elapsed()),
            Err(_) => Probe::unknown(format!("nothing was said within {:?}", at.limit)),
        }
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        let url = url(at);
        ConnectionInfo::new(probe.state, at.clone(), url.as_str())
            .with_variable("REDIS_URL", url)
            .with_client(client(at))
    }
}

/// The official image. It takes no password from its environment, and on a command line it would be seen.
fn container(plan: &StartPlan) -> ContainerRecipe {
    let version = plan.version.as_deref().unwrap_or("7");
    let image = plan.image.clone();
    let image = image.unwrap_or_else(|| format!("redis:{version}"));
    ContainerRecipe::new(image, config::PORT_INSIDE, config::DATA_INSIDE)
        .file(RecipeFile::new(CONF_INSIDE, config::inside(plan)))
        .args([CONF_INSIDE])
}

fn units() -> SystemUnits {
    SystemUnits::new()
        .systemd(["redis-server.service", "redis.service", "valkey.service"])
        .brew(["redis", "valkey"])
        .windows(["Redis"])
}

/// `redis-cli`, which takes the password from its environment.
fn client(at: &Endpoint) -> ClientRecipe {
    let program = Program::new("redis-cli").also_in(FOLDERS);
    let port = at.port.to_string();
    let client = ClientRecipe::new(program).args(["-h", at.host.as_str(), "-p", &port]);
    match &at.password {
        Some(password) => client.env("REDISCLI_AUTH", password.clone()),
        None => client,
    }
}

/// Which instance answers there.
async fn identify(at: &Endpoint) -> Result<ServiceIdentity, Error> {
    let mut client = Client::connect(&at.host, at.port).await?;
    greet(&mut client, at).await?;
    let info = client.ask(&["INFO", "server"]).await?;
    let Reply::Bulk(Some(text)) = info else {
        return Err(stranger(&info));
    };
    let mut identity = identity(&text).ok_or_else(|| stranger(&Reply::Simple(text)))?;
    // Some servers have this command forbidden; the folder is then not known.
    if let Ok(Reply::Array(pair)) = client.ask(&["CONFIG", "GET", "dir"]).await {
        identity.data_dir = pair.into_iter().nth(1).map(PathBuf::from);
    }
    Ok(identity)
}

/// Says hello, and the password only to one that asks for it the way Redis does.
async fn greet(client: &mut Client, at: &Endpoint) -> Result<(), Error> {
    let hello = match (client.ask(&["PING"]).await, &at.password) {
        (Err(Error::Refused { message }), Some(password)) if message.starts_with("NOAUTH") => {
            match &at.user {
                Some(user) => client.ask(&["AUTH", user, password.expose()]).await?,
                None => client.ask(&["AUTH", password.expose()]).await?,
            };
            client.ask(&["PING"]).await?
        }
        (answer, _) => answer?,
    };
    match hello {
        Reply::Simple(text) if text == "PONG" => Ok(()),
        other => Err(stranger(&other)),
    }
}

/// The fields of `INFO server`; nothing if the version is missing.
fn identity(info: &str) -> Option<ServiceIdentity> {
    let field = |name: &str| {
        let rows = info.lines().filter_map(|row| row.split_once(':'));
        let value = rows.into_iter().find(|(key, _)| *key == name)?.1.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    // Valkey also reports the version of Redis that it is compatible with.
    let product = field("server_name").filter(|product| product != "redis");
    let version = field("valkey_version").or_else(|| field("redis_version"))?;
    let mut identity = ServiceIdentity::default();
    identity.product = product;
    identity.version = Some(version);
    identity.instance = field("run_id");
    identity.pid = field("process_id").and_then(|pid| pid.parse().ok());
    let uptime = field("uptime_in_seconds").and_then(|seconds| seconds.parse().ok());
    identity.uptime = uptime.map(Duration::from_secs);
    Some(identity)
}

fn stranger(reply: &Reply) -> Error {
    let said = match reply {
        Reply::Simple(text) | Reply::Bulk(Some(text)) => text.chars().take(40).collect(),
        Reply::Bulk(None) => "nothing".to_owned(),
        Reply::Array(_) => "a list".to_owned(),
    };
    Error::NotRedis { said }
}

fn in_state(error: &Error, latency: Duration) -> Probe {
    use std::io::ErrorKind;

    match error {
        Error::Connection(io) if io.kind() == ErrorKind::ConnectionRefused => Probe::stopped(),
        Error::Connection(io) => Probe::error(io.to_string()),
        Error::Refused { message } if is_starting(message) => Probe::starting(message),
        Error::Refused { message } if is_login(message) => {
            Probe::closed(error.to_string(), latency)
        }
        other => Probe::error(other.to_string()),
    }
}

fn url(at: &Endpoint) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let user = at.user.as_deref().map(escaped).unwrap_or_default();
    match &at.password {
        Some(password) => format!("redis://{user}:{}@{at}", escaped(password.expose())),
        None => format!("redis://{at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_from_the_rows_of_info() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nprocess_id:42\r\nuptime_in_seconds:7\r\n";

        let found = identity(info).unwrap();

        assert_eq!(found.version.as_deref(), Some("7.0.15"));
        assert_eq!(found.instance.as_deref(), Some("abc"));
        assert_eq!(
            (found.pid, found.uptime),
            (Some(42), Some(Duration::from_secs(7)))
        );
        assert_eq!(identity("# Server\r\n"), None);
    }

    #[test]
    fn a_compatible_server_is_called_what_it_is() {
        let info = "server_name:valkey\r\nredis_version:7.2.4\r\nvalkey_version:8.0.1\r\n";

        let found = identity(info).unwrap();

        assert_eq!(found.product.as_deref(), Some("valkey"));
        assert_eq!(found.version.as_deref(), Some("8.0.1"));
    }

    #[test]
    fn the_password_is_escaped_in_the_address() {
        let at = Endpoint::local(6379).with_password("a/b@c");

        assert_eq!(url(&at), "redis://:a%2Fb%40c@127.0.0.1:6379");
    }

    #[test]
    fn the_password_is_not_on_the_command_line() {
        let plan = StartPlan::new(Endpoint::local(1).with_password("hunter2"), "/x");

        let recipe = Redis.recipes(&plan).process.unwrap();

        assert_eq!(recipe.args, ["/x/redis.conf"]);
        assert!(!format!("{recipe:?}").contains("hunter2"));
    }

    #[test]
    fn a_container_has_its_configuration_in_a_file() {
        let plan = StartPlan::new(Endpoint::local(1).with_password("hunter2"), "/x");

        let recipe = Redis.recipes(&plan).container.unwrap();

        let file = recipe.files[0].content.expose();
        assert_eq!((recipe.image.as_str(), recipe.port), ("redis:7", 6379));
        assert!(file.contains("requirepass \"hunter2\"") && file.contains("dir \"/data\""));
        assert!(!format!("{recipe:?}").contains("hunter2"));
    }
}
