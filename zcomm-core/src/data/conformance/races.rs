//! Many at once: upserts of one row, creates of one name, one create under one key. One wins, and the others know.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;

use super::life::write;
use super::{Failure, explain};
use crate::action::Operation;
use crate::code::Code;
use crate::data::change::ChangeKind;
use crate::data::field::Field;
use crate::data::kind::Kind;
use crate::data::model::Model;
use crate::data::store::Store;

/// How many run against one another.
const RUNNERS: usize = 24;

pub(super) async fn check<S: Store>(store: &S) -> Result<u64, Failure> {
    let model = Model::builder("races")
        .field(Field::new("id", Kind::Int).primary_key().auto_increment())
        .field(Field::new("name", Kind::Text).unique())
        .field(Field::new("runner", Kind::Int))
        .build()
        .expect("the names are good and there is one key");
    super::add(store, &model, 0).await?;
    upserts(store, &model).await?;
    creates(store, &model).await?;
    repetitions(store, &model).await?;
    Ok(3 * RUNNERS as u64)
}

/// One adds the row, all others change it, none fails.
async fn upserts<S: Store>(store: &S, model: &Arc<Model>) -> Result<(), Failure> {
    let all = (0..RUNNERS).map(async |runner| {
        let row = json!({"data": {"name": "same", "runner": runner}, "conflict_fields": ["name"]});
        store.write(&[write(model, Operation::Upsert, &row)]).await
    });
    let mut added = 0;
    for written in join_all(all).await {
        let written = written.map_err(|error| failure(&explain(&error)))?;
        let kinds = written.outcomes[0]
            .changed
            .iter()
            .map(|changed| changed.kind);
        added += kinds.filter(|kind| *kind == ChangeKind::Create).count();
    }
    one("upserts that added the row", added)
}

/// One gets the name, all others hear that it is taken.
async fn creates<S: Store>(store: &S, model: &Arc<Model>) -> Result<(), Failure> {
    let all = (0..RUNNERS).map(async |runner| {
        let row = json!({"data": {"name": "taken", "runner": runner}});
        store.write(&[write(model, Operation::Create, &row)]).await
    });
    let mut added = 0;
    for written in join_all(all).await {
        match written {
            Ok(_) => added += 1,
            Err(error) if error.code() == Code::Conflict => {}
            Err(error) => return Err(failure(&explain(&error))),
        }
    }
    one("creates that got the name", added)
}

/// One does it, all others are told what it did.
async fn repetitions<S: Store>(store: &S, model: &Arc<Model>) -> Result<(), Failure> {
    let all = (0..RUNNERS).map(async |_| {
        let row = json!({"data": {"name": "once"}, "idempotency_key": "race"});
        store.write(&[write(model, Operation::Create, &row)]).await
    });
    let mut done = 0;
    for written in join_all(all).await {
        let written = written.map_err(|error| failure(&explain(&error)))?;
        done += usize::from(!written.outcomes[0].replayed);
    }
    one("repetitions that wrote", done)
}

fn one(what: &str, count: usize) -> Result<(), Failure> {
    match count {
        1 => Ok(()),
        _ => Err(failure(&format!("{what}: {count}, not one"))),
    }
}

fn failure(what: &str) -> Failure {
    Failure {
        part: "races",
        seed: 0,
        what: what.to_owned(),
    }
}
