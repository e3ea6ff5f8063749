//! What PostgreSQL is: its names, its recipe, its probe, its connection. Starts nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;
use zcomm_core::Secret;
use zcomm_core::service::{
    Account, ClientRecipe, ConnectionInfo, ContainerRecipe, DriverInfo, Endpoint, InitStep,
    InstallHint, Login, Os, Probe, ProcessRecipe, Program, RecipeFile, Recipes, ServiceDriver,
    StartPlan, StopSignal, SystemUnits, Template,
};

use crate::error::is_starting;
use crate::{Error, config, session, verifier};

const ABOUT: DriverInfo = DriverInfo::new("postgresql", "PostgreSQL", 5432)
    .with_aliases(&["postgres", "pg"])
    .with_login(Login::User {
        user: "postgres",
        database: "zcomm",
    })
    .with_install(&[
        InstallHint::new(Os::Linux, "sudo apt-get install postgresql"),
        InstallHint::new(Os::Macos, "brew install postgresql"),
        InstallHint::new(Os::Windows, "https://www.postgresql.org/download/windows/"),
    ]);

/// Where the programs are that distributions keep off `PATH`, one folder per version.
const FOLDERS: [&str; 5] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];
/// A server may have to write a checkpoint before it goes.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// What a server whose data goes with it need not do.
const NOT_DURABLE: [&str; 3] = ["fsync", "synchronous_commit", "full_page_writes"];
/// The version of a container, where nobody wishes one.
const IMAGE_VERSION: &str = "17";
/// Where a container keeps its data.
const CONTAINER_DATA: &str = "/var/lib/postgresql/data";
/// The longest path of a Unix socket (sockaddr_un), and what the server appends to its folder.
const SOCKET_PATH: usize = 107 - "/.s.PGSQL.65535.lock".len();
/// What stands in an address only escaped (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The driver of PostgreSQL.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Postgres;

#[async_trait]
impl ServiceDriver for Postgres {
    fn about(&self) -> &DriverInfo {
        &ABOUT
    }

    fn recipes(&self, plan: &StartPlan) -> Recipes {
        let rules = plan.folder.join("pg_hba.conf");
        let password = plan.folder.join("initdb.password");
        // SIGQUIT leaves recovery to a next start, which throw-away data does not have.
        let signal = if plan.persistent {
            StopSignal::Interrupt
        } else {
            StopSignal::Quit
        };
        let blank = plan.endpoint.password.as_ref().map(|_| verifier::BLANK);
        let mut process = ProcessRecipe::new(program("postgres"))
            .args(arguments(plan, &rules))
            .file(file(&rules, config::LOGIN_RULES))
            .file(file(&password, blank.unwrap_or_default()))
            .account(Account::Named("postgres"))
            .version_file(plan.data_dir.join("PG_VERSION"))
            .lock_file(plan.data_dir.join("postmaster.pid"))
            .init(initdb(plan, &password))
            .stop(signal, STOP_WITHIN);
        if let Some(sockets) = sockets(plan) {
            process = process.folder(sockets);
        }
        if let Some(step) = create_database(plan) {
            process = process.init(step);
        }
        if let Some(password) = &plan.endpoint.password {
            process = process.template(with_password(plan, password));
        }
        Recipes::none()
            .with_process(process)
            .with_container(container(plan))
            .with_system(units())
    }

    async fn probe(&self, at: &Endpoint) -> Probe {
        let start = Instant::now();
        match tokio::time::timeout(at.limit, session::identify(at)).await {
            Ok(Ok(identity)) => Probe::running(identity, start.elapsed()),
            Ok(Err(error)) => in_state(&error, start.elapsed()),
            Err(_) => Probe::unknown(format!("nothing was said within {:?}", at.limit)),
        }
    }

    fn connection_info(&self, at: &Endpoint, probe: &Probe) -> ConnectionInfo {
        let url = url(at);
        let mut info = ConnectionInfo::new(probe.state, at.clone(), url.as_str())
            .with_variable("DATABASE_URL", url)
            .with_variable("PGHOST", at.host.as_str())
            .with_variable("PGPORT", at.port.to_string())
            .with_client(client(at));
        if let Some(user) = &at.user {
            info = info.with_variable("PGUSER", user.as_str());
        }
        if let Some(password) = &at.password {
            info = info.with_variable("PGPASSWORD", password.clone());
        }
        if let Some(database) = &at.database {
            info = info.with_variable("PGDATABASE", database.as_str());
        }
        info
    }
}

