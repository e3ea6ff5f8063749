//! One short session: who the server is, whether it lets us in, and what a new one needs. Starts nothing.

use std::path::PathBuf;
use std::time::Duration;

use zcomm_core::service::{Endpoint, ServiceIdentity};
use zcomm_services::scram::{MECHANISM, Scram};

use crate::Error;
use crate::bson::{Document, Fields};
use crate::wire::Client;

const ADMIN: &str = "admin";
/// The replica set of one that a started server is.
pub(crate) const SET: &str = "zcomm";
/// `AlreadyInitialized`, and "there is such a user".
const DONE_ALREADY: [i64; 2] = [23, 51003];
/// How often a set that was just put together is asked whether it has chosen.
const PAUSE: Duration = Duration::from_millis(20);

/// Opens a session at `at` and says who answers there.
pub(crate) async fn identify(at: &Endpoint) -> Result<ServiceIdentity, Error> {
    let mut client = Client::connect(&at.host, at.port).await?;
    let hello = hello(&mut client).await?;
    ready(&hello)?;
    log_in(&mut client, at).await?;
    let built = client.ask(command("buildInfo"), ADMIN).await?;
    let mut identity = identity(&hello, &built);
    let status = match client.ask(command("serverStatus"), ADMIN).await {
        Ok(status) => status,
        // Without a login nobody may ask this where logins are needed: we are not let in.
        Err(error) if error.is_login() && at.password.is_none() => return Err(error),
        // A user without the right to, or a server that does not know the question.
        Err(_) => Fields::default(),
    };
    identity.pid = status.number("pid").and_then(|pid| pid.try_into().ok());
    let uptime = status
        .number("uptime")
        .and_then(|uptime| uptime.try_into().ok());
    identity.uptime = uptime.map(Duration::from_secs);
    if let Ok(options) = client.ask(command("getCmdLineOpts"), ADMIN).await {
        let storage = options
            .fields("parsed")
            .and_then(|parsed| parsed.fields("storage"));
        let path = storage.and_then(|storage| storage.text("dbPath"));
        identity.data_dir = path.map(PathBuf::from);
    }
    Ok(identity)
}

/// Puts the replica set of a new server together, and makes its first user.
///
/// A server without users lets whoever comes from its own machine do that, once.
pub(crate) async fn prepare(at: &Endpoint) -> Result<(), Error> {
    let mut client = Client::connect(&at.host, at.port).await?;
    if matches!(ready(&hello(&mut client).await?), Err(Error::NotInitiated)) {
        let member = Document::new()
            .number("_id", 0)
            .text("host", &at.to_string());
        let set = Document::new().text("_id", SET).list("members", &member);
        let initiate = Document::new().document("replSetInitiate", &set);
        unless_done(client.ask(initiate, ADMIN).await)?;
    }
    while ready(&hello(&mut client).await?).is_err() {
        tokio::time::sleep(PAUSE).await;
    }
    let (Some(user), Some(password)) = (&at.user, &at.password) else {
        return Ok(());
    };
    let role = Document::new().text("role", "root").text("db", ADMIN);
    let create = Document::new()
        .text("createUser", user)
        .text("pwd", password.expose())
        .list("roles", &role);
    match client.ask(create, ADMIN).await {
        // There are users: whether ours is among them, the next probe finds out.
        Err(error) if error.is_login() => Ok(()),
        other => unless_done(other),
    }
}

fn unless_done(result: Result<Fields, Error>) -> Result<(), Error> {
    match result {
        Err(Error::Refused { number, .. }) if DONE_ALREADY.contains(&number) => Ok(()),
        other => other.map(drop),
    }
}

fn command(name: &str) -> Document {
    Document::new().number(name, 1)
}

async fn hello(client: &mut Client) -> Result<Fields, Error> {
    let hello = client.ask(command("hello"), ADMIN).await?;
    if hello.number("maxWireVersion").is_none() {
        let said = hello.names().take(3).collect::<Vec<_>>().join(", ");
        return Err(Error::NotMongo { said });
    }
    Ok(hello)
}

/// Whether the server, as one of a replica set or alone, can be read from and written to.
fn ready(hello: &Fields) -> Result<(), Error> {
    if hello.flag("isWritablePrimary") || hello.flag("secondary") {
        return Ok(());
    }
    if hello.flag("isreplicaset") {
        return Err(Error::NotInitiated);
    }
    Err(Error::Electing)
}

