//! Logging as the settings describe it: to a file, and to the console where it is wanted.

use std::fmt;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as text};

use crate::core::Settings;
use crate::error::Error;

/// Keeps the log file's writer alive; what is still in its queue is written when it is dropped.
pub(crate) struct LogGuard(#[expect(dead_code, reason = "held for its Drop")] Option<WorkerGuard>);

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogGuard")
    }
}

/// Where the log goes, worked out from the settings before anything is opened.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    level: LevelFilter,
    console: bool,
    file: Option<PathBuf>,
    banner: bool,
}

impl Plan {
    fn of(settings: &Settings, project: &Path) -> Self {
        let logger = settings.text("logger").unwrap_or("INFO");
        let level = match logger {
            "DEBUG" => LevelFilter::DEBUG,
            "WARNING" => LevelFilter::WARN,
            "ERROR" | "CRITICAL" => LevelFilter::ERROR,
            _ => LevelFilter::INFO,
        };
        let title = settings.text("title").unwrap_or("zcomm");
        let folder = settings.path("logger_path").map(Path::to_owned);
        let silent = logger == "PROD";
        // PROD writes the file only, so there it must have a folder.
        let folder = folder.or_else(|| silent.then(|| project.join("logs")));
        Self {
            level,
            console: !silent,
            file: folder.map(|folder| folder.join(format!("{}.log", file_name(title)))),
            banner: settings.text("deployment") == Some("Development"),
        }
    }
}

/// Installs the process's logger.
///
/// # Errors
///
/// [`Error::LogInstalled`] where there is one already; [`Error::Unwritable`] for a folder that cannot be made.
pub(crate) fn install(settings: &Settings, project: &Path) -> Result<LogGuard, Error> {
    let plan = Plan::of(settings, project);
    let ours = || Targets::new().with_default(plan.level);
    let (file, guard) = match &plan.file {
        Some(path) => {
            let (writer, guard) = open(path)?;
            let layer = text::layer()
                .with_ansi(false)
                .with_writer(writer)
                .with_filter(ours());
            (Some(layer), Some(guard))
        }
        None => (None, None),
    };
    let colours = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let console = plan.console.then(|| {
        text::layer()
            .with_ansi(colours)
            .with_writer(std::io::stderr)
            .with_filter(ours())
    });
    tracing_subscriber::registry()
        .with(file)
        .with(console)
        .try_init()
        .map_err(|_| Error::LogInstalled)?;
    if plan.banner {
        // The guides' ready lines: for a person at a console, whatever the log's level.
        let _ = writeln!(std::io::stdout(), "[zConfig Ready]\n[zComm Ready]");
    }
    Ok(LogGuard(guard))
}

fn open(path: &Path) -> Result<(tracing_appender::non_blocking::NonBlocking, WorkerGuard), Error> {
    let unwritable = |source| Error::Unwritable {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(unwritable)?;
    Ok(tracing_appender::non_blocking(file))
}

/// A title as a file's name: anything that could leave the folder becomes a dash.
fn file_name(title: &str) -> String {
    let safe = |c: char| {
        if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '-'
        }
    };
    let name: String = title.chars().map(safe).collect();
    if name.trim_matches('.').is_empty() {
        "zcomm".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::settings::{KEYS, Loader};

    fn plan(spark: serde_json::Value) -> Plan {
        Plan::of(
            &Loader::new(KEYS).spark(spark).load().unwrap(),
            Path::new("/srv/shop"),
        )
    }

    #[test]
    fn prod_writes_the_file_only() {
        let plan = plan(json!({"logger": "PROD", "title": "hello-comm"}));

        assert!(!plan.console);
        assert_eq!(
            plan.file.as_deref(),
            Some(Path::new("/srv/shop/logs/hello-comm.log"))
        );
    }

    #[test]
    fn development_shows_the_ready_lines_even_then() {
        assert!(plan(json!({"logger": "PROD", "deployment": "Development"})).banner);
        assert!(!plan(json!({"logger": "DEBUG", "deployment": "Production"})).banner);
    }

    #[test]
    fn a_title_stays_within_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "..-..-etc-passwd");
        assert_eq!(file_name(".."), "zcomm");
    }
}
