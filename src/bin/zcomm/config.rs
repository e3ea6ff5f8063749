//! `zcomm config`: each setting, where it is from, and what is wrong.

use serde_json::{Value, json};
use zcomm::Inspected;
use zcomm::core::settings::{Explained, Key, Settings, machine_yaml, markdown};

use crate::failure::{self, Failure};
use crate::output::{self, GOOD, Outcome};

#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Shows each value, the layer and place that set it, and what it hides
    Explain {
        /// Only this setting, or those of this section
        key: Option<String>,
        /// Shows every setting, not only those that somebody set
        #[arg(long)]
        all: bool,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Says whether all settings are right; ends with status 2 if not
    Check {
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a machine file with every setting and its default
    Default {
        /// Prints the table of the documentation
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
        /// Prints JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &crate::args::Args, config: &Args) -> anyhow::Result<Outcome> {
    match &config.command {
        Command::Explain { key, all, json } => explain(args, key.as_deref(), *all, *json),
        Command::Check { json } => check(args, *json),
        Command::Default { markdown, json } => default(args, *markdown, *json),
    }
}

fn explain(
    args: &crate::args::Args,
    wanted: Option<&str>,
    all: bool,
    as_json: bool,
) -> anyhow::Result<Outcome> {
    let Inspected {
        settings,
        warnings,
        faults,
        ..
    } = args.builder().inspect()?;
    let shown = select(&settings, wanted, all || as_json)?;
    if as_json {
        output::json(&json!({"settings": shown, "warnings": warnings}));
    } else {
        output::warn(&warnings);
        for one in &shown {
            output::line(&one.to_string());
        }
        if shown.is_empty() && faults.is_none() {
            output::line("every setting has its default; `--all` shows them");
        }
    }
    // What is right is shown all the same: it may say why the rest is not.
    match faults {
        Some(faults) => Err(zcomm::Error::Settings(faults).into()),
        None => Ok(Outcome::Done),
    }
}

fn select(
    settings: &Settings,
    wanted: Option<&str>,
    untouched_too: bool,
) -> anyhow::Result<Vec<Explained>> {
    let all = settings.explain().into_iter();
    let Some(wanted) = wanted else {
        return Ok(all.filter(|one| untouched_too || one.is_set()).collect());
    };
    let section = format!("{wanted}.");
    let found: Vec<_> = all
        .filter(|one| one.key == wanted || one.key.starts_with(&section))
        .collect();
    if found.is_empty() {
        return Err(Failure::Usage {
            what: format!("`{wanted}`: {}", settings.unknown(wanted)),
            hint: "`zcomm config explain --all` lists every setting",
        }
        .into());
    }
    Ok(found)
}

fn check(args: &crate::args::Args, as_json: bool) -> anyhow::Result<Outcome> {
    let comm = match args.comm() {
        Ok(comm) => comm,
        Err(error) => {
            if as_json {
                output::json(&json!({"valid": false, "faults": faults(&error)}));
            }
            return Err(error);
        }
    };
    let errors: Vec<anyhow::Error> = comm.verify().into_iter().map(Into::into).collect();
    if !errors.is_empty() {
        return Ok(wrong(&errors, as_json));
    }
    #[cfg(feature = "ws")]
    output::warn(&comm.idle_tokens());
    let all = comm.settings().explain();
    let set = all.iter().filter(|one| one.is_set()).count();
    if as_json {
        output::json(&json!({"valid": true, "set": set, "warnings": comm.warnings()}));
    } else {
        output::line(&format!(
            "{GOOD}the settings are right{GOOD:#}: {set} set, {} known",
            comm.keys().count()
        ));
    }
    Ok(Outcome::Done)
}

/// Each part that could not be made, with its causes.
fn wrong(errors: &[anyhow::Error], as_json: bool) -> Outcome {
    if as_json {
        let faults: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
        output::json(&json!({"valid": false, "faults": faults}));
        return Outcome::Wrong;
    }
    for error in errors {
        failure::print(error);
    }
    Outcome::Wrong
}

fn default(args: &crate::args::Args, as_markdown: bool, as_json: bool) -> anyhow::Result<Outcome> {
    let comm = args.bare()?;
    let keys: Vec<&Key> = comm.keys().collect();
    if as_json {
        output::json(&Value::Array(
            keys.iter().map(|key| key_json(key)).collect(),
        ));
    } else if as_markdown {
        output::line(markdown(&keys).trim_end());
    } else {
        output::line(machine_yaml(&keys).trim_end());
    }
    Ok(Outcome::Done)
}

fn key_json(key: &Key) -> Value {
    json!({
        "key": key.path,
        "env": key.env,
        "kind": key.kind.name(),
        "secret": key.secret,
        "default": key.default,
        "doc": key.doc,
    })
}

/// Everything that is wrong, one text each.
fn faults(error: &anyhow::Error) -> Vec<String> {
    match error.downcast_ref() {
        Some(zcomm::Error::Settings(invalid)) => {
            invalid.problems().iter().map(ToString::to_string).collect()
        }
        _ => vec![error.to_string()],
    }
}
