//! Models as people, files and programs read them, compared with those of the store, and added to it.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Arc;

use serde_json::{Value, json};
use zcomm::Comm;
use zcomm::core::Identity;
use zcomm::core::data::{Access, Field, Migration, Model, Schema, Store};

use super::Opened;
use crate::output::{self, BAD, GOOD, HEAD, Outcome};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Prints what the store has, as a schema file
    #[arg(long, conflicts_with = "check")]
    from_db: bool,
    /// Compares the schema with the store; ends with status 1 if they differ
    #[arg(long)]
    check: bool,
}

pub(super) async fn show(opened: &Opened<'_>, args: &Args) -> anyhow::Result<Outcome> {
    if args.from_db {
        output::line(yaml(&stored(opened.comm).await?).trim_end());
        return Ok(Outcome::Done);
    }
    if args.check {
        return check(opened).await;
    }
    let models = opened.models.models();
    if std::io::stdout().is_terminal() {
        models.iter().for_each(|model| table(model));
        return Ok(Outcome::Done);
    }
    let operator = Identity::user("zcomm");
    let described = models.iter().map(|model| {
        let rights = Access::unrestricted().rights(model, &operator)?;
        Ok(model.describe(&rights))
    });
    output::line(&described.collect::<anyhow::Result<Value>>()?.to_string());
    Ok(Outcome::Done)
}

pub(super) async fn migrate(opened: &Opened<'_>, dry_run: bool) -> anyhow::Result<Outcome> {
    let found = Schema::of(stored(opened.comm).await?)?;
    let mut steps = 0;
    for model in opened.models.models() {
        let migration = match dry_run {
            true => Migration::between(found.model(model.name()).ok().map(|it| &**it), model),
            false => opened.comm.data()?.store().migrate(model).await?,
        };
        for step in &migration.steps {
            output::line(&format!("{}: {step}", model.name()));
        }
        steps += migration.steps.len();
    }
    if steps == 0 {
        output::line(&format!("{GOOD}the store has every model{GOOD:#}"));
    }
    Ok(Outcome::Done)
}

/// The models that the store has.
pub(super) async fn stored(comm: &Comm) -> anyhow::Result<Vec<Arc<Model>>> {
    Ok(comm.data()?.store().models().await?)
}

async fn check(opened: &Opened<'_>) -> anyhow::Result<Outcome> {
    let found = Schema::of(stored(opened.comm).await?)?;
    let mut differences = Vec::new();
    for model in opened.models.models() {
        let other = found.model(model.name()).ok();
        let migration = Migration::between(other.map(|it| &**it), model);
        let steps = migration.steps.iter();
        differences.extend(steps.map(|step| format!("{}: {step}", model.name())));
        let fields = other.into_iter().flat_map(|other| differing(model, other));
        differences.extend(fields);
    }
    if !std::io::stdout().is_terminal() {
        output::line(
            &json!({"same": differences.is_empty(), "differences": differences}).to_string(),
        );
    } else if differences.is_empty() {
        output::line(&format!("{GOOD}the store has every model{GOOD:#}"));
    } else {
        let lines = differences.iter();
        lines.for_each(|line| output::line(&format!("{BAD}{line}{BAD:#}")));
    }
    Ok(Outcome::yes_if(differences.is_empty()))
}

/// What no migration would touch: columns that are there, of another type.
fn differing(model: &Model, other: &Model) -> Vec<String> {
    let fields = model.fields().iter().filter_map(|field| {
        let stored = other.field(&field.name)?;
        let (name, wanted, kind) = (&field.name, field.kind, stored.kind);
        (kind != wanted).then(|| {
            format!(
                "{}: {name} is {kind} in the store and {wanted} in the schema",
                model.name()
            )
        })
    });
    fields.collect()
}

fn table(model: &Model) {
    output::line(&format!(
        "{HEAD}{}{HEAD:#} ({})",
        model.name(),
        model.source()
    ));
    let rows = model.fields().iter().map(|field| {
        [
            field.name.as_str().into(),
            field.kind.as_str().into(),
            traits(field).join(", ").into(),
        ]
    });
    output::table(["FIELD", "TYPE", ""], &rows.collect::<Vec<_>>());
    output::line("");
}

fn traits(field: &Field) -> Vec<&'static str> {
    let all = [
        ("primary key", field.primary_key),
        ("numbered by the store", field.auto_increment),
        ("required", field.required),
        ("unique", field.unique),
    ];
    all.into_iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| name)
        .collect()
}

/// Models as a schema file has them; names are letters, digits and underscores, so nothing needs quotes.
fn yaml(models: &[Arc<Model>]) -> String {
    let mut text = String::new();
    for model in models {
        let _ = writeln!(text, "{}:", model.name());
        for field in model.fields() {
            let mut entry = format!("type: {}", field.kind);
            let marks = [
                ("pk", field.primary_key),
                ("auto_increment", field.auto_increment),
                ("required", field.required),
                ("unique", field.unique),
            ];
            for (mark, _) in marks.iter().filter(|(_, has)| *has) {
                let _ = write!(entry, ", {mark}: true");
            }
            let _ = writeln!(text, "  {}: {{{entry}}}", field.name);
        }
        if !model.indexes().is_empty() {
            let _ = writeln!(text, "  indexes:");
        }
        for index in model.indexes() {
            let (name, columns) = (&index.name, index.columns.join(", "));
            let unique = if index.unique { ", unique: true" } else { "" };
            let _ = writeln!(text, "    - {{name: {name}, columns: [{columns}]{unique}}}");
        }
    }
    text
}
