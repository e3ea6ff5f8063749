//! `zcomm data`: rows read and written, as whoever owns the store; models shown, compared and migrated.

mod rows;
mod schema;

use std::sync::Arc;

use serde_json::{Map, Value};
use zcomm::core::Operation;
use zcomm::core::data::{Model, Schema};
use zcomm::{Comm, CommBuilder};

use crate::output::Outcome;
use crate::store;

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Rows are read and written without regard to access rules: whoever runs this owns the store. Models are those of \
the schema folder (`schema_path`, ./schemas); without any, those that the store has. The store is the one that \
--store or the setting `store` names, else .zcomm/data.db of the project.

  zcomm data create users '{\"name\": \"Ada\"}'
  zcomm data read users '{\"where\": {\"name__startswith\": \"A\"}, \"order_by\": \"-id\"}'
  zcomm data update users '{\"where\": 1, \"data\": {\"name\": \"Grace\"}}'
  zcomm data schema --check")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,

    /// The address of the store, in place of the setting `store`
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Shows rows: a table on a terminal, else JSON
    Read(Rows),
    /// Adds a row, or an array of rows
    Create(Rows),
    /// Changes rows
    Update(Rows),
    /// Removes rows
    Delete(Rows),
    /// Adds a row, or changes the one that is there
    Upsert(Rows),
    /// Shows the models
    Schema(schema::Args),
    /// Adds to the store what the models have and it has not; drops and changes nothing
    Migrate {
        /// Only says what would be added
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(clap::Args, Debug)]
struct Rows {
    /// The model
    model: String,
    /// The arguments of the command, an object; for a create or upsert, the row itself will do
    #[arg(default_value = "{}", value_name = "JSON", value_parser = arguments)]
    arguments: Value,
}

pub(crate) fn run(args: &crate::args::Args, data: &Args) -> anyhow::Result<Outcome> {
    let migrates = !matches!(data.command, Command::Schema(_) | Command::Migrate { .. });
    let comm = data.comm(args, migrates)?;
    crate::wait(async {
        let opened = Opened::of(&comm).await?;
        match &data.command {
            Command::Read(rows) => rows::read(&opened, rows).await,
            Command::Create(rows) => rows::write(&opened, Operation::Create, rows).await,
            Command::Update(rows) => rows::write(&opened, Operation::Update, rows).await,
            Command::Delete(rows) => rows::write(&opened, Operation::Delete, rows).await,
            Command::Upsert(rows) => rows::write(&opened, Operation::Upsert, rows).await,
            Command::Schema(schema) => schema::show(&opened, schema).await,
            Command::Migrate { dry_run } => schema::migrate(&opened, *dry_run).await,
        }
    })
}

impl Args {
    fn comm(&self, args: &crate::args::Args, migrates: bool) -> anyhow::Result<Comm> {
        let plain = self.builder(args, migrates).build()?;
        Ok(store::or_own(&plain, self.builder(args, migrates)).build()?)
    }

    fn builder(&self, args: &crate::args::Args, migrates: bool) -> CommBuilder {
        let mut builder = args.builder();
        if let Some(url) = &self.store {
            builder = builder.set_from("--store", "store", url);
        }
        if !migrates {
            builder = builder.set_from("the command", "auto_migrate", "false");
        }
        builder
    }
}

/// A store and the models by which it is asked.
struct Opened<'c> {
    comm: &'c Comm,
    models: Schema,
}

impl<'c> Opened<'c> {
    async fn of(comm: &'c Comm) -> anyhow::Result<Self> {
        let data = comm.data()?;
        let models = match data.schema().models().is_empty() {
            false => data.schema().clone(),
            true => Schema::of(schema::stored(comm).await?)?,
        };
        Ok(Self { comm, models })
    }

    fn model(&self, name: &str) -> anyhow::Result<&Arc<Model>> {
        Ok(self.models.model(name)?)
    }
}

fn arguments(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    match value {
        Value::Object(_) | Value::Array(_) => Ok(value),
        // A key alone is the row that it names.
        key => Ok(Value::Object(Map::from_iter([("where".to_owned(), key)]))),
    }
}
