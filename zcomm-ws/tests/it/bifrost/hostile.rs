//! What nobody well-meaning sends, over sockets and over HTTP: a named answer, and everybody else goes on.

use std::net::SocketAddr;

use serde_json::{Value, json};
use zcomm_ws::bifrost::{BifrostBuilder, Call};
use zcomm_ws::frame::{FrameBuilder, Role};

use super::{greeted, open, serve};
use crate::peer::Client;

fn server() -> BifrostBuilder {
    open()
        .function("echo", async |_: Call, value: Value| Ok(value))
        .message_rate(0, 1)
}

/// Texts, each with the code that it is answered by; `ok` is a result, and `-` no answer at all.
fn texts() -> Vec<(String, &'static str)> {
    let deep = format!(
        "{{\"zKey\":\"^List notes\",\"where\":{}1{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let seventeen = format!(
        "{{\"zKey\":\"^List notes\",\"where\":{}1{}}}",
        "[".repeat(17),
        "]".repeat(17)
    );
    let members: Vec<String> = (0..50_000)
        .map(|number| format!("\"k{number}\":1"))
        .collect();
    let values: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
    let long_id = "x".repeat(300_000);
    let table = [
        ("", "invalid_json"),
        (" ", "invalid_json"),
        ("null", "bad_request"),
        ("[]", "bad_request"),
        ("\"x\"", "bad_request"),
        ("7", "bad_request"),
        ("{}", "bad_request"),
        ("{\"event\":\"ping\"}garbage", "invalid_json"),
        ("\u{feff}{\"event\":\"ping\"}", "invalid_json"),
        ("{\"event\":\"ping\",\"x\":\"\\ud800\"}", "invalid_json"),
        ("{\"event\":\"ping\",\"x\":1e400}", "invalid_json"),
        ("{\"event\":\"ping\",\"x\":NaN}", "invalid_json"),
        ("{\"event\":\"ping\",\"event\":\"ping\"}", "bad_request"),
        ("{\"event\":\"ping\",\"x\":1,\"x\":2}", "bad_request"),
        ("{\"event\":[]}", "bad_request"),
        ("{\"event\":7}", "bad_request"),
        ("{\"event\":\"\"}", "bad_request"),
        ("{\"event\":\"../dispatch\"}", "unknown_event"),
        ("{\"event\":\"dispatch/../ping\"}", "unknown_event"),
        ("{\"event\":\"ping\\u0000\"}", "unknown_event"),
        ("{\"event\":\"__proto__\"}", "unknown_event"),
        ("{\"event\":\"ping\",\"_requestId\":{}}", "bad_request"),
        ("{\"event\":\"ping\",\"_requestId\":[1]}", "bad_request"),
        ("{\"event\":\"ping\",\"_requestId\":null}", "ok"),
        ("{\"event\":\"ping\",\"_requestId\":\"__proto__\"}", "ok"),
        (
            "{\"event\":\"ping\",\"_requestId\":1,\"_requestId\":2}",
            "bad_request",
        ),
        (
            "{\"event\":\"read\",\"action\":\"delete\",\"model\":\"notes\"}",
            "bad_request",
        ),
        ("{\"zKey\":\"^List sqlite_master\"}", "unknown_model"),
        ("{\"zKey\":\"^List ../../etc/passwd\"}", "unknown_model"),
        ("{\"zKey\":\"^List pg_shadow\"}", "unknown_model"),
        (
            "{\"zKey\":\"^List notes\",\"order_by\":\"(select 1)\"}",
            "bad_value",
        ),
        ("{\"zKey\":\"^List notes\",\"limit\":-1}", "bad_value"),
        ("{\"zKey\":\"^List notes\",\"limit\":\"10\"}", "bad_value"),
        ("{\"zKey\":\"^List notes\",\"limit\":1e18}", "bad_value"),
        (
            "{\"zKey\":\"^List notes\",\"limit\":1,\"offset\":1,\"after\":\"x\"}",
            "bad_value",
        ),
        ("{\"zKey\":\"^List notes\",\"after\":\"x\"}", "bad_value"),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"_connector\":\"OR\"}}",
            "unknown_field",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"text__\":1}}",
            "unknown_lookup",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"id__exact__gt\":1}}",
            "unknown_lookup",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"text__regex\":\".*\"}}",
            "unknown_lookup",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"id__nin\":[null]}}",
            "ok",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"text\":\"'; DROP TABLE notes; --\"}}",
            "ok",
        ),
        (
            "{\"zKey\":\"^List notes\",\"where\":{\"'; DROP TABLE notes; --\":1}}",
            "unknown_field",
        ),
        ("{\"zKey\":\"^List notes\",\"surprise\":1}", "bad_request"),
        ("{\"zKey\":\"^Update notes\",\"data\":{}}", "bad_value"),
        (
            "{\"zKey\":\"^Update notes\",\"where\":{},\"data\":{\"text\":\"x\"}}",
            "bad_value",
        ),
        (
            "{\"zKey\":\"^Delete notes\",\"where\":{\"or\":[]}}",
            "bad_value",
        ),
        ("{\"zKey\":\"^Delete notes\",\"where\":null}", "bad_value"),
        ("{\"zKey\":\"^List notes\",\"cache_ttl\":-1}", "bad_value"),
        ("{\"zKey\":\"^List notes\",\"cache_ttl\":1e18}", "bad_value"),
        (
            "{\"zKey\":\"^List notes\",\"cache_ttl\":\"x\"}",
            "bad_value",
        ),
        (
            "{\"zKey\":\"^List notes\",\"zHorizontal\":7}",
            "bad_request",
        ),
        ("{\"zKey\":7}", "bad_request"),
        ("{\"cmd\":\"zOpen(/etc/passwd)\"}", "unavailable"),
        ("{\"cmd\":\"zFunc(__import__('os'))\"}", "bad_value"),
        ("{\"cmd\":\"zFunc(echo, {a: 1, a: 2})\"}", "bad_value"),
        ("{\"cmd\":\"zFunc(echo, 1e999)\"}", "bad_value"),
        ("{\"cmd\":\"zFunc(echo, {__proto__: 1})\"}", "ok"),
        ("{\"cmd\":\"zFunc(echo\"}", "bad_request"),
        (
            "{\"event\":\"auth\",\"token\":{\"$ne\":null}}",
            "bad_request",
        ),
        (
            "{\"event\":\"subscribe\",\"model\":{\"a\":1}}",
            "bad_request",
        ),
        ("{\"event\":\"subscribe\",\"topic\":\"\"}", "bad_request"),
        (
            "{\"event\":\"unsubscribe\",\"subscription\":-1}",
            "bad_value",
        ),
        (
            "{\"event\":\"unsubscribe\",\"subscription\":1e30}",
            "bad_value",
        ),
        ("{\"event\":\"publish\",\"topic\":\"../x\"}", "forbidden"),
        (
            "{\"event\":\"input_response\",\"requestId\":\"ask-0\",\"value\":1}",
            "-",
        ),
        (
            "{\"event\":\"input_response\",\"requestId\":{},\"value\":1}",
            "-",
        ),
        ("{\"event\":\"input_response\"}", "-"),
        ("{\"event\":\"introspect\",\"model\":[]}", "bad_request"),
        (
            "{\"event\":\"get_schema\",\"model\":\"@.zSchema.\"}",
            "unknown_model",
        ),
        // Sent only by servers: from a client it is an event like any other.
        ("{\"event\":\"server_shutdown\"}", "unknown_event"),
        (
            "{\"event\":\"change\",\"model\":\"notes\"}",
            "unknown_event",
        ),
    ];
    let mut all: Vec<(String, &str)> = table.map(|(text, code)| (text.to_owned(), code)).into();
    all.extend([
        (deep, "bad_request"),
        (seventeen, "bad_request"),
        (
            format!("{{\"event\":\"ping\",{}}}", members.join(",")),
            "ok",
        ),
        (
            format!("{{\"zKey\":\"^List notes\",{}}}", members.join(",")),
            "bad_request",
        ),
        (
            format!(
                "{{\"zKey\":\"^List notes\",\"where\":{{\"id__in\":[{}]}}}}",
                values.join(",")
            ),
            "bad_value",
        ),
        (
            format!("{{\"event\":\"ping\",\"_requestId\":\"{long_id}\"}}"),
            "bad_request",
        ),
        (format!("{{\"event\":\"{long_id}\"}}"), "unknown_event"),
        (
            format!("{{\"cmd\":\"zFunc(echo, {})\"}}", "[".repeat(100_000)),
            "bad_value",
        ),
        (format!("{{\"zKey\":\"{long_id}\"}}"), "bad_request"),
    ]);
    all
}

