//! Tests of the suite: the reference passes, and a store with a fault that stores have does not.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;

use super::*;
use crate::data::access::{Access, Requester};
use crate::data::filter::{Condition, Filter};
use crate::data::lookup::Lookup;
use crate::data::permitted::Permitted;
use crate::data::query::Query;
use crate::data::rows::Rows;
use crate::data::store::{ForeignChanges, Migration};
use crate::data::value::Value;
use crate::data::write::Write;
use crate::data::written::Written;
use crate::data::{MemoryStore, Result, Row};
use crate::identity::Identity;

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// `ne` leaves out rows with NULL, as plain SQL does.
    NeIgnoresNull,
    /// `in` does not find NULL by null.
    InIgnoresNull,
    /// Texts are compared without regard to case.
    CaseIgnored,
    /// Texts are sorted by UTF-16 units.
    Utf16Order,
    /// NULL comes last in an ascending order.
    NullsLast,
    /// The row rule is not asked.
    RuleDropped,
    /// `not` of a comparison with NULL is not true.
    ThreeValues,
    /// The offset is one off.
    OffsetShifted,
    /// An update forgets what was there before.
    BeforeForgotten,
    /// Unique fields are not kept so.
    KeysForgotten,
}

/// The reference, but for one fault.
struct Faulty {
    inner: MemoryStore,
    fault: Fault,
}

impl Faulty {
    /// The answer to a query that was changed on its way; the cursor is that of the query as it was.
    async fn reading(&self, query: &Permitted<Query>, changed: Query) -> Result<Rows> {
        let root = Identity::guest();
        let access = Access::unrestricted();
        let changed = access.query(changed, &Requester::new(&root))?;
        let next = self.inner.read(query).await?.next;
        let rows = self.inner.read(&changed).await?;
        Ok(Rows::new(rows.json, rows.count, next))
    }

    async fn sorted(&self, query: &Permitted<Query>, key: fn(&Json) -> Vec<u16>) -> Result<Rows> {
        let rows = self.inner.read(query).await?;
        let mut sorted: Vec<Row> = serde_json::from_slice(&rows.json).unwrap();
        if let Some(first) = query.order.asked().first()
            && query.order.asked().len() == 1
            && first.direction == crate::data::order::Direction::Ascending
            && query
                .columns()
                .iter()
                .any(|field| field.name == first.field.name)
        {
            sorted.sort_by_key(|row| key(&row[&first.field.name]));
        }
        Ok(Rows::of(&sorted, rows.next))
    }
}

fn each(filter: &Filter, change: fn(&Condition) -> Filter) -> Filter {
    let all = |parts: &[Filter]| parts.iter().map(|part| each(part, change)).collect();
    match filter {
        Filter::All(parts) => Filter::All(all(parts)),
        Filter::Any(parts) => Filter::Any(all(parts)),
        Filter::Not(part) => Filter::Not(Box::new(each(part, change))),
        Filter::Test(condition) => change(condition),
    }
}

fn without_null(condition: &Condition) -> Filter {
    let has_value = Filter::test(&condition.field, Lookup::IsNull(false));
    has_value.and(Filter::Test(condition.clone()))
}

