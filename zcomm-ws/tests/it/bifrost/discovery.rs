//! What a client finds out by itself: `discover` and `introspect`, as far as its rights go.

use serde_json::{Value, json};

use super::identity::closed;
use super::{greeted, open, post, serve};

fn names(fields: &Value) -> Vec<&str> {
    let fields = fields.as_array().unwrap().iter();
    fields
        .map(|field| field["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn discover_lists_what_this_identity_may_use() {
    let (_server, address) = serve(closed(|_| ())).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut rob, _) = greeted(address, "/?token=token-of-rob").await;

    let to_ada = ada.ask(json!({"event": "discover", "_requestId": 1})).await;
    let to_rob = rob.ask(json!({"action": "discover"})).await;

    let schemas = json!([{"name": "notes", "operations": ["create", "read"]}]);
    assert_eq!(to_ada["schemas"], schemas);
    assert_eq!(to_ada["operations"], json!(["create", "read"]));
    assert_eq!(to_ada["result"]["schemas"], schemas);
    assert_eq!(to_ada["_requestId"], 1);
    assert_eq!(to_rob["operations"], json!(["read"]));
}

#[tokio::test]
async fn introspect_tells_a_model_as_its_reader_may_know_it() {
    let (_server, address) = serve(closed(|_| ())).await;
    let (mut ada, _) = greeted(address, "/?token=token-of-ada").await;
    let (mut rob, _) = greeted(address, "/?token=token-of-rob").await;
    let ask = json!({"event": "introspect", "model": "@.zSchema.notes"});

    let (to_ada, to_rob) = (ada.ask(ask.clone()).await, rob.ask(ask).await);
    let all = rob.ask(json!({"event": "introspect"})).await;
    let unknown = rob
        .ask(json!({"event": "introspect", "model": "pg_shadow"}))
        .await;

    assert_eq!(to_ada["model"], "notes");
    assert_eq!(names(&to_ada["fields"]), ["id", "text", "owner_id"]);
    assert_eq!(to_ada["relations"], to_ada["relationships"]);
    assert_eq!(to_ada["operations"], json!(["create", "read"]));
    assert_eq!(to_ada["limits"]["max_rows"], 1000);
    assert_eq!(to_ada["result"]["fields"], to_ada["fields"]);
    assert_eq!(names(&to_rob["fields"]), ["id"]);
    assert_eq!(to_rob["lookups"].as_object().unwrap().len(), 1);
    assert_eq!(all["models"][0], to_rob["result"]);
    assert_eq!(unknown["code"], "unknown_model");
}

#[tokio::test]
async fn both_answer_over_http_too() {
    let (_server, address) = serve(open()).await;

    let (status, told) = post(address, "/discover", "application/json", "{}").await;

    assert_eq!(status, "200");
    assert_eq!(told["schemas"][0]["name"], "notes");
}