/// The official image, which takes user, password and database from its environment.
fn container(plan: &StartPlan) -> ContainerRecipe {
    let version = plan.version.as_deref().unwrap_or(IMAGE_VERSION);
    let image = plan.image.clone();
    let image = image.unwrap_or_else(|| format!("postgres:{version}"));
    let at = &plan.endpoint;
    let user = at.user.as_deref().unwrap_or("postgres");
    let mut recipe = ContainerRecipe::new(image, 5432, CONTAINER_DATA)
        // From version 18 on the image has another folder by itself.
        .env("PGDATA", CONTAINER_DATA)
        .env("POSTGRES_USER", user)
        .env("POSTGRES_DB", at.database.as_deref().unwrap_or(user))
        .env("POSTGRES_HOST_AUTH_METHOD", "scram-sha-256")
        .args(["postgres"]);
    if let Some(password) = &at.password {
        recipe = recipe.env("POSTGRES_PASSWORD", password.clone());
    }
    if !plan.persistent {
        let durable = NOT_DURABLE.iter();
        recipe = recipe.args(durable.flat_map(|name| ["-c".to_owned(), format!("{name}=off")]));
    }
    recipe
}

fn units() -> SystemUnits {
    let versions = (13..=18).rev();
    let brew = versions
        .clone()
        .map(|version| format!("postgresql@{version}"));
    let windows = versions.map(|version| format!("postgresql-x64-{version}"));
    SystemUnits::new()
        .systemd(["postgresql.service"])
        .brew(brew)
        .windows(windows)
}

/// `psql`, which takes everything from its environment.
fn client(at: &Endpoint) -> ClientRecipe {
    let mut client = ClientRecipe::new(program("psql"))
        .env("PGHOST", at.host.as_str())
        .env("PGPORT", at.port.to_string());
    let texts = [("PGUSER", &at.user), ("PGDATABASE", &at.database)];
    for (name, value) in texts {
        if let Some(value) = value {
            client = client.env(name, value.as_str());
        }
    }
    match &at.password {
        Some(password) => client.env("PGPASSWORD", password.clone()),
        None => client,
    }
}

/// Puts the verifier of the password in the place of the blank one, where PostgreSQL keeps its users: the table
/// `pg_authid`, whose file is named by a number that is the same everywhere.
fn with_password(plan: &StartPlan, password: &Secret) -> Template {
    let place = shown(&plan.data_dir);
    Template::new(
        "global/1260",
        verifier::BLANK,
        verifier::verifier(password.expose(), &place),
    )
}

fn program(name: &str) -> Program {
    Program::new(name).also_in(FOLDERS)
}

fn file(path: &Path, text: &str) -> RecipeFile {
    RecipeFile::new(path.to_owned(), text)
}

fn arguments(plan: &StartPlan, rules: &Path) -> Vec<String> {
    let mut arguments = vec!["-D".to_owned(), shown(&plan.data_dir)];
    let mut set =
        |name: &str, value: &str| arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    set("port", &plan.endpoint.port.to_string());
    set("listen_addresses", &plan.endpoint.host);
    set("hba_file", &shown(rules));
    set("password_encryption", "scram-sha-256");
    let sockets = sockets(plan).map(|folder| format!("\"{}\"", shown(&folder)));
    set("unix_socket_directories", &sockets.unwrap_or_default());
    // The log is the output, wherever the data folder's own configuration would have it.
    set("logging_collector", "off");
    set("log_destination", "stderr");
    if !plan.persistent {
        for durable in NOT_DURABLE {
            set(durable, "off");
        }
    }
    arguments
}

fn initdb(plan: &StartPlan, password: &Path) -> InitStep {
    let user = plan.endpoint.user.as_deref().unwrap_or("postgres");
    let mut arguments = vec![
        format!("--pgdata={}", shown(&plan.data_dir)),
        format!("--username={user}"),
        format!("--pwfile={}", shown(password)),
        "--auth=scram-sha-256".to_owned(),
        // The same order and case rules on every machine.
        "--no-locale".to_owned(),
        "--encoding=UTF8".to_owned(),
    ];
    if !plan.persistent {
        // Small files of the log: a new folder is to be copied in no time.
        arguments.extend(["--no-sync", "--wal-segsize=1"].map(str::to_owned));
    }
    InitStep::new(
        program("initdb"),
        arguments,
        plan.data_dir.join("PG_VERSION"),
    )
}

/// The step that makes the database, while no server runs: a server without clients takes a command from its input.
fn create_database(plan: &StartPlan) -> Option<InitStep> {
    let database = plan.endpoint.database.as_deref()?;
    if ["postgres", "template1", "template0"].contains(&database) {
        return None;
    }
    let marker = plan
        .data_dir
        .join(format!("zcomm-database.{}", escaped(database)));
    let single = ["--single", "-D", &shown(&plan.data_dir), "template1"].map(str::to_owned);
    let quoted = database.replace('"', "\"\"").replace(['\n', '\r'], " ");
    let step = InitStep::new(program("postgres"), single, marker);
    Some(step.stdin(format!("CREATE DATABASE \"{quoted}\";\n")))
}

