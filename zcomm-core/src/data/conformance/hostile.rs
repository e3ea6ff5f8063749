//! Values and arguments as attackers send them: each gets its named error or is kept as it is, and nothing is harmed.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::values::TEXTS;
use super::{Failure, explain};
use crate::action::Operation;
use crate::code::Code;
use crate::data::access::{Access, Requester};
use crate::data::error::DataError;
use crate::data::field::Field;
use crate::data::kind::Kind;
use crate::data::model::Model;
use crate::data::query::Query;
use crate::data::store::Store;
use crate::data::write::Write;
use crate::identity::Identity;

/// Texts that end a literal, a statement or a parser somewhere.
const NASTY: [&str; 12] = [
    "'; DROP TABLE things; --",
    "\"; DROP TABLE things; --",
    "' OR '1'='1",
    "1); DELETE FROM things; --",
    "$1",
    "?",
    "?1",
    ":name",
    "@name",
    "%' ESCAPE '",
    "\\'; --",
    "/* */ UNION SELECT * FROM sqlite_master",
];

/// A table that somebody attacks.
struct Target<'s, S> {
    store: &'s S,
    model: Arc<Model>,
    cases: u64,
}

pub(super) async fn check<S: Store>(store: &S) -> Result<u64, Failure> {
    let model = Model::builder("things")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("name", Kind::Text))
        .field(Field::new("age", Kind::Int))
        .field(Field::new("extra", Kind::Json))
        .build()
        .expect("the names are good and there is one key");
    super::add(store, &model, 0).await?;
    let mut target = Target {
        store,
        model,
        cases: 0,
    };
    target.values().await?;
    target.arguments().await?;
    Ok(target.cases)
}

impl<S: Store> Target<'_, S> {
    /// Every text comes back as it went in, and finds itself and nothing else.
    async fn values(&mut self) -> Result<(), Failure> {
        let texts: Vec<&str> = NASTY.iter().chain(&TEXTS).copied().collect();
        let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        texts.sort();
        texts.dedup();
        for text in &texts {
            let row = json!({"data": {"name": text, "extra": {text: [text]}}});
            let added = self.write(Operation::Create, &row).await;
            added.map_err(|error| self.failure(&row, &explain(&error)))?;
        }
        for text in &texts {
            let found = self
                .read(&json!({"where": {"name": text}, "fields": ["name", "extra"]}))
                .await;
            let wanted = json!([{"name": text, "extra": {text: [text]}}]);
            self.same(text, found, &wanted)?;
            let count = texts
                .iter()
                .filter(|other| other.contains(text.as_str()))
                .count();
            let filter = json!({"where": {"name__contains": text}, "fields": ["id"]});
            let found = self
                .read(&filter)
                .await
                .map(|rows| json!(rows.as_array().map(Vec::len)));
            self.same(text, found, &json!(count))?;
        }
        self.unharmed(texts.len()).await
    }

    /// What no store may ever see is refused before it, by name.
    async fn arguments(&mut self) -> Result<(), Failure> {
        let before = self.count().await?;
        for (arguments, code) in [
            (json!({"order_by": "(select 1)"}), Code::BadValue),
            (
                json!({"order_by": "name; DROP TABLE things"}),
                Code::BadValue,
            ),
            (json!({"limit": -1}), Code::BadValue),
            (json!({"limit": "10"}), Code::BadValue),
            (json!({"offset": 1.5}), Code::BadValue),
            (json!({"where": {"_connector": "or"}}), Code::UnknownField),
            (json!({"where": {"age__": 1}}), Code::UnknownLookup),
            (json!({"where": {"id__exact__gt": 1}}), Code::UnknownLookup),
            (
                json!({"where": {"name\" OR 1=1 --": 1}}),
                Code::UnknownField,
            ),
            (json!({"where": {"name__like": "%"}}), Code::UnknownLookup),
            (json!({"where": {"age": "1 OR 1=1"}}), Code::BadValue),
            (json!({"where": {"name": "a\0b"}}), Code::BadValue),
            (json!({"fields": ["*", "password"]}), Code::UnknownField),
            (json!({"after": "' OR 1=1 --"}), Code::BadValue),
        ] {
            let answered = self.read(&arguments).await;
            self.refused(&arguments, answered, code)?;
        }
        for (operation, arguments, code) in [
            (
                Operation::Update,
                json!({"data": {"age": 1}}),
                Code::BadValue,
            ),
            (
                Operation::Update,
                json!({"data": {}, "where": 1}),
                Code::BadValue,
            ),
            (
                Operation::Update,
                json!({"data": {"id": 9}, "where": 1}),
                Code::BadValue,
            ),
            (
                Operation::Update,
                json!({"data": {"age": 1}, "where": {"or": []}}),
                Code::BadValue,
            ),
            (Operation::Delete, json!({"where": {}}), Code::BadValue),
            (Operation::Delete, json!({"where": null}), Code::BadValue),
            (
                Operation::Delete,
                json!({"where": {"id__nin": []}}),
                Code::BadValue,
            ),
            (
                Operation::Upsert,
                json!({"data": {"id": 1, "name": "x"}, "conflict_fields": ["name"]}),
                Code::BadValue,
            ),
        ] {
            let answered = self.write(operation, &arguments).await;
            self.refused(&arguments, answered.map(|()| Json::Null), code)?;
        }
        self.unharmed(before).await
    }

    async fn read(&mut self, arguments: &Json) -> Result<Json, DataError> {
        let guest = Identity::guest();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let query = Query::parse(&self.model, &arguments)?;
        let query = Access::unrestricted().query(query, &Requester::new(&guest))?;
        let rows = self.store.read(&query).await?;
        Ok(serde_json::from_slice(&rows.json).unwrap_or_default())
    }

    async fn write(&mut self, operation: Operation, arguments: &Json) -> Result<(), DataError> {
        let guest = Identity::guest();
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let write = Write::parse(&self.model, operation, &arguments)?;
        let write = Access::unrestricted().write(write, &Requester::new(&guest))?;
        self.store.write(&[write]).await.map(drop)
    }

    async fn count(&mut self) -> Result<usize, Failure> {
        let all = self.read(&json!({"fields": ["id"]})).await;
        let all = all.map_err(|error| self.failure(&Json::Null, &explain(&error)))?;
        Ok(all.as_array().map_or(0, Vec::len))
    }

    async fn unharmed(&mut self, rows: usize) -> Result<(), Failure> {
        match self.count().await? {
            there if there == rows => Ok(()),
            there => Err(self.failure(&Json::Null, &format!("{there} rows are left of {rows}"))),
        }
    }

    fn same(
        &mut self,
        asked: &str,
        got: Result<Json, DataError>,
        wanted: &Json,
    ) -> Result<(), Failure> {
        self.cases += 1;
        match got {
            Ok(got) if got == *wanted => Ok(()),
            Ok(got) => Err(self.failure(&json!(asked), &format!("got {got}, wanted {wanted}"))),
            Err(error) => Err(self.failure(&json!(asked), &explain(&error))),
        }
    }

    fn refused(
        &mut self,
        asked: &Json,
        got: Result<Json, DataError>,
        code: Code,
    ) -> Result<(), Failure> {
        self.cases += 1;
        match got {
            Err(error) if error.code() == code => Ok(()),
            Err(error) => Err(self.failure(asked, &explain(&error))),
            Ok(_) => Err(self.failure(asked, "it was not refused")),
        }
    }

    fn failure(&self, asked: &Json, what: &str) -> Failure {
        Failure {
            part: "hostile",
            seed: 0,
            what: format!("{asked}: {what}"),
        }
    }
}