pub(crate) async fn log_in(client: &mut Client, at: &Endpoint) -> Result<(), Error> {
    let (Some(user), Some(password)) = (&at.user, &at.password) else {
        return Ok(());
    };
    let scram = Scram::begin(user).map_err(Error::Random)?;
    let options = Document::new().flag("skipEmptyExchange", true);
    let start = Document::new()
        .number("saslStart", 1)
        .text("mechanism", MECHANISM)
        .binary("payload", scram.first().as_bytes())
        .document("options", &options);
    let answer = client.ask(start, ADMIN).await?;
    let (last, proven) = scram
        .last(password.expose(), &payload(&answer)?)
        .ok_or(Error::Impostor)?;
    let answer = client.ask(go_on(&answer, &last), ADMIN).await?;
    if !proven.is_proof(&payload(&answer)?) {
        return Err(Error::Impostor);
    }
    if !answer.flag("done") {
        // Servers that do not know the option want one more exchange of nothing.
        client.ask(go_on(&answer, ""), ADMIN).await?;
    }
    Ok(())
}

fn go_on(answer: &Fields, payload: &str) -> Document {
    let conversation = answer.number("conversationId").unwrap_or(1);
    Document::new()
        .number("saslContinue", 1)
        .number("conversationId", i32::try_from(conversation).unwrap_or(1))
        .binary("payload", payload.as_bytes())
}

fn payload(answer: &Fields) -> Result<String, Error> {
    let bytes = answer.binary("payload").ok_or(Error::Impostor)?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Who it is. A compatible server says so by fields of its own in what MongoDB says of itself.
fn identity(hello: &Fields, built: &Fields) -> ServiceIdentity {
    let mut identity = ServiceIdentity::default();
    let own = built.names().find_map(|name| {
        let product = name
            .strip_suffix("Version")
            .filter(|product| !product.is_empty())?;
        (!OF_MONGODB.contains(&product)).then(|| (product, built.text(name)))
    });
    let version = own
        .and_then(|(_, version)| version)
        .or_else(|| built.text("version"));
    identity.version = version.map(str::to_owned);
    identity.product = own.map(|(product, _)| product.to_lowercase()).or_else(|| {
        let ferret = built.names().any(|name| name == "ferretdb");
        ferret.then(|| "ferretdb".to_owned())
    });
    let process = hello
        .fields("topologyVersion")
        .and_then(|topology| topology.binary("processId"));
    identity.instance = process.map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect());
    identity
}

/// Fields of MongoDB's own `buildInfo` that end in `Version` and name no product.
const OF_MONGODB: [&str; 4] = ["git", "js", "javascriptEngine", "sys"];

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(document: &Document) -> Fields {
        Fields::read(&document.to_bytes()).expect("it was just written")
    }

    #[track_caller]
    fn check(built: &Document, product: Option<&str>, version: &str) {
        let found = identity(&Fields::default(), &fields(built));

        assert_eq!(found.product.as_deref(), product);
        assert_eq!(found.version.as_deref(), Some(version));
    }

    #[test]
    fn compatible_servers_are_called_what_they_are() {
        let mongo = || {
            Document::new()
                .text("version", "7.0.14")
                .text("gitVersion", "abc")
        };

        check(&mongo(), None, "7.0.14");
        check(
            &mongo().text("ferretdbVersion", "v2.1"),
            Some("ferretdb"),
            "v2.1",
        );
        check(
            &mongo().document("ferretdb", &Document::new()),
            Some("ferretdb"),
            "7.0.14",
        );
        check(
            &mongo().text("secantusVersion", "0.7"),
            Some("secantus"),
            "0.7",
        );
    }

    #[test]
    fn a_server_is_ready_once_it_can_be_written_to() {
        let says = |name: &str| ready(&fields(&Document::new().flag(name, true)));

        assert!(says("isWritablePrimary").is_ok() && says("secondary").is_ok());
        assert_eq!(says("isreplicaset").unwrap_err().code(), "not_initiated");
        assert_eq!(says("ismaster").unwrap_err().code(), "electing");
    }
}