#[async_trait]
impl Store for Faulty {
    async fn read(&self, query: &Permitted<Query>) -> Result<Rows> {
        let mut changed: Query = (**query).clone();
        match self.fault {
            Fault::NeIgnoresNull => {
                changed.filter = each(&changed.filter, |condition| match &condition.lookup {
                    Lookup::Ne(value) if !value.is_null() => without_null(condition),
                    _ => Filter::Test(condition.clone()),
                });
            }
            Fault::InIgnoresNull => {
                changed.filter = each(&changed.filter, |condition| match &condition.lookup {
                    Lookup::In(_) => without_null(condition),
                    _ => Filter::Test(condition.clone()),
                });
            }
            Fault::CaseIgnored => {
                changed.filter = each(&changed.filter, |condition| match &condition.lookup {
                    Lookup::Exact(Value::Text(text)) => {
                        let lookup = Lookup::Text {
                            part: crate::data::Part::Whole,
                            text: crate::data::value::lower(text).into_owned(),
                            fold: true,
                        };
                        Filter::test(&condition.field, lookup)
                    }
                    _ => Filter::Test(condition.clone()),
                });
            }
            Fault::ThreeValues => {
                // `NOT (NULL > 1)` is NULL, so the row is left out.
                fn plain(filter: &Filter) -> Filter {
                    match filter {
                        Filter::Not(part) => match &**part {
                            Filter::Test(condition) => {
                                Filter::test(&condition.field, Lookup::IsNull(false))
                                    .and(filter.clone())
                            }
                            _ => filter.clone(),
                        },
                        Filter::All(parts) => Filter::All(parts.iter().map(plain).collect()),
                        Filter::Any(parts) => Filter::Any(parts.iter().map(plain).collect()),
                        other => other.clone(),
                    }
                }
                changed.filter = plain(&changed.filter);
            }
            Fault::RuleDropped if query.is_uniform() => {
                let rules: Vec<Filter> = query
                    .grants()
                    .iter()
                    .map(crate::data::Grant::rows)
                    .collect();
                if let Filter::All(parts) = &mut changed.filter {
                    parts.retain(|part| !rules.contains(part));
                } else if rules.contains(&changed.filter) {
                    changed.filter = Filter::all();
                }
            }
            Fault::OffsetShifted => {
                if let crate::data::Start::Offset(offset @ 1..) = &mut changed.page.start {
                    *offset -= 1;
                }
            }
            Fault::Utf16Order => {
                return self
                    .sorted(query, |cell| match cell {
                        Json::String(text) => text.encode_utf16().collect(),
                        _ => Vec::new(),
                    })
                    .await;
            }
            Fault::NullsLast => {
                return self
                    .sorted(query, |cell| vec![u16::from(cell.is_null())])
                    .await;
            }
            _ => {}
        }
        match **query == changed {
            true => self.inner.read(query).await,
            false => self.reading(query, changed).await,
        }
    }

    async fn write(&self, writes: &[Permitted<Write>]) -> Result<Written> {
        if self.fault == Fault::KeysForgotten {
            let plain = writes.iter().any(|write| write.idempotency().is_some());
            if plain {
                let mut written = self.inner.write(writes).await?;
                written
                    .outcomes
                    .iter_mut()
                    .for_each(|it| it.replayed = false);
                return Ok(written);
            }
        }
        let mut written = self.inner.write(writes).await?;
        if self.fault == Fault::BeforeForgotten {
            let changed = written.outcomes.iter_mut().flat_map(|it| &mut it.changed);
            changed.for_each(|changed| changed.before = None);
        }
        Ok(written)
    }

    async fn models(&self) -> Result<Vec<Arc<Model>>> {
        self.inner.models().await
    }

    async fn migrate(&self, model: &Arc<Model>) -> Result<Migration> {
        self.inner.migrate(model).await
    }

    fn changes(&self) -> Option<ForeignChanges> {
        None
    }
}

fn run(fault: Fault) -> Result<Report, Failure> {
    let open = async || Faulty {
        inner: MemoryStore::default(),
        fault,
    };
    futures_util::FutureExt::now_or_never(check(open)).expect("memory answers at once")
}

#[track_caller]
fn finds(fault: Fault, part: &str) {
    let failure = run(fault).expect_err("the suite found nothing");

    assert_eq!(failure.part, part, "{failure}");
}

#[test]
fn the_reference_agrees_with_itself() {
    let checked = check(async || MemoryStore::default());
    let report = futures_util::FutureExt::now_or_never(checked).expect("memory answers at once");

    assert!(report.unwrap().cases > 1000);
}

#[test]
fn lookups_that_forget_null_are_found() {
    finds(Fault::NeIgnoresNull, "reads");
    finds(Fault::InIgnoresNull, "reads");
    finds(Fault::ThreeValues, "reads");
}

#[test]
fn a_wrong_collation_is_found() {
    finds(Fault::CaseIgnored, "reads");
    finds(Fault::Utf16Order, "reads");
    finds(Fault::NullsLast, "reads");
}

#[test]
fn a_dropped_row_rule_is_found() {
    finds(Fault::RuleDropped, "reads");
}

#[test]
fn a_page_that_starts_too_early_is_found() {
    finds(Fault::OffsetShifted, "reads");
}

#[test]
fn writes_that_report_too_little_are_found() {
    finds(Fault::BeforeForgotten, "writes");
    finds(Fault::KeysForgotten, "life");
}

#[test]
fn a_seed_brings_the_same_world_back() {
    let world = |seed| World::new(&mut Dice::new(seed), seed).model;

    assert_eq!(world(7), world(7));
    assert_ne!(world(7).fields(), world(8).fields());
}
