//! Commands on rows, and how their answers are shown. Asks as the store's owner.

use std::io::IsTerminal;

use serde_json::{Map, Value, json};
use zcomm::core::data::{ARGUMENTS, Access, Permitted, Query, Requester, Store, Write};
use zcomm::core::{Identity, Operation};

use super::{Opened, Rows};
use crate::output::{self, Outcome};

/// The widest a cell of a table is shown.
const WIDEST: usize = 60;

pub(super) async fn read(opened: &Opened<'_>, rows: &Rows) -> anyhow::Result<Outcome> {
    let query = Query::parse(opened.model(&rows.model)?, &named(&rows.arguments, "where"))?;
    let operator = Identity::user("zcomm");
    let query = Access::unrestricted().query(query, &Requester::new(&operator))?;
    let found = opened.comm.data()?.store().read(&query).await?;
    if std::io::stdout().is_terminal() {
        let rows: Vec<Map<String, Value>> = serde_json::from_slice(&found.json)?;
        table(&query, &rows);
    } else {
        let mut bytes = found.json.to_vec();
        bytes.push(b'\n');
        output::raw(&bytes);
    }
    if found.has_more() {
        output::note("there are more rows: give a `limit` and an `offset`");
    }
    Ok(Outcome::Done)
}

pub(super) async fn write(
    opened: &Opened<'_>,
    operation: Operation,
    rows: &Rows,
) -> anyhow::Result<Outcome> {
    let whole = match operation {
        Operation::Create | Operation::Upsert => "data",
        _ => "where",
    };
    let arguments = named(&rows.arguments, whole);
    let write = Write::parse(opened.model(&rows.model)?, operation, &arguments)?;
    let operator = Identity::user("zcomm");
    let writes = [Access::unrestricted().write(write, &Requester::new(&operator))?];
    let written = opened.comm.data()?.store().write(&writes).await?;
    let answer = written
        .outcomes
        .first()
        .map(|outcome| writes[0].answer(outcome));
    let answer = answer.unwrap_or_default();
    if std::io::stdout().is_terminal() {
        output::json(&answer);
    } else {
        output::line(&answer.to_string());
    }
    Ok(Outcome::Done)
}

/// The arguments, which may be the one that matters alone: the row to add, or an array of rows.
fn named(arguments: &Value, whole: &str) -> Map<String, Value> {
    let known = |map: &Map<String, Value>| map.keys().all(|key| ARGUMENTS.contains(&key.as_str()));
    match arguments {
        Value::Object(map) if map.is_empty() || known(map) => map.clone(),
        other => Map::from_iter([(whole.to_owned(), json!(other))]),
    }
}

fn table(query: &Permitted<Query>, rows: &[Map<String, Value>]) {
    let names = query.columns().iter().map(|field| field.name.clone());
    let names: Vec<String> = names.collect();
    let cells = rows
        .iter()
        .map(|row| names.iter().map(|name| cell(row.get(name))).collect());
    output::grid(&names, &cells.collect::<Vec<_>>());
}

/// A cell in one line, without what a terminal would take for commands.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let plain = text
        .chars()
        .map(|char| if char.is_control() { '\u{fffd}' } else { char });
    let mut shown: String = plain.clone().take(WIDEST).collect();
    if plain.count() > WIDEST {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_line_that_a_terminal_does_not_obey() {
        assert_eq!(
            cell(Some(&json!("a\u{1b}[2Jb\nc"))),
            "a\u{fffd}[2Jb\u{fffd}c"
        );
        assert_eq!(cell(Some(&json!(null))), "-");
        assert_eq!(cell(Some(&json!("x".repeat(100)))).chars().count(), 61);
    }

    #[test]
    fn a_row_alone_is_what_is_added() {
        let row = json!({"name": "Ada"});

        assert_eq!(
            named(&row, "data"),
            *json!({"data": row}).as_object().unwrap()
        );
        let whole = json!({"data": row, "dry_run": true});
        assert_eq!(named(&whole, "data"), *whole.as_object().unwrap());
    }
}
