//! What a `dispatch` means: which operation, on which model, with which arguments. Reads no rows.

use std::time::Duration;

use serde_json::{Map, Value};
use zcomm_core::data::{Query, Write};
use zcomm_core::{Action, CacheWish, Command, Error, Identity, Operation};

use super::special;
use crate::bifrost::app::App;
use crate::bifrost::fault::{Fault, brief};

/// Members that say what is meant, and are no arguments.
const ENVELOPE: [&str; 8] = [
    "event",
    "action",
    "zKey",
    "zHorizontal",
    "cmd",
    "model",
    "_requestId",
    "requestId",
];

/// What one part of a message says is meant.
#[derive(Debug, Default, PartialEq, Eq)]
struct Meant {
    operation: Option<Operation>,
    model: Option<String>,
    /// Whether `^Get` asks for the row itself.
    one: bool,
}

/// Finds out what a dispatch asks for. The first that matches: a command of the application's, one of the three
/// that are no rows, rows.
pub(super) fn command(
    app: &App,
    members: &Map<String, Value>,
    who: Option<&Identity>,
) -> Result<Command, Error> {
    if let Some(command) = registered(app, members) {
        return Ok(command);
    }
    if let Some(command) = special::command(members)? {
        return match asks_for_rows(members) {
            true => Err(Fault::TwoCommands.into()),
            false => Ok(command),
        };
    }
    rows(app, members, who)
}

/// The command that the application registered under this key. It gets the whole message.
fn registered(app: &App, members: &Map<String, Value>) -> Option<Command> {
    let mut texts = ["zKey", "cmd", "zHorizontal"].into_iter();
    let name = texts.find_map(|name| {
        let key = members.get(name).and_then(Value::as_str)?;
        app.offer().command(key).map(|(name, _)| name)
    })?;
    Some(Command::Run {
        key: name.to_owned(),
        message: members.clone(),
    })
}

/// Whether a message asks for rows as well, beside a command that is none.
fn asks_for_rows(members: &Map<String, Value>) -> bool {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let words = ["event", "action"].into_iter().filter_map(text);
    let mut keys = ["zKey", "cmd"].into_iter().filter_map(text);
    words.filter_map(Operation::from_wire).next().is_some()
        || keys.any(|key| by_key(key).operation.is_some())
}

fn rows(app: &App, members: &Map<String, Value>, who: Option<&Identity>) -> Result<Command, Error> {
    let inner = match members.get("zHorizontal") {
        None | Some(Value::Null) => None,
        Some(Value::Object(inner)) => Some(inner),
        Some(Value::String(_)) => None,
        Some(_) => {
            return Err(Fault::Horizontal.into());
        }
    };
    let meant = meant(members, inner)?;
    let operation = meant
        .operation
        .ok_or_else(|| nothing_meant(app, members, who))?;
    let name = meant.model.ok_or(Fault::NoModel)?;
    let model = app.schema().model(&name)?;
    let mut arguments = arguments(members, inner)?;
    let cache = cache_wish(&mut arguments)?;
    if operation == Operation::Read {
        let query = Query::parse(model, &arguments)?;
        let query = if meant.one { query.as_get() } else { query };
        return Ok(Command::Read { query, cache });
    }
    Ok(Command::Write(Write::parse(model, operation, &arguments)?))
}

/// Puts together what the parts say; parts that contradict each other are refused.
fn meant(members: &Map<String, Value>, inner: Option<&Map<String, Value>>) -> Result<Meant, Fault> {
    let mut all = Meant::default();
    for key in ["zKey", "cmd", "zHorizontal"] {
        if let Some(text) = members.get(key).and_then(Value::as_str) {
            all.agree(by_key(text))?;
        }
    }
    for part in [Some(members), inner].into_iter().flatten() {
        for name in ["event", "action"] {
            let operation = part
                .get(name)
                .and_then(Value::as_str)
                .and_then(Operation::from_wire);
            all.agree(Meant {
                operation,
                ..Meant::default()
            })?;
        }
        let model = match part.get("model") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(Fault::NotText { name: "model" }),
        };
        all.agree(Meant {
            model,
            ..Meant::default()
        })?;
    }
    Ok(all)
}

impl Meant {
    fn agree(&mut self, other: Self) -> Result<(), Fault> {
        if let (Some(one), Some(two)) = (self.operation, other.operation)
            && one != two
        {
            return Err(Fault::TwoOperations { one, two });
        }
        if let (Some(one), Some(two)) = (&self.model, &other.model)
            && !bare(one).eq_ignore_ascii_case(bare(two))
        {
            let (one, two) = (brief(one), brief(two));
            return Err(Fault::TwoModels { one, two });
        }
        self.operation = self.operation.or(other.operation);
        self.model = self.model.take().or(other.model);
        self.one |= other.one;
        Ok(())
    }
}

/// A model's name without the guides' `@.zSchema.` before it.
fn bare(name: &str) -> &str {
    name.strip_prefix("@.zSchema.").unwrap_or(name)
}