/// The folder of the Unix socket, unless its path is longer than a socket's may be, or would need quoting.
fn sockets(plan: &StartPlan) -> Option<PathBuf> {
    let folder = plan.folder.join("sockets");
    let text = folder.to_str()?;
    (text.len() <= SOCKET_PATH && !text.contains('"')).then_some(folder)
}

fn in_state(error: &Error, latency: Duration) -> Probe {
    use std::io::ErrorKind;

    match error {
        Error::Connection(io) if io.kind() == ErrorKind::ConnectionRefused => Probe::stopped(),
        Error::Connection(io) => Probe::error(io.to_string()),
        Error::Refused { state, message } if is_starting(state) => Probe::starting(message),
        Error::Refused { .. } | Error::NoPassword | Error::UnknownLogin { .. } => {
            Probe::closed(error.to_string(), latency)
        }
        other => Probe::error(other.to_string()),
    }
}

fn url(at: &Endpoint) -> String {
    let user = at.user.as_deref().map(escaped).unwrap_or_default();
    let password = at
        .password
        .as_ref()
        .map(|password| format!(":{}", escaped(password.expose())));
    let database = at.database.as_deref().map(escaped).unwrap_or_default();
    format!(
        "postgresql://{user}{}@{at}/{database}",
        password.unwrap_or_default()
    )
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> StartPlan {
        let endpoint = Endpoint::local(5432)
            .as_user("me", "hunter2")
            .with_database("shop");
        StartPlan::new(endpoint, "/x")
    }

    #[test]
    fn no_command_line_shows_the_password() {
        let recipe = Postgres.recipes(&plan()).process.unwrap();

        assert!(!format!("{recipe:?}").contains("hunter2"));
        let files = recipe.files.iter().map(|file| file.content.expose());
        assert!(
            files
                .into_iter()
                .all(|content| !content.contains("hunter2"))
        );
    }

    #[test]
    fn the_password_fills_a_blank_of_its_own_length() {
        let template = Postgres.recipes(&plan()).process.unwrap().template.unwrap();

        assert_eq!(template.blank.len(), template.content.expose().len());
        assert_ne!(template.blank, template.content.expose());
    }

    #[test]
    fn a_container_gets_its_password_by_the_environment() {
        let recipe = Postgres.recipes(&plan()).container.unwrap();

        assert_eq!(recipe.image, "postgres:17");
        assert!(!recipe.args.join(" ").contains("hunter2"));
        let password = recipe
            .env
            .iter()
            .find(|(name, _)| name == "POSTGRES_PASSWORD");
        assert_eq!(password.unwrap().1.expose(), "hunter2");
    }

    #[test]
    fn the_container_is_the_one_that_was_asked_for() {
        let mut plan = plan();
        plan.version = Some("15".into());
        assert_eq!(container(&plan).image, "postgres:15");

        plan.image = Some("registry.example/pg".into());
        assert_eq!(container(&plan).image, "registry.example/pg");
    }

    #[test]
    fn the_client_shows_no_password_in_the_table_of_processes() {
        let client = client(&plan().endpoint);

        assert_eq!(client.args, Vec::<String>::new());
        assert!(!format!("{client:?}").contains("hunter2"));
    }

    #[test]
    fn a_name_cannot_become_a_command_of_its_own() {
        let mut plan = plan();
        plan.endpoint.database = Some("a\";\nDROP DATABASE \"b".into());

        let step = create_database(&plan).unwrap();

        assert_eq!(
            step.stdin.expose(),
            "CREATE DATABASE \"a\"\"; DROP DATABASE \"\"b\";\n"
        );
    }

    #[test]
    fn a_folder_too_long_for_a_socket_goes_without() {
        let long = StartPlan::new(Endpoint::local(1), format!("/{}", "x".repeat(100)));

        assert_eq!(sockets(&plan()), Some("/x/sockets".into()));
        assert_eq!(sockets(&long), None);
    }

    #[test]
    fn data_that_is_kept_is_written_durably() {
        let scratch = arguments(&plan(), Path::new("/x/hba"));
        let kept = arguments(&plan().persistent(), Path::new("/x/hba"));

        assert!(scratch.contains(&"fsync=off".to_owned()));
        assert!(!kept.iter().any(|argument| argument.starts_with("fsync")));
    }

    #[test]
    fn the_address_names_user_password_and_database() {
        assert_eq!(
            url(&plan().endpoint),
            "postgresql://me:hunter2@127.0.0.1:5432/shop"
        );
    }
}
