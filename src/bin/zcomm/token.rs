//! `zcomm token`: makes, lists and revokes the tokens of a token file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use serde_json::{Value, json};
use zcomm::core::{NewToken, TokenFile, TokenRecord};

use crate::output::{self, BAD, Cell, GOOD, HEAD, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
The file holds digests, never tokens: a token is shown once, when it is made. A running server sees a \
change within a second.")]
pub(crate) struct Args {
    /// The token file, in place of the setting `token_file`
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Makes a token and shows it, once
    New {
        /// The user it stands for; without one it has a name of its own
        #[arg(long, value_parser = not_blank)]
        user: Option<String>,
        /// The application it is bound to; without one it is good for all
        #[arg(long, value_parser = not_blank)]
        app: Option<String>,
        /// A role of the user; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// How long it is valid: 90s, 12h, 30d; without it, for ever
        #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
        expires: Option<Duration>,
        /// What it is for, in words for people
        #[arg(long)]
        note: Option<String>,
    },
    /// Shows all tokens, without the tokens themselves
    List,
    /// Makes a token invalid
    Revoke {
        /// Its id, as `list` shows it
        id: String,
    },
}

pub(crate) fn run(args: &crate::args::Args, token: &Args) -> anyhow::Result<Outcome> {
    let path = path(args, token)?;
    match &token.command {
        Command::New {
            user,
            app,
            roles,
            expires,
            note,
        } => {
            let mut wanted = NewToken::new().roles(roles);
            wanted.user.clone_from(user);
            wanted.app.clone_from(app);
            wanted.note.clone_from(note);
            wanted.expires = expires.map(|lifetime| SystemTime::now() + lifetime);
            make_folder(&path)?;
            new(&TokenFile::create(path)?, wanted, token.json)
        }
        Command::List if !path.exists() => Ok(none(&path, token.json)),
        Command::List => list(&TokenFile::open(path)?, token.json),
        Command::Revoke { id } => revoke(&TokenFile::open(path)?, id, token.json),
    }
}

fn path(args: &crate::args::Args, token: &Args) -> anyhow::Result<PathBuf> {
    if let Some(file) = &token.file {
        return Ok(file.clone());
    }
    let comm = args.comm()?;
    let set = comm.settings().path("token_file").map(ToOwned::to_owned);
    Ok(set.unwrap_or_else(|| comm.project().join(".zcomm").join("tokens.json")))
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("a name has letters".to_owned());
    }
    Ok(text.to_owned())
}

/// The project's own folder is made when it is first needed; a folder that somebody names must be there.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    let own = path.parent().filter(|folder| folder.ends_with(".zcomm"));
    let Some(folder) = own.filter(|folder| !folder.exists()) else {
        return Ok(());
    };
    // Not closed to others: the accounts of services pass through it, and its files carry modes of their own.
    let cannot = || format!("cannot make {}", folder.display());
    fs::create_dir(folder).with_context(cannot)?;
    // What is in it belongs to this machine, and some of it is secret.
    fs::write(folder.join(".gitignore"), "*\n").with_context(cannot)
}

fn none(path: &Path, as_json: bool) -> Outcome {
    if as_json {
        output::json(&json!([]));
    } else {
        output::line(&format!(
            "no tokens in {}; `zcomm token new` makes one",
            path.display()
        ));
    }
    Outcome::Done
}

fn new(file: &TokenFile, wanted: NewToken, as_json: bool) -> anyhow::Result<Outcome> {
    let (token, record) = file.add(wanted)?;
    if as_json {
        output::json(&json!({"token": token.expose(), "id": record.id(), "file": file.path()}));
        return Ok(Outcome::Done);
    }
    // The token alone on stdout, so that `TOKEN=$(zcomm token new)` holds it and nothing else.
    output::line(token.expose());
    let file = file.path().display();
    output::note(&format!(
        "{HEAD}{}{HEAD:#} is in {file}; the token is not shown again",
        record.id()
    ));
    Ok(Outcome::Done)
}

fn list(file: &TokenFile, as_json: bool) -> anyhow::Result<Outcome> {
    let records = file.list()?;
    if as_json {
        output::json(&serde_json::to_value(&records)?);
        return Ok(Outcome::Done);
    }
    if records.is_empty() {
        return Ok(none(file.path(), false));
    }
    let rows: Vec<[Cell; 6]> = records.iter().map(row).collect();
    output::table(["ID", "USER", "APP", "ROLES", "EXPIRES", "NOTE"], &rows);
    Ok(Outcome::Done)
}

fn revoke(file: &TokenFile, id: &str, as_json: bool) -> anyhow::Result<Outcome> {
    let record = file.revoke(id)?;
    if as_json {
        output::json(&json!({"revoked": record.id(), "user": record.user}));
    } else {
        let user = record
            .user
            .map(|user| format!(" of {user}"))
            .unwrap_or_default();
        output::line(&format!("{GOOD}revoked{GOOD:#} {id}{user}"));
    }
    Ok(Outcome::Done)
}

fn row(record: &TokenRecord) -> [Cell; 6] {
    let text = |text: &Option<String>| Cell::from(text.clone().unwrap_or_default());
    let expires = match serde_json::to_value(record)
        .ok()
        .and_then(|json| json.get("expires").cloned())
    {
        Some(Value::String(at)) => at,
        _ => "never".to_owned(),
    };
    let style = if record.is_expired(SystemTime::now()) {
        BAD
    } else {
        GOOD
    };
    [
        record.id().into(),
        text(&record.user),
        text(&record.app),
        record.roles.join(", ").into(),
        Cell::styled(expires, style),
        text(&record.note),
    ]
}
