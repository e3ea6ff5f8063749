//! Runs the servers of a case in turn, round after round, so that what disturbs the machine disturbs all of them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use tempfile::TempDir;

use crate::cases::{Case, Contender, IDLE, Work};
use crate::load::{self, Idle, Target};

/// What each contender of a case reached, round by round.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) case: &'static Case,
    pub(crate) rounds: Vec<Vec<f64>>,
}

impl Figures {
    pub(crate) fn median(&self, contender: usize) -> f64 {
        median(self.rounds.iter().map(|round| round[contender]).collect())
    }

    /// The median of the ratios of each round: only what ran side by side is compared.
    pub(crate) fn ratio(&self, label: &str, to: &str) -> Option<f64> {
        let place = |label| {
            let mut all = self.case.contenders.iter();
            all.position(|contender| contender.label == label)
        };
        let (one, other) = (place(label)?, place(to)?);
        let ratios = self.rounds.iter().map(|round| round[one] / round[other]);
        Some(median(ratios.collect()))
    }
}

/// Where a certificate for all of them lies, and who trusts it.
#[derive(Debug)]
pub(crate) struct Arena {
    folder: TempDir,
    tls: Arc<ClientConfig>,
    rounds: usize,
    window: Duration,
}

impl Arena {
    pub(crate) fn new(rounds: usize, window: Duration) -> Result<Self> {
        let folder = TempDir::new()?;
        let tls = Arc::new(certificate(folder.path())?);
        Ok(Self {
            folder,
            tls,
            rounds,
            window,
        })
    }

    pub(crate) fn run(&self, case: &'static Case) -> Result<Figures> {
        let servers: Result<Vec<Server>> = case
            .contenders
            .iter()
            .map(|contender| self.start(*contender, !matches!(case.work, Work::Echo(_))))
            .collect();
        let servers = servers?;
        let mut rounds = Vec::new();
        for number in 0..self.rounds {
            // Each round begins with another one.
            let mut round = vec![0.0; servers.len()];
            for turn in 0..servers.len() {
                let place = (number + turn) % servers.len();
                let contender = case.contenders[place];
                round[place] = self
                    .measure(case.work, contender, &servers[place])
                    .with_context(|| format!("{}: {}", case.name, contender.label))?;
            }
            rounds.push(round);
        }
        Ok(Figures { case, rounds })
    }

    fn measure(&self, work: Work, contender: Contender, server: &Server) -> Result<f64> {
        let target = self.target(contender, server);
        match work {
            Work::Echo(echo) => load::echo(&target, echo, self.window),
            Work::FanOut(plan) => load::fan_out(&target, plan, self.window),
            // Long enough for the stuck reader's buffers to fill, and for what comes then.
            Work::Latency(plan) => load::latency(&target, plan, contender.stuck, self.window * 4),
        }
    }

    pub(crate) fn idle(&self, connections: usize) -> Result<Vec<(Contender, Idle)>> {
        let all = IDLE.iter().map(|contender| {
            let server = self.start(*contender, false)?;
            let target = self.target(*contender, &server);
            let idle = load::idle(&target, connections, server.child.id());
            Ok((*contender, idle.context(contender.label)?))
        });
        all.collect()
    }

    fn target(&self, contender: Contender, server: &Server) -> Target {
        Target {
            port: server.port,
            tls: contender.tls.then(|| Arc::clone(&self.tls)),
            bare: contender.server == "raw",
        }
    }

    fn start(&self, contender: Contender, fan_out: bool) -> Result<Server> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", contender.server]);
        command.args(["--workers", &contender.workers.to_string()]);
        if fan_out {
            command.arg("--fan-out");
        }
        if contender.tls {
            command.arg("--tls").arg(self.folder.path());
        }
        Server::start(command).with_context(|| contender.label)
    }
}

/// A server's process. It ends with its standard input, so with this one's end at the latest.
#[derive(Debug)]
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().context("the server did not start")?;
        Ok(Self { child, port })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn certificate(folder: &Path) -> Result<ClientConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let path = |name: &str| -> PathBuf { folder.join(name) };
    std::fs::write(path("cert.pem"), made.cert.pem())?;
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem())?;
    std::fs::write(path("cert.der"), made.cert.der())?;
    std::fs::write(path("key.der"), made.signing_key.serialize_der())?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(made.cert.der().to_vec()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 if middle > 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values.get(middle).copied().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn ratios_are_taken_within_rounds() {
        let case = &CASES[0];
        let figures = Figures {
            case,
            rounds: [1.0, 2.0, 10.0]
                .map(|pace| case.contenders.iter().map(|_| pace).collect())
                .to_vec(),
        };

        assert_eq!(figures.ratio("zcomm", "raw"), Some(1.0));
        assert_eq!(figures.ratio("zcomm", "nobody"), None);
        assert_eq!(figures.median(0), 2.0);
    }
}
