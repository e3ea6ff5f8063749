//! One short session: opens it, asks who the server is, ends it. Takes no longer than its caller waits.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use zcomm_core::service::{Endpoint, ServiceIdentity};
use zcomm_services::scram::{MECHANISM, Proven, Scram};

use crate::{Error, wire};

/// Authentication requests, by their numbers.
const OK: u32 = 0;
const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const SASL_FINAL: u32 = 12;

/// What tells one cluster from another. Not every user may know the folder.
const WHO: &str = "SELECT (SELECT system_identifier FROM pg_control_system()), \
    extract(epoch FROM now() - pg_postmaster_start_time())::bigint, \
    CASE WHEN pg_has_role('pg_read_all_settings', 'MEMBER') THEN current_setting('data_directory') END";

/// Opens a session at `at` and says who answers there.
pub(crate) async fn identify(at: &Endpoint) -> Result<ServiceIdentity, Error> {
    let stream = TcpStream::connect((at.host.as_str(), at.port)).await?;
    stream.set_nodelay(true)?;
    let mut session = Session {
        stream,
        parameters: HashMap::new(),
    };
    session.open(at).await?;
    let row = session.ask(WHO).await.unwrap_or_default();
    // A server that is not said good-bye to logs a complaint.
    let _ = session.stream.write_all(&wire::message(b'X', &[])).await;
    Ok(session.identity(row))
}

struct Session {
    stream: TcpStream,
    /// What the server reports of itself unasked.
    parameters: HashMap<String, String>,
}

impl Session {
    async fn open(&mut self, at: &Endpoint) -> Result<(), Error> {
        let user = at.user.as_deref().unwrap_or("postgres");
        let database = at.database.as_deref().unwrap_or(user);
        self.stream
            .write_all(&wire::startup(user, database))
            .await?;
        let mut login = Login::new(at);
        let mut message = wire::read_first(&mut self.stream).await?;
        loop {
            match message.kind {
                b'R' => {
                    if let Some(answer) = login.answer(&message.body)? {
                        self.stream.write_all(&answer).await?;
                    }
                }
                b'E' => return Err(wire::refusal(&message.body)),
                b'S' => self.note(&message.body),
                b'Z' => return Ok(()),
                // Keys for cancelling, notices, versions of the protocol.
                _ => {}
            }
            message = wire::read(&mut self.stream).await?;
        }
    }

    fn note(&mut self, body: &[u8]) {
        if let [name, value, ..] = wire::texts(body).as_slice() {
            self.parameters.insert(name.clone(), value.clone());
        }
    }

    /// The first row of the answer.
    async fn ask(&mut self, text: &str) -> Result<Vec<Option<String>>, Error> {
        self.stream.write_all(&wire::query(text)).await?;
        let mut row = None;
        loop {
            let message = wire::read(&mut self.stream).await?;
            match message.kind {
                b'D' => row = row.or_else(|| wire::row(&message.body)),
                b'E' => return Err(wire::refusal(&message.body)),
                b'Z' => return Ok(row.unwrap_or_default()),
                _ => {}
            }
        }
    }

    fn identity(&self, row: Vec<Option<String>>) -> ServiceIdentity {
        let mut columns = row.into_iter();
        let mut next = || columns.next().flatten();
        let mut identity = ServiceIdentity::default();
        // `15.18 (Debian 15.18-0+deb12u1)`
        let version = self.parameters.get("server_version");
        let version = version.and_then(|text| text.split_whitespace().next());
        identity.version = version.map(str::to_owned);
        identity.product = self
            .parameters
            .contains_key("crdb_version")
            .then(|| "cockroachdb".to_owned());
        identity.instance = next();
        let uptime = next().and_then(|seconds| seconds.parse().ok());
        identity.uptime = uptime.map(Duration::from_secs);
        identity.data_dir = next().map(PathBuf::from);
        identity
    }
}

/// How far the server's questions about us have been answered.
struct Login<'a> {
    at: &'a Endpoint,
    begun: Option<Scram>,
    proven: Option<Proven>,
}

impl<'a> Login<'a> {
    fn new(at: &'a Endpoint) -> Self {
        Self {
            at,
            begun: None,
            proven: None,
        }
    }

    /// What to send for one request, if anything.
    fn answer(&mut self, body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some((number, rest)) = body.split_at_checked(4) else {
            return Err(Error::Impostor);
        };
        let number = number.try_into().map_or(u32::MAX, u32::from_be_bytes);
        match number {
            OK => self.proof_was_given().map(|()| None),
            SASL => self.begin(rest).map(Some),
            SASL_CONTINUE => self.prove(rest).map(Some),
            SASL_FINAL => self.check(rest).map(|()| None),
            kind => Err(Error::UnknownLogin { kind }),
        }
    }

    fn begin(&mut self, offered: &[u8]) -> Result<Vec<u8>, Error> {
        if !wire::texts(offered).iter().any(|name| name == MECHANISM) {
            return Err(Error::UnknownLogin { kind: SASL });
        }
        if self.at.password.is_none() {
            return Err(Error::NoPassword);
        }
        let scram = Scram::begin("").map_err(Error::Random)?;
        let first = wire::sasl_initial(MECHANISM, &scram.first());
        self.begun = Some(scram);
        Ok(first)
    }

    fn prove(&mut self, server: &[u8]) -> Result<Vec<u8>, Error> {
        let server = String::from_utf8_lossy(server);
        let (Some(scram), Some(password)) = (self.begun.as_ref(), &self.at.password) else {
            return Err(Error::Impostor);
        };
        let proof = scram.last(password.expose(), &server);
        let (last, proven) = proof.ok_or(Error::Impostor)?;
        self.proven = Some(proven);
        Ok(wire::message(b'p', last.as_bytes()))
    }

    fn check(&mut self, server: &[u8]) -> Result<(), Error> {
        let server = String::from_utf8_lossy(server);
        let proven = self.proven.take().filter(|proven| proven.is_proof(&server));
        proven.ok_or(Error::Impostor)?;
        self.begun = None;
        Ok(())
    }

    /// A server that lets us in before it has proved itself did not look at our proof.
    fn proof_was_given(&self) -> Result<(), Error> {
        if self.begun.is_some() {
            Err(Error::Impostor)
        } else {
            Ok(())
        }
    }
}
