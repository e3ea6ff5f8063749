//! What a store owes beyond single answers: migration, all or nothing, idempotency keys, writes of many rows.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Failure, explain};
use crate::action::Operation;
use crate::code::Code;
use crate::data::access::{Access, Requester};
use crate::data::error::DataError;
use crate::data::field::{DefaultValue, Field};
use crate::data::kind::Kind;
use crate::data::model::{Index, Model, ModelBuilder};
use crate::data::query::Query;
use crate::data::store::{Step, Store};
use crate::data::value::Value;
use crate::data::write::Write;
use crate::data::written::{Outcome, Written};
use crate::identity::Identity;

pub(super) async fn check<S: Store>(store: &S) -> Result<u64, Failure> {
    let mut life = Life { store, cases: 0 };
    life.migration().await?;
    life.all_or_nothing().await?;
    life.idempotency().await?;
    life.many_rows().await?;
    Ok(life.cases)
}

struct Life<'s, S> {
    store: &'s S,
    cases: u64,
}

fn notes(name: &str) -> ModelBuilder {
    Model::builder(name)
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("text", Kind::Text).required())
        .field(Field::new("code", Kind::Text).unique())
}

fn built(model: ModelBuilder) -> Arc<Model> {
    model
        .build()
        .expect("the names are good and there is one key")
}

