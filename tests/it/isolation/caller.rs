//! One connection that does random things, and checks every answer by what the oracle knows.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};
use zcomm::core::Identity;
use zcomm::ws::client::Client;

use super::world::{MODELS, World, fields, identities, name};

/// A small generator of numbers: the same seed, the same run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

struct Caller<'a> {
    world: &'a World,
    client: Client,
    who: Identity,
    number: usize,
    place: usize,
    dice: Dice,
}

/// Does random things as long as there is something to do.
pub(super) async fn run(world: &World, address: SocketAddr, number: usize, place: usize) {
    let (token, who) = identities().swap_remove(number);
    let client = Client::builder(format!("ws://{address}/")).token(token.as_str());
    let seed = world.seed * 1_000_003 + (number * 7 + place) as u64 + 1;
    let mut caller = Caller {
        world,
        client: client.connect().await.unwrap(),
        who,
        number,
        place,
        dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
    };
    while world.goes_on() {
        if let Err(what) = caller.act().await {
            world.violate(format!("{} as {:?}: {what}", number, caller.who));
        }
    }
    caller.client.close().await;
}

impl Caller<'_> {
    async fn act(&mut self) -> Result<(), String> {
        let model = self.dice.below(MODELS);
        match self.dice.below(100) {
            0..8 => self.write(model).await,
            8 => self.housekeep().await,
            9 if self.place == 0 => {
                self.world.turn_lock(self.number);
                Ok(())
            }
            _ => self.read(model).await,
        }
    }

    async fn ask(&self, event: &str, message: &Value) -> Value {
        let reply = self.client.request(event, message).await.unwrap();
        reply.json().unwrap()
    }

    /// Writes the next version of a row of one's own.
    async fn write(&mut self, model: usize) -> Result<(), String> {
        let Some(row) = self.world.own(model, &self.who, self.place) else {
            return self.read(model).await;
        };
        let version = row.next();
        let message = json!({
            "action": "update", "model": name(model), "where": row.id, "data": {"version": version},
        });
        let reply = self.ask("dispatch", &message).await;
        // One that timed out was written, or will be; nobody knows that yet.
        if reply["code"] == "timeout" {
            return Ok(());
        }
        row.know(version);
        match reply["result"]["version"] == version {
            true => Ok(()),
            false => Err(format!(
                "wrote version {version} of {}, and got {reply}",
                row.id
            )),
        }
    }

    /// What may disturb others, and must not.
    async fn housekeep(&mut self) -> Result<(), String> {
        let ttl = 1 + self.dice.below(100);
        let reply = match self.dice.below(3) {
            0 => self.ask("cache_stats", &json!({})).await,
            1 => self.ask("clear_cache", &json!({})).await,
            _ => self.ask("set_cache_ttl", &json!({"ttl": ttl})).await,
        };
        match reply.get("result") {
            Some(_) => Ok(()),
            None => Err(format!("a housekeeping event got {reply}")),
        }
    }

    async fn read(&mut self, model: usize) -> Result<(), String> {
        let rows = self.world.rows(model);
        let one = &rows[self.dice.below(rows.len())];
        let shape = self.dice.below(4);
        let mut message = match shape {
            0 | 1 => json!({"zKey": format!("^List {}", name(model))}),
            2 => json!({"action": "read", "model": name(model)}),
            _ => json!({"zKey": format!("read_{}", name(model)), "where": {"id": one.id}}),
        };
        match self.dice.below(40) {
            0 => message["no_cache"] = true.into(),
            1 => message["cache_ttl"] = 1.into(),
            _ => {}
        }
        let seen = |row: &&super::world::Row| shape < 3 || row.id == one.id;
        let expected: Vec<_> = rows
            .iter()
            .filter(seen)
            .filter(|row| row.is_seen_by(&self.who))
            .collect();
        let lock = self.world.lock_of(self.number);
        let oldest: Vec<u64> = expected.iter().map(|row| row.oldest()).collect();

        let reply = self.ask("dispatch", &message).await;

        let steady = self.world.lock_of(self.number) == lock;
        if reply["code"] == "forbidden" {
            return match steady && lock.is_multiple_of(2) {
                true => Err(format!("was locked out: {reply}")),
                false => Ok(()),
            };
        }
        if steady && lock % 2 == 1 {
            return Err(format!("was locked out, and got {reply}"));
        }
        let rows: Vec<Map<String, Value>> = serde_json::from_value(reply["result"].clone())
            .map_err(|_| format!("{message} got {reply}"))?;
        if rows.len() != expected.len() {
            return Err(format!(
                "{message} is about {} rows, and got {reply}",
                expected.len()
            ));
        }
        for ((row, expected), oldest) in rows.iter().zip(expected).zip(oldest) {
            let version = row
                .get("version")
                .and_then(Value::as_u64)
                .unwrap_or(u64::MAX);
            let own_fields = row.keys().eq(fields(&self.who));
            let in_time = (oldest..=expected.newest()).contains(&version);
            if row["id"] != expected.id || !own_fields || !in_time {
                let since = format!("{oldest} to {}", expected.newest());
                return Err(format!(
                    "{message} got {row:?}, where versions {since} hold"
                ));
            }
            expected.know(version);
        }
        Ok(())
    }
}
