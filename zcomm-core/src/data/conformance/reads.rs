//! Reads: filters, orders, fields and pages by chance, by offset and by cursor, for each of those who may.

use serde_json::{Value as Json, json};

use super::dice::Dice;
use super::world::World;
use super::{Failure, Pair, explain};
use crate::data::permitted::Permitted;
use crate::data::query::Query;
use crate::data::store::Store;

/// How many queries are made in a world, each time it is read.
const QUERIES: usize = 24;
/// How many pages of one query are followed.
const PAGES: usize = 6;

impl<S: Store> Pair<'_, S> {
    pub(super) async fn reads(&mut self, dice: &mut Dice, world: &World) -> Result<(), Failure> {
        for _ in 0..QUERIES {
            let mut arguments =
                json!({"order_by": world.order(dice), "fields": world.fields(dice)});
            if dice.percent(85) {
                arguments["where"] = world.filter(dice, 3);
            }
            match dice.below(4) {
                0 => {}
                1 => arguments["limit"] = json!(dice.below(5)),
                2 => {
                    arguments["limit"] = json!(1 + dice.below(5));
                    arguments["offset"] = json!(dice.below(8));
                }
                _ => arguments["limit"] = json!(1 + dice.below(3)),
            }
            if dice.percent(20) {
                arguments["big_ints"] = json!("string");
            }
            let who = dice.pick(&world.people).clone();
            if let Some(query) = world.query(&arguments, &who) {
                self.follow(world, &who, arguments, query).await?;
            }
        }
        Ok(())
    }

    /// Compares a page, and those after it.
    async fn follow(
        &mut self,
        world: &World,
        who: &crate::identity::Identity,
        mut arguments: Json,
        mut query: Permitted<Query>,
    ) -> Result<(), Failure> {
        for _ in 0..PAGES {
            let Some(next) = self.read(&query, &arguments).await? else {
                return Ok(());
            };
            if arguments.get("offset").is_some() {
                return Ok(());
            }
            arguments["after"] = json!(next);
            let Some(after) = world.query(&arguments, who) else {
                return Err(self.failure("reads", format!("{arguments}: its cursor was refused")));
            };
            query = after;
        }
        Ok(())
    }

    /// Compares one page; the cursor that continues.
    pub(super) async fn read(
        &mut self,
        query: &Permitted<Query>,
        asked: &Json,
    ) -> Result<Option<String>, Failure> {
        self.cases += 1;
        let expected = self.reference.read(query).await;
        let expected = expected.map_err(|error| self.failure("reads", explain(&error)))?;
        match self.store.read(query).await {
            Ok(rows) if rows == expected => Ok(rows.next),
            Ok(rows) => {
                let [got, wanted] = [&rows, &expected].map(|rows| {
                    let json = String::from_utf8_lossy(&rows.json);
                    format!("{} rows {json}, more: {}", rows.count, rows.has_more())
                });
                Err(self.failure(
                    "reads",
                    format!("{asked}\n  got    {got}\n  wanted {wanted}"),
                ))
            }
            Err(error) => Err(self.failure("reads", format!("{asked}: {}", explain(&error)))),
        }
    }
}