impl<S: Store> Life<'_, S> {
    /// What a model has more is added, rows stay, and a second time there is nothing to do.
    async fn migration(&mut self) -> Result<(), Failure> {
        let old = built(notes("grown"));
        let rank = Field::new("rank", Kind::Int)
            .required()
            .default(DefaultValue::Literal(Value::Int(7)));
        let new = built(
            notes("grown")
                .field(rank)
                .field(Field::new("seen", Kind::Bool))
                .index(Index::new("by_rank", ["rank", "text"])),
        );
        let steps = self.migrate(&old).await?;
        self.same(
            "a new model is added",
            &steps,
            &vec![Step::AddModel("grown".to_owned())],
        )?;
        self.write(&old, Operation::Create, &json!({"data": {"text": "old"}}))
            .await?;

        let steps = self.migrate(&new).await?;

        let wanted = vec![
            Step::AddField("rank".to_owned()),
            Step::AddField("seen".to_owned()),
            Step::AddIndex("by_rank".to_owned()),
        ];
        self.same("what is missing is added", &steps, &wanted)?;
        let again = self.migrate(&new).await?;
        self.same("nothing is added twice", &again, &Vec::new())?;
        let rows = self.read(&new, &json!({})).await?;
        let wanted = json!([{"id": 1, "text": "old", "code": null, "rank": 7, "seen": null}]);
        self.same("rows that were there get the default", &rows, &wanted)?;
        let models = self
            .store
            .models()
            .await
            .map_err(|error| failure(&explain(&error)))?;
        let found = models.iter().find(|model| model.name() == "grown");
        let names = |model: &Arc<Model>| -> Vec<(String, Kind)> {
            let fields = model.fields().iter();
            fields
                .map(|field| (field.name.clone(), field.kind))
                .collect()
        };
        self.same(
            "the store knows its models",
            &found.map(names),
            &Some(names(&new)),
        )
    }

    async fn all_or_nothing(&mut self) -> Result<(), Failure> {
        let model = built(notes("whole"));
        self.migrate(&model).await?;
        let good = write(
            &model,
            Operation::Create,
            &json!({"data": {"text": "a", "code": "x"}}),
        );
        let bad = write(
            &model,
            Operation::Create,
            &json!({"data": [
                {"text": "b", "code": "y"}, {"text": "c", "code": "y"}
            ]}),
        );
        let refused = self.store.write(&[good.clone(), bad]).await;
        let code = refused.as_ref().map(drop).map_err(DataError::code);
        self.same("a conflict is named", &code, &Err(Code::Conflict))?;
        let fields = match &refused {
            Err(DataError::Conflict { fields, .. }) => fields.clone(),
            _ => Vec::new(),
        };
        self.same(
            "a conflict names its fields",
            &fields,
            &vec!["code".to_owned()],
        )?;
        let rows = self.read(&model, &json!({})).await?;
        self.same("nothing is left of it", &rows, &json!([]))?;

        let done = self.store.write(&[good]).await;
        done.map_err(|error| failure(&explain(&error)))?;
        let rows = self.read(&model, &json!({"fields": ["id"]})).await?;
        self.same(
            "numbers that were undone are given again",
            &rows,
            &json!([{"id": 1}]),
        )
    }

    async fn idempotency(&mut self) -> Result<(), Failure> {
        let model = built(notes("keyed"));
        self.migrate(&model).await?;
        let create = |text: &str| {
            write(
                &model,
                Operation::Create,
                &json!({"data": {"text": text}, "idempotency_key": "k"}),
            )
        };
        let first = self.store.write(&[create("a")]).await;
        let first = first.map_err(|error| failure(&explain(&error)))?;
        let second = self.store.write(&[create("a")]).await;
        let second = second.map_err(|error| failure(&explain(&error)))?;
        let shown = |written: &Written| create("a").answer(&written.outcomes[0]);
        self.same(
            "a repetition is answered alike",
            &shown(&second),
            &shown(&first),
        )?;
        self.same(
            "and says that it is one",
            &second.outcomes[0].replayed,
            &true,
        )?;
        let other = self.store.write(&[create("b")]).await;
        let code = other.map(drop).map_err(|error| error.code());
        self.same("another command is refused", &code, &Err(Code::Conflict))?;
        let rows = self.read(&model, &json!({})).await?;
        self.same(
            "it happened once",
            &json!(rows.as_array().map(Vec::len)),
            &json!(1),
        )
    }

    /// Beyond a thousand rows only their number is told.
    async fn many_rows(&mut self) -> Result<(), Failure> {
        let model = built(notes("many"));
        self.migrate(&model).await?;
        let most = Outcome::MOST_ROWS;
        let rows: Vec<Json> = (0..=most)
            .map(|number| json!({"text": format!("{number}")}))
            .collect();
        let written = self
            .write(&model, Operation::Create, &json!({"data": rows}))
            .await?;
        self.counted("create", &written, most + 1)?;
        let change = json!({"data": {"text": "x"}, "all": true});
        let written = self.write(&model, Operation::Update, &change).await?;
        self.counted("update", &written, most + 1)?;
        let one = write(&model, Operation::Delete, &json!({"where": 1}));
        let one = one.wanting_before(model.field("text").cloned());
        let written = self.store.write(&[one]).await;
        let written = written.map_err(|error| failure(&explain(&error)))?;
        let before = written.outcomes[0]
            .changed
            .first()
            .and_then(|it| it.before.clone());
        let before = before.map(Json::Object);
        self.same(
            "a row that goes is told of",
            &before,
            &Some(json!({"text": "x"})),
        )?;
        let written = self
            .write(&model, Operation::Delete, &json!({"all": true}))
            .await?;
        self.same(
            "exactly a thousand are told of",
            &written.changed.len(),
            &most,
        )
    }

    fn counted(&mut self, what: &str, outcome: &Outcome, count: usize) -> Result<(), Failure> {
        let got = (outcome.count, outcome.changed.len());
        self.same(what, &got, &(count as u64, 0))
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Vec<Step>, Failure> {
        let migrated = self.store.migrate(model).await;
        migrated
            .map(|it| it.steps)
            .map_err(|error| failure(&explain(&error)))
    }

    async fn read(&self, model: &Arc<Model>, arguments: &Json) -> Result<Json, Failure> {
        let guest = Identity::guest();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let query = Query::parse(model, &arguments).expect("the suite's own queries are right");
        let query = Access::unrestricted().query(query, &Requester::new(&guest));
        let query = query.expect("nobody is restricted");
        let rows = self.store.read(&query).await;
        let rows = rows.map_err(|error| failure(&explain(&error)))?;
        serde_json::from_slice(&rows.json).map_err(|error| failure(&error.to_string()))
    }

    async fn write(
        &self,
        model: &Arc<Model>,
        operation: Operation,
        arguments: &Json,
    ) -> Result<Outcome, Failure> {
        let written = self
            .store
            .write(&[write(model, operation, arguments)])
            .await;
        let mut written = written.map_err(|error| failure(&explain(&error)))?;
        Ok(written.outcomes.remove(0))
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        got: &T,
        wanted: &T,
    ) -> Result<(), Failure> {
        self.cases += 1;
        match got == wanted {
            true => Ok(()),
            false => Err(failure(&format!("{what}: got {got:?}, wanted {wanted:?}"))),
        }
    }
}

/// A write of the suite's own.
pub(super) fn write(
    model: &Arc<Model>,
    operation: Operation,
    arguments: &Json,
) -> crate::data::permitted::Permitted<Write> {
    let guest = Identity::guest();
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let write =
        Write::parse(model, operation, &arguments).expect("the suite's own writes are right");
    let write = Access::unrestricted().write(write, &Requester::new(&guest));
    write.expect("nobody is restricted")
}

fn failure(what: &str) -> Failure {
    Failure {
        part: "life",
        seed: 0,
        what: what.to_owned(),
    }
}
