//! What an application adds to the protocol: functions, commands, events, routes, files. Calls nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zcomm_core::{Body, Error};

use super::call::Call;
use super::fault::Fault;
use super::files::Files;
use super::remote::Remote;
use super::reply;
use super::route::Route;
use super::topics::Topics;
use crate::server::{CloseReason, Connection};

/// Something that the application registered, behind its types.
pub(super) type Callee =
    Arc<dyn Fn(Call, Given) -> BoxFuture<'static, Result<Response<Body>, Error>> + Send + Sync>;

/// Is asked whether a client is taken.
pub(super) type OnConnect = Box<dyn Fn(&Remote) -> Result<(), CloseReason> + Send + Sync>;
/// Learns that a client has gone.
pub(super) type OnDisconnect = Box<dyn Fn(&Connection, &CloseReason) + Send + Sync>;

/// What a callee is given.
pub(super) enum Given {
    /// The arguments of `zFunc`.
    Arguments(Vec<Value>),
    /// A whole message, without its id.
    Message(Map<String, Value>),
}

/// What an application adds to the protocol. Each is found by its name.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) functions: BTreeMap<String, Callee>,
    /// Without the `^` that keys may begin with.
    pub(super) commands: BTreeMap<String, Callee>,
    pub(super) events: BTreeMap<String, Callee>,
    pub(super) routes: BTreeMap<String, Route>,
    pub(super) files: Option<Files>,
    pub(super) topics: Topics,
    pub(super) on_connect: Option<OnConnect>,
    pub(super) on_disconnect: Option<OnDisconnect>,
}

impl Offer {
    /// The command under this key, and its name without `^`.
    pub(super) fn command(&self, key: &str) -> Option<(&str, &Callee)> {
        let found = self.commands.get_key_value(bare_key(key));
        found.map(|(name, callee)| (name.as_str(), callee))
    }
}

/// A key without the `^` before it: `^Greet` and `Greet` are one command.
pub(super) fn bare_key(key: &str) -> &str {
    key.strip_prefix('^').unwrap_or(key)
}

/// Hides the types of what an application registers.
pub(super) fn callee<F, Fut, A, R>(f: F) -> Callee
where
    F: Fn(Call, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send + 'static,
    A: DeserializeOwned,
    R: Serialize,
{
    Arc::new(move |call, given: Given| match given.read() {
        Err(fault) => std::future::ready(Err(fault.into())).boxed(),
        Ok(read) => {
            let answer = f(call, read);
            let answer = async move { reply::result(&answer.await?) };
            // A panic of the application's is no reason to close the connection of whoever met it.
            let answer = AssertUnwindSafe(answer).catch_unwind();
            let answer = answer.map(|ended| ended.unwrap_or_else(|_| Err(Fault::Panicked.into())));
            answer.boxed()
        }
    })
}

impl Given {
    /// Reads it as the callee's type. One argument is that value, several are a tuple, none is `null` or `{}`.
    fn read<A: DeserializeOwned>(self) -> Result<A, Fault> {
        let (first, second) = match self {
            Self::Message(message) => (Value::Object(message), None),
            Self::Arguments(values) => match <[Value; 1]>::try_from(values) {
                Ok([only]) => (only.clone(), Some(Value::Array(vec![only]))),
                Err(none) if none.is_empty() => (Value::Null, Some(Map::new().into())),
                Err(several) => (several.into(), None),
            },
        };
        let unread = match serde_json::from_value(first) {
            Ok(read) => return Ok(read),
            Err(found) => Fault::Arguments { found },
        };
        let second = second.and_then(|value| serde_json::from_value(value).ok());
        second.ok_or(unread)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Cart {
        cart_id: u64,
    }

    fn read<A: DeserializeOwned>(values: Value) -> Result<A, Fault> {
        let Value::Array(values) = values else {
            panic!("arguments are a list");
        };
        Given::Arguments(values).read()
    }

    #[test]
    fn arguments_take_the_form_that_the_function_has() {
        assert_eq!(read::<Cart>(json!([{"cart_id": 7}])).unwrap().cart_id, 7);
        assert_eq!(
            read::<(u8, String)>(json!([1, "x"])).unwrap(),
            (1, "x".to_owned())
        );
        assert_eq!(read::<Vec<u8>>(json!([1])).unwrap(), [1]);
        assert_eq!(read::<Vec<u8>>(json!([[1, 2]])).unwrap(), [1, 2]);
        assert_eq!(read::<Option<u8>>(json!([])).unwrap(), None);
        assert_eq!(read::<Cart>(json!([])).unwrap(), Cart::default());
        read::<()>(json!([])).unwrap();
    }

    #[test]
    fn arguments_of_another_form_are_named() {
        let fault = read::<Cart>(json!([{"cart_id": "x"}])).unwrap_err();

        assert!(
            fault
                .to_string()
                .contains("invalid type: string \"x\", expected u64"),
            "{fault}"
        );
    }
}
