//! What a server shows and asks: `display`, `input_request`, `input_response`.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use zcomm_core::Error;
use zcomm_ws::bifrost::{BifrostBuilder, Call, Display, Question};

use super::{greeted, open, post, serve};
use crate::peer::within;

fn asking() -> BifrostBuilder {
    open()
        .function("greet", async |call: Call, (): ()| {
            let client = call.connection()?;
            let name = client
                .ask(&Question::text("Your name?").default("Ada"))
                .await?;
            client
                .display(&Display::text(format!(
                    "Hello {}",
                    name.as_str().unwrap_or("?")
                )))
                .await?;
            Ok(name)
        })
        .function("confirm", async |call: Call, (): ()| {
            let question = Question::confirm("Really?").timeout(Duration::from_millis(100));
            call.connection()?.ask(&question).await
        })
}

#[tokio::test]
async fn a_function_asks_and_shows_while_its_caller_waits() {
    let (_server, address) = serve(asking()).await;
    let (mut client, _) = greeted(address, "/").await;

    // Without an id: those behind it wait for it, but not the answer to its own question.
    let request = client.ask(json!({"cmd": "zFunc(greet)"})).await;
    let id = request["requestId"].clone();
    client
        .text(&json!({"event": "input_response", "requestId": id, "value": "Grace"}).to_string())
        .await;
    let (shown, answer) = (client.json().await, client.json().await);

    assert_eq!(
        request,
        json!({
            "event": "input_request", "requestId": id, "type": "text", "prompt": "Your name?", "default": "Ada",
            "timeout_ms": 25000
        })
    );
    assert_eq!(
        shown,
        json!({"event": "display", "data": {"type": "text", "content": "Hello Grace"}})
    );
    assert_eq!(answer, json!({"result": "Grace"}));
}

#[tokio::test]
async fn nobody_answers_for_another() {
    let (_server, address) = serve(asking()).await;
    let (mut asked, _) = greeted(address, "/").await;
    let (mut other, _) = greeted(address, "/").await;

    let request = asked
        .ask(json!({"cmd": "zFunc(greet)", "_requestId": 1}))
        .await;
    let answer = |value: &str| {
        json!({"event": "input_response", "requestId": request["requestId"], "value": value})
            .to_string()
    };
    other.text(&answer("Eve")).await;
    // No reply to it either: the next message is the one to the ping.
    let nothing = other.ask(json!({"event": "ping"})).await;
    asked.text(&answer("Grace")).await;
    asked.json().await;

    assert_eq!(nothing, json!({"result": "pong"}));
    assert_eq!(asked.json().await["result"], "Grace");
}

#[tokio::test]
async fn a_question_ends_with_its_time_or_with_what_is_no_answer() {
    let (_server, address) = serve(asking()).await;
    let (mut client, _) = greeted(address, "/").await;

    let request = client.ask(json!({"cmd": "zFunc(confirm)"})).await;
    let late = client.json().await;
    let again = client.ask(json!({"cmd": "zFunc(confirm)"})).await;
    client
        .text(
            &json!({"event": "input_response", "requestId": again["requestId"], "value": "yes"})
                .to_string(),
        )
        .await;
    let wrong = client.json().await;

    assert_eq!(request["timeout_ms"], 100);
    assert_eq!(late["code"], "timeout");
    assert_eq!(wrong["code"], "bad_value");
}

#[tokio::test]
async fn a_question_ends_with_its_socket() {
    let (sender, mut ended) = mpsc::unbounded_channel();
    // A closure that captures clones what it needs before its future begins.
    let builder = open().function("later", move |call: Call, (): ()| {
        let sender = sender.clone();
        async move {
            let client = call.connection()?;
            // A task of the application's own, which outlives the request.
            tokio::spawn(async move {
                let answer: Result<Value, Error> = client.ask(&Question::text("?")).await;
                sender
                    .send(answer.map_err(|error| error.code().as_str()))
                    .unwrap();
            });
            Ok(())
        }
    });
    let (_server, address) = serve(builder).await;
    let (mut client, _) = greeted(address, "/").await;

    client.text(r#"{"cmd":"zFunc(later)"}"#).await;
    let (first, second) = (client.json().await, client.json().await);
    drop(client);

    assert!([&first["event"], &second["event"]].contains(&&json!("input_request")));
    assert_eq!(within(ended.recv()).await.unwrap(), Err("unavailable"));
}

#[tokio::test]
async fn over_http_nobody_can_be_asked() {
    let (_server, address) = serve(asking()).await;
    let body = r#"{"cmd":"zFunc(greet)"}"#;

    let (status, reply) = post(address, "/dispatch", "application/json", body).await;

    assert_eq!(
        (status.as_str(), &reply["code"]),
        ("400", &json!("bad_request"))
    );
}
