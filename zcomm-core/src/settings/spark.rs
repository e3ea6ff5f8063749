//! zSpark: values given in code as a JSON tree, taken apart into dotted paths. Knows no keys.

use serde_json::Value as Json;

use super::value::Raw;

/// Takes a tree apart; `None` for a value whose shape fits no setting.
pub(super) fn leaves(tree: &Json) -> Option<Vec<(String, Option<Raw>)>> {
    let mut found = Vec::new();
    match tree {
        Json::Object(_) => walk("", tree, &mut found),
        Json::Null => {}
        _ => return None,
    }
    Some(found)
}

fn walk(path: &str, node: &Json, found: &mut Vec<(String, Option<Raw>)>) {
    match node {
        Json::Object(entries) => {
            for (name, child) in entries {
                let below = match path {
                    "" => name.clone(),
                    _ => format!("{path}.{name}"),
                };
                walk(&below, child, found);
            }
        }
        // The guides pass on variables that may not exist: nothing given leaves the layer below.
        Json::Null => {}
        _ => found.push((path.to_owned(), raw(node))),
    }
}

fn raw(node: &Json) -> Option<Raw> {
    match node {
        Json::Array(items) => items.iter().map(one).collect::<Option<_>>().map(Raw::Many),
        _ => one(node).map(Raw::One),
    }
}

fn one(node: &Json) -> Option<String> {
    match node {
        Json::String(text) => Some(text.clone()),
        Json::Bool(on) => Some(on.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