#[tokio::test]
async fn texts_that_nobody_well_meaning_sends() {
    let (_server, address) = serve(server()).await;
    let (mut eve, _) = greeted(address, "/").await;
    let (mut bystander, _) = greeted(address, "/").await;

    let mut wrong = Vec::new();
    for (text, expected) in texts() {
        eve.text(&text).await;
        let shown: String = text.chars().take(100).collect();
        if expected != "-" {
            let reply = eve.json().await;
            let told = reply["code"].as_str().unwrap_or("ok");
            // What is wrong is told in a sentence, and not sent back whole.
            let is_brief = reply.to_string().len() < 1000 || told == "ok";
            if told != expected || !is_brief {
                let reply: String = reply.to_string().chars().take(300).collect();
                wrong.push(format!(
                    "{shown} was answered {reply} and not by {expected}"
                ));
            }
        }
        // It is still there, and nothing else was said.
        let alive = eve
            .ask(json!({"event": "ping", "_requestId": "still"}))
            .await;
        assert_eq!(
            alive,
            json!({"result": "pong", "_requestId": "still"}),
            "after {shown}"
        );
    }
    assert_eq!(wrong, Vec::<String>::new());

    let undisturbed = bystander.ask(json!({"event": "ping"})).await;
    assert_eq!(undisturbed, json!({"result": "pong"}));
}

