//! The client as a transport: a request is a message, a reply the response.

use super::*;

fn post(url: &str, body: &'static str) -> Request<Body> {
    Request::post(url).body(body.into()).unwrap()
}

async fn through(request: Request<Body>) -> Result<(u16, Value), Error> {
    let stack = TransportLayer::new([Arc::new(SocketTransport::default()) as Arc<dyn Transport>]);
    let response = within(stack.into_service().oneshot(request)).await?;
    let body = serde_json::from_slice(response.body().as_bytes().unwrap()).unwrap();
    Ok((response.status().as_u16(), body))
}

#[tokio::test]
async fn a_request_of_the_seam_is_a_message_and_its_reply_the_response() {
    let (server, _) = serve(open()).await;
    let at = |path: &str| format!("ws://{}/{path}", server.local_addr());

    let created = through(post(
        &at("dispatch"),
        r#"{"zKey":"create_notes","data":{"text":"hi"},"_requestId":"mine"}"#,
    ));
    let pong = through(post(&at("ping"), ""));
    let unknown = through(post(&at("dispatch"), r#"{"zKey":"^List planets"}"#));

    assert_eq!(
        created.await.unwrap(),
        (200, json!({"result": {"id": 1, "text": "hi"}}))
    );
    assert_eq!(pong.await.unwrap(), (200, json!({"result": "pong"})));
    let (status, body) = unknown.await.unwrap();
    assert_eq!((status, &body["code"]), (404, &json!("unknown_model")));
}

#[tokio::test]
async fn a_channel_belongs_to_the_token_it_was_opened_with() {
    let (server, _) = serve(guarded()).await;
    let url = format!("ws://{}/connection_info", server.local_addr());
    let mut known = post(&url, "{}");
    known
        .extensions_mut()
        .insert(ChannelToken("token of ada".into()));
    let mut in_header = post(&url, "{}");
    in_header
        .headers_mut()
        .insert("authorization", "Bearer s3cr3t".parse().unwrap());
    let (_, info) = through(known).await.unwrap();
    let unknown = through(post(&url, "{}")).await.unwrap_err();

    assert_eq!(info["data"]["auth"]["user"], "ada");
    assert!(
        matches!(unknown.root(), Error::Closed { .. }),
        "{unknown:?}"
    );
    let (open_server, _) = serve(open()).await;
    let ping = format!("ws://{}/ping", open_server.local_addr());
    let in_query = through(post(&format!("{ping}?token=s3cr3t"), "{}"))
        .await
        .unwrap_err();
    assert_eq!(in_query.code().as_str(), "bad_request");
    *in_header.uri_mut() = ping.parse().unwrap();
    let in_header = through(in_header).await.unwrap_err();
    assert_eq!(in_header.code().as_str(), "bad_request");
    assert!(!format!("{in_header:?} {in_query:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_channel_brings_what_comes_unasked() {
    use futures_util::StreamExt;

    let (server, url) = serve(open()).await;
    let transport = SocketTransport::default();
    let channel = transport
        .open(&url.parse().unwrap(), &TransportCx::default())
        .await
        .unwrap();

    let mut events = channel.events.unwrap();
    let hello = within(events.next()).await.unwrap().unwrap();

    assert!(
        hello.starts_with(br#"{"event":"connection_info""#),
        "{hello:?}"
    );
    drop(server);
}