/// Reads `^List users`, `^List.users`, `read_users`. Any other key means nothing by itself.
fn by_key(key: &str) -> Meant {
    if let Some(caret) = key.strip_prefix('^') {
        let (word, model) = caret.split_once([' ', '.']).unwrap_or((caret, ""));
        let operation = match word {
            "Create" => Operation::Create,
            "List" | "Get" | "Search" => Operation::Read,
            "Update" => Operation::Update,
            "Delete" => Operation::Delete,
            "Upsert" => Operation::Upsert,
            _ => return Meant::default(),
        };
        let model = Some(model.trim().to_owned()).filter(|model| !model.is_empty());
        return Meant {
            operation: Some(operation),
            model,
            one: word == "Get",
        };
    }
    let Some((word, model)) = key.split_once('_') else {
        return Meant::default();
    };
    match Operation::from_wire(word) {
        Some(operation) if !model.is_empty() => Meant {
            operation: Some(operation),
            model: Some(model.to_owned()),
            one: false,
        },
        _ => Meant::default(),
    }
}

fn nothing_meant(app: &App, members: &Map<String, Value>, who: Option<&Identity>) -> Fault {
    match members.get("zKey").and_then(Value::as_str) {
        Some(key) => {
            let names = app.offer().commands.keys();
            let names = names.filter(|name| {
                who.is_some_and(|who| app.policy().permits(who, &Action::Run(name)))
            });
            Fault::NoSuchCommand {
                key: brief(key),
                known: names.cloned().collect(),
            }
        }
        None => Fault::NothingMeant,
    }
}

/// Everything but the envelope, from the message and from within `zHorizontal`.
fn arguments(
    members: &Map<String, Value>,
    inner: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>, Fault> {
    let mut all = Map::new();
    for (name, value) in [Some(members), inner].into_iter().flatten().flatten() {
        if ENVELOPE.contains(&name.as_str()) {
            continue;
        }
        if all.insert(name.clone(), value.clone()).is_some() {
            return Err(Fault::ArgumentTwice { name: name.clone() });
        }
    }
    Ok(all)
}

/// Takes what the caller wishes of caches out of its arguments.
fn cache_wish(arguments: &mut Map<String, Value>) -> Result<CacheWish, Fault> {
    let mut wish = CacheWish::default();
    match arguments.remove("cache_ttl") {
        None | Some(Value::Null) => {}
        Some(given) => {
            let seconds = given
                .as_u64()
                .filter(|seconds| (1..=3600).contains(seconds));
            let expected = "a whole number of seconds from 1 to 3600";
            let seconds = seconds.ok_or(Fault::BadMember {
                name: "cache_ttl",
                expected,
            })?;
            wish = wish.kept_for(Duration::from_secs(seconds));
        }
    }
    match arguments.remove("no_cache") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(wish),
        Some(Value::Bool(true)) => Ok(wish.bypassing()),
        Some(_) => Err(Fault::BadMember {
            name: "no_cache",
            expected: "true or false",
        }),
    }
}

#[cfg(test)]
mod tests {
    mod properties;

    use super::*;

    #[track_caller]
    fn key(text: &str, operation: Option<Operation>, model: Option<&str>) {
        let meant = by_key(text);

        assert_eq!(
            (meant.operation, meant.model.as_deref()),
            (operation, model),
            "{text}"
        );
    }

    #[test]
    fn keys_of_all_generations_are_read() {
        key("^List users", Some(Operation::Read), Some("users"));
        key("^List.users", Some(Operation::Read), Some("users"));
        key("^Upsert users", Some(Operation::Upsert), Some("users"));
        key("read_users", Some(Operation::Read), Some("users"));
        key(
            "create_user_roles",
            Some(Operation::Create),
            Some("user_roles"),
        );
        key("^Get", Some(Operation::Read), None);
        key("^Dance users", None, None);
        key("custom_command", None, None);
        assert!(by_key("^Get users").one);
    }

    #[track_caller]
    fn together(message: &Value) -> Result<Meant, String> {
        let members = message.as_object().unwrap();
        let inner = members.get("zHorizontal").and_then(Value::as_object);
        meant(members, inner).map_err(|fault| fault.to_string())
    }

    #[test]
    fn parts_that_agree_are_put_together() {
        let old = serde_json::json!({"zKey": "read_users", "zHorizontal": {"action": "read", "model": "Users"}});
        let new = serde_json::json!({"event": "dispatch", "zKey": "^List users", "model": "@.zSchema.users"});
        let word = serde_json::json!({"event": "delete", "model": "users"});

        assert_eq!(together(&old).unwrap().operation, Some(Operation::Read));
        assert_eq!(together(&new).unwrap().operation, Some(Operation::Read));
        assert_eq!(together(&word).unwrap().operation, Some(Operation::Delete));
    }

    #[test]
    fn wishes_of_caches_are_taken_from_wherever_arguments_are() {
        let message = serde_json::json!({"zKey": "read_users", "zHorizontal": {"no_cache": true, "cache_ttl": 5}});
        let members = message.as_object().unwrap();
        let inner = members.get("zHorizontal").and_then(Value::as_object);

        let mut arguments = arguments(members, inner).unwrap();
        let wish = cache_wish(&mut arguments).unwrap();

        assert_eq!(
            wish,
            CacheWish::default()
                .kept_for(Duration::from_secs(5))
                .bypassing()
        );
        assert!(arguments.is_empty());
    }

    #[test]
    fn parts_that_contradict_each_other_are_refused() {
        let actions = serde_json::json!({"zKey": "read_users", "action": "delete"});
        let models = serde_json::json!({"zKey": "read_users", "zHorizontal": {"model": "orders"}});

        assert_eq!(
            together(&actions).unwrap_err(),
            "the message asks to read and to delete"
        );
        assert_eq!(
            together(&models).unwrap_err(),
            "the message names the models `users` and `orders`"
        );
    }
}