#[tokio::test]
async fn binary_is_text_or_nothing() {
    let (_server, address) = serve(server()).await;
    let (mut client, _) = greeted(address, "/").await;
    let binary = |bytes: &[u8]| {
        FrameBuilder::new(Role::Client)
            .binary(bytes)
            .unwrap()
            .build()
    };

    client.send(&binary(br#"{"event":"ping"}"#)).await;
    let text = client.json().await;
    client.send(&binary(&[0xff, 0xfe, 0x00])).await;
    let nothing = client.json().await;

    assert_eq!(text, json!({"result": "pong"}));
    assert_eq!(nothing["code"], "invalid_json");
}

/// Sends a request as it stands; the status that it is answered with.
async fn status(address: SocketAddr, request: &str) -> String {
    Client::say(address, request.as_bytes())
        .await
        .status()
        .to_owned()
}

#[tokio::test]
async fn requests_that_nobody_well_meaning_sends() {
    let (_server, address) = serve(server()).await;
    let (mut bystander, _) = greeted(address, "/").await;
    let body = r#"{"zKey":"^List notes"}"#;
    let post = |path: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
        )
    };
    let json = "Host: localhost\r\nContent-Type: application/json\r\n";
    let large = "x".repeat((1 << 20) + 1);

    for (request, expected) in [
        (post("/dispatch", json, body), "200"),
        (
            post(
                "/dispatch",
                "Host: localhost\r\nContent-Type: text/plain\r\n",
                body,
            ),
            "400",
        ),
        (post("/dispatch", "Host: localhost\r\n", body), "400"),
        (
            post(
                "/dispatch",
                "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n",
                "a=b",
            ),
            "400",
        ),
        (
            post(
                "/dispatch",
                "Host: localhost\r\nContent-Type: multipart/form-data\r\n",
                body,
            ),
            "400",
        ),
        (
            post(
                "/dispatch",
                "Host: evil.example\r\nContent-Type: application/json\r\n",
                body,
            ),
            "403",
        ),
        (
            post(
                "/dispatch",
                &format!("{json}Origin: https://localhost.evil.com\r\n"),
                body,
            ),
            "403",
        ),
        (
            post(
                "/dispatch",
                &format!("{json}X-Forwarded-For: 10.0.0.1\r\n"),
                body,
            ),
            "200",
        ),
        (post("/../dispatch", json, body), "404"),
        (post("/dispatch/../ping", json, body), "404"),
        (post("//dispatch", json, "{}"), "400"),
        (post("/%64ispatch", json, body), "404"),
        (post("/", json, body), "404"),
        (post("/nothing", json, "{}"), "404"),
        (post("/ping", json, r#"{"event":"dispatch"}"#), "400"),
        (post("/auth", json, r#"{"token":"x"}"#), "400"),
        (post("/subscribe", json, r#"{"model":"notes"}"#), "400"),
        (post("/unsubscribe", json, r#"{"subscription":1}"#), "400"),
        (
            post(
                "/input_response",
                json,
                r#"{"requestId":"ask-0","value":1}"#,
            ),
            "400",
        ),
        (post("/dispatch", json, ""), "400"),
        (post("/dispatch", json, "\u{feff}{}"), "400"),
        (post("/dispatch", json, "[]"), "400"),
        (
            post("/dispatch", json, r#"{"zKey":"^List pg_shadow"}"#),
            "404",
        ),
        (post("/publish", json, r#"{"topic":"x"}"#), "403"),
        (post("/dispatch", json, &large), "413"),
        (
            format!("GET /dispatch HTTP/1.1\r\n{json}Connection: close\r\n\r\n"),
            "405",
        ),
        (
            format!("DELETE /ping HTTP/1.1\r\n{json}Connection: close\r\n\r\n"),
            "405",
        ),
        (
            format!(
                "OPTIONS /dispatch HTTP/1.1\r\nOrigin: https://evil.example\r\n{json}Connection: close\r\n\r\n"
            ),
            "405",
        ),
    ] {
        let told = status(address, &request).await;
        let shown: String = request.chars().take(200).collect();
        assert_eq!(told, expected, "{shown}");
    }

    let undisturbed = bystander.ask(json!({"event": "ping"})).await;
    assert_eq!(undisturbed, json!({"result": "pong"}));
}
