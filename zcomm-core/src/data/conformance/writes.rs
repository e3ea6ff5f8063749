//! Writes by chance, several in one transaction: what they report, what they refuse, what is there afterwards.

use serde_json::{Value as Json, json};

use super::dice::Dice;
use super::world::World;
use super::{Failure, Pair};
use crate::action::Operation;
use crate::data::permitted::Permitted;
use crate::data::store::Store;
use crate::data::write::Write;

/// How many rows there are at first.
const ROWS: usize = 40;
/// How many transactions there are in a world.
const TRANSACTIONS: usize = 24;

impl<S: Store> Pair<'_, S> {
    /// Adds rows one by one; those that conflict are refused by both.
    pub(super) async fn fill(&mut self, dice: &mut Dice, world: &World) -> Result<(), Failure> {
        for number in 0..ROWS {
            let arguments = json!({"data": world.row(dice, number)});
            if let Some(write) = world.write(Operation::Create, &arguments, world.root()) {
                self.write(world, &[write], &arguments).await?;
            }
        }
        self.whole(world).await
    }

    pub(super) async fn writes(&mut self, dice: &mut Dice, world: &World) -> Result<(), Failure> {
        for number in 0..TRANSACTIONS {
            let (mut writes, mut asked) = (Vec::new(), Vec::new());
            for _ in 0..1 + dice.below(3) {
                let (operation, arguments) = command(dice, world, ROWS + number);
                let who = dice.pick(&world.people);
                if let Some(write) = world.write(operation, &arguments, who) {
                    let fields = world.model.fields().iter();
                    let before = fields.filter(|_| dice.percent(30)).cloned();
                    writes.push(write.wanting_before(before.collect::<Vec<_>>()));
                    asked.push(json!([operation.as_str(), arguments]));
                }
            }
            self.write(world, &writes, &Json::Array(asked)).await?;
            if number % 4 == 0 {
                self.whole(world).await?;
            }
        }
        self.whole(world).await
    }

    async fn write(
        &mut self,
        world: &World,
        writes: &[Permitted<Write>],
        asked: &Json,
    ) -> Result<(), Failure> {
        self.cases += 1;
        let wanted = self.reference.write(writes).await;
        let got = self.store.write(writes).await;
        let same = match (&got, &wanted) {
            (Ok(got), Ok(wanted)) => got.outcomes == wanted.outcomes,
            (Err(got), Err(wanted)) => {
                got.code() == wanted.code() && got.is_rolled_back() == wanted.is_rolled_back()
            }
            _ => false,
        };
        match same {
            true => Ok(()),
            false => Err(self.failure(
                "writes",
                format!(
                    "{} {asked}\n  got    {got:?}\n  wanted {wanted:?}",
                    world.model.name()
                ),
            )),
        }
    }

    /// Compares all that is there.
    pub(super) async fn whole(&mut self, world: &World) -> Result<(), Failure> {
        let mut arguments = json!({});
        loop {
            let query = world.query(&arguments, world.root());
            let query = query.expect("an admin may read everything");
            match self.read(&query, &arguments).await? {
                Some(next) => arguments = json!({"after": next}),
                None => return Ok(()),
            }
        }
    }
}

fn command(dice: &mut Dice, world: &World, number: usize) -> (Operation, Json) {
    let dry_run = dice.percent(15);
    let filter = match dice.percent(30) {
        true => super::values::key(world.model.key().kind, dice.below(number)),
        false => world.filter(dice, 2),
    };
    match dice.below(5) {
        0 => {
            let row = json!({"data": world.row(dice, number), "dry_run": dry_run});
            (Operation::Create, row)
        }
        1 => {
            let rows =
                (0..1 + dice.below(4)).map(|more| world.row(dice, number + 100 * (more + 1)));
            let rows: Vec<_> = rows.collect();
            (Operation::Create, json!({"data": rows, "dry_run": dry_run}))
        }
        2 => {
            let change = world.change(dice);
            let update = json!({"data": change, "where": filter, "dry_run": dry_run, "all": true});
            (Operation::Update, update)
        }
        3 => {
            let narrow = json!({"and": [filter_of(&filter, world), world.filter(dice, 1)]});
            (
                Operation::Delete,
                json!({"where": narrow, "dry_run": dry_run, "all": true}),
            )
        }
        _ => {
            let place = dice.below(number);
            let mut row = world.row(dice, place);
            if dice.percent(60) {
                let key = world.model.key();
                row.insert(key.name.clone(), super::values::key(key.kind, place));
            }
            (Operation::Upsert, json!({"data": row, "dry_run": dry_run}))
        }
    }
}

fn filter_of(filter: &Json, world: &World) -> Json {
    match filter {
        Json::Object(_) => filter.clone(),
        key => json!({world.model.key().name.clone(): key}),
    }
}
