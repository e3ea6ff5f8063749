//! The commands that are no rows: `zFunc`, `zLink`, `zOpen`, alone or with their argument. Runs none of them.

use serde_json::{Map, Value};
use zcomm_core::Command;

use crate::bifrost::fault::Fault;
use crate::bifrost::relaxed;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Function,
    Link,
    Open,
}

impl Special {
    const ALL: [Self; 3] = [Self::Function, Self::Link, Self::Open];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Function => "zFunc",
            Self::Link => "zLink",
            Self::Open => "zOpen",
        }
    }

    /// Reads `zFunc` or `zFunc(…)`; any other text is none of these.
    fn of(text: &str) -> Result<Option<(Self, Option<&str>)>, Fault> {
        let text = text.trim();
        for special in Self::ALL {
            let Some(rest) = text.strip_prefix(special.as_str()) else {
                continue;
            };
            if rest.is_empty() {
                return Ok(Some((special, None)));
            }
            let Some(open) = rest.trim_start().strip_prefix('(') else {
                continue;
            };
            let name = special.as_str();
            let inner = open.strip_suffix(')').ok_or(Fault::Unclosed { name })?;
            return Ok(Some((special, Some(inner))));
        }
        Ok(None)
    }

    fn command(self, argument: &str) -> Result<Command, Fault> {
        if self == Self::Function {
            let (name, args) = relaxed::call(argument)?;
            let function = name.to_owned();
            return Ok(Command::Call { function, args });
        }
        let path = match argument.trim() {
            "" => {
                return Err(Fault::Empty {
                    name: self.as_str(),
                });
            }
            quoted if quoted.starts_with(['"', '\'']) => {
                match relaxed::arguments(quoted)?.as_slice() {
                    [Value::String(path)] => path.clone(),
                    _ => {
                        return Err(Fault::NotText {
                            name: self.as_str(),
                        });
                    }
                }
            }
            bare => bare.to_owned(),
        };
        Ok(match self {
            Self::Link => Command::Link(path),
            _ => Command::Open(plain(&path)),
        })
    }
}

/// A path without what means nothing in it, so that a policy judges the file and not a way of writing it.
fn plain(path: &str) -> String {
    let rooted = if path.starts_with('/') { "/" } else { "" };
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    format!("{rooted}{}", parts.collect::<Vec<_>>().join("/"))
}

/// The command that a message's texts ask for, if it is one of the three.
///
/// One text may name it and another hold its argument; two that each are a whole command must be the same one.
pub(super) fn command(members: &Map<String, Value>) -> Result<Option<Command>, Fault> {
    let mut named = None;
    let mut whole: Option<(Special, &str)> = None;
    let mut bare = None;
    for key in ["zKey", "cmd", "zHorizontal"] {
        let Some(text) = members.get(key).and_then(Value::as_str) else {
            continue;
        };
        match Special::of(text)? {
            Some((special, None)) => {
                agree(named, special)?;
                named = Some(special);
            }
            Some((special, Some(argument))) => {
                if whole.is_some_and(|other| other != (special, argument)) {
                    return Err(Fault::TwoCommands);
                }
                whole = Some((special, argument));
            }
            None if key == "zHorizontal" || named.is_some() => bare = Some(text),
            None => {}
        }
    }
    match (named, whole, bare) {
        (None, None, _) => Ok(None),
        (_, Some(_), Some(_)) => Err(Fault::TwoCommands),
        (named, Some((special, argument)), None) => {
            agree(named, special)?;
            special.command(argument).map(Some)
        }
        (Some(special), None, Some(argument)) => special.command(argument).map(Some),
        (Some(special), None, None) => Err(Fault::NoArgument {
            name: special.as_str(),
        }),
    }
}

fn agree(named: Option<Special>, special: Special) -> Result<(), Fault> {
    match named {
        Some(other) if other != special => Err(Fault::TwoCommands),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(message: Value) -> Result<Option<Command>, String> {
        let Value::Object(members) = message else {
            panic!("a message is an object");
        };
        command(&members).map_err(|fault| fault.to_string())
    }

    fn call(function: &str, args: &[Value]) -> Result<Option<Command>, String> {
        Ok(Some(Command::Call {
            function: function.to_owned(),
            args: args.to_vec(),
        }))
    }

    #[test]
    fn the_whole_command_and_the_bare_argument_are_the_same() {
        let cart = [json!({"cart_id": 123})];
        for message in [
            json!({"zKey": "zFunc", "zHorizontal": "zFunc(calculateTotal, {cart_id: 123})"}),
            json!({"zKey": "zFunc", "zHorizontal": "calculateTotal, {\"cart_id\": 123}"}),
            json!({"cmd": "zFunc(calculateTotal, {cart_id: 123})"}),
            json!({"zKey": "zFunc( calculateTotal , {'cart_id': 123} )"}),
            json!({"zHorizontal": "zFunc (calculateTotal, {cart_id: 123})"}),
        ] {
            assert_eq!(
                of(message.clone()),
                call("calculateTotal", &cart),
                "{message}"
            );
        }
        assert_eq!(
            of(json!({"zKey": "zFunc", "zHorizontal": "now"})),
            call("now", &[])
        );
    }

    #[test]
    fn paths_may_be_quoted() {
        let link = Ok(Some(Command::Link("/admin/users".to_owned())));
        let open = Ok(Some(Command::Open("config.yaml".to_owned())));

        assert_eq!(
            of(json!({"zKey": "zLink", "zHorizontal": "zLink(/admin/users)"})),
            link
        );
        assert_eq!(
            of(json!({"zKey": "zLink", "zHorizontal": "/admin/users"})),
            link
        );
        assert_eq!(of(json!({"cmd": "zLink('/admin/users')"})), link);
        assert_eq!(
            of(json!({"zKey": "zOpen", "zHorizontal": "config.yaml"})),
            open
        );
    }

    #[test]
    fn what_is_none_of_the_three_is_left_to_others() {
        for message in [
            json!({"zKey": "^List users", "zHorizontal": "^List users"}),
            json!({"zKey": "zFuncs"}),
            json!({"zHorizontal": {"action": "read"}}),
        ] {
            assert_eq!(of(message.clone()), Ok(None), "{message}");
        }
    }

    #[test]
    fn what_is_half_said_is_refused() {
        for (message, expected) in [
            (
                json!({"zKey": "zFunc"}),
                "`zFunc` needs an argument: put it into `zHorizontal`",
            ),
            (
                json!({"zKey": "zFunc", "zHorizontal": "zLink(/a)"}),
                "the message holds two commands; send them one by one",
            ),
            (
                json!({"zKey": "zFunc(a)", "zHorizontal": "zFunc(b)"}),
                "the message holds two commands; send them one by one",
            ),
            (json!({"cmd": "zOpen(a"}), "`zOpen(` is not closed"),
            (json!({"cmd": "zOpen()"}), "`zOpen` is empty"),
            (
                json!({"cmd": "zFunc(__import__('os'))"}),
                "expected the name of a function at character 0 of the arguments",
            ),
        ] {
            assert_eq!(of(message.clone()), Err(expected.to_owned()), "{message}");
        }
    }
}
