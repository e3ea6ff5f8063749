//! Requests to a server of this crate, and its refusals.

use super::*;

#[tokio::test]
async fn rows_are_written_and_read_and_others_are_told() {
    let (_server, url) = serve(open()).await;
    let writer = Client::connect(&url).await.unwrap();
    let (reader, mut events) = Client::builder(&url).connect_with_events().await.unwrap();

    let created = writer
        .dispatch(&json!({"zKey": "create_notes", "data": {"text": "hi"}}))
        .await
        .unwrap();
    let hello: Value = serde_json::from_slice(&events.next().await.unwrap().unwrap()).unwrap();
    let notice: Value =
        serde_json::from_slice(&within(events.next()).await.unwrap().unwrap()).unwrap();
    let rows = reader
        .dispatch(&json!({"zKey": "^List notes"}))
        .await
        .unwrap();
    let info = reader.call("connection_info", &json!({})).await.unwrap();

    assert_eq!(created, json!({"id": 1, "text": "hi"}));
    assert_eq!(hello["event"], "connection_info");
    assert_eq!(
        (&notice["op"], &notice["row"]),
        (&json!("create"), &created)
    );
    assert_eq!(rows, json!([created]));
    assert_eq!(info, hello);
}

#[tokio::test]
async fn a_server_that_refuses_a_request_says_why() {
    let (_server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    let error = client
        .dispatch(&json!({"zKey": "^List planets"}))
        .await
        .unwrap_err();
    let reply = client.request("dance", &json!({})).await.unwrap();

    assert!(
        matches!(&error, ClientError::Answered { code, .. } if code == "unknown_model"),
        "{error:?}"
    );
    assert_eq!(reply.status(), 404);
}

#[tokio::test]
async fn many_requests_share_one_socket() {
    let (server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    let calls = (0..200).map(|number| {
        let client = client.clone();
        tokio::spawn(async move {
            let data = json!({"text": number.to_string()});
            let row = client
                .dispatch(&json!({"action": "create", "model": "notes", "data": data}))
                .await
                .unwrap();
            assert_eq!(row["text"], data["text"]);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        within(call).await.unwrap();
    }

    assert_eq!(server.hub().len(), 1);
}

#[tokio::test]
async fn a_token_is_presented_in_a_header_or_in_the_query() {
    let (_server, url) = serve(guarded()).await;
    let in_header = Client::builder(&url).token("token of ada");
    let in_query = in_header_like(&url).token_place(TokenPlace::Query);
    let in_address = Client::builder(format!("{url}?token=token%20of%20ada"));

    for builder in [in_header, in_query, in_address] {
        let client = builder.connect().await.unwrap();
        let info = client.call("connection_info", &json!({})).await.unwrap();
        assert_eq!(info["data"]["auth"]["user"], "ada");
    }
}

fn in_header_like(url: &str) -> zcomm_ws::client::ClientBuilder {
    Client::builder(url).token("token of ada")
}

#[tokio::test]
async fn a_refusal_is_told_with_the_servers_reason() {
    let (_server, url) = serve(guarded()).await;

    for (builder, expected) in [
        (Client::builder(&url), "Authentication required"),
        (Client::builder(&url).token("s3cr3t"), "Invalid token"),
    ] {
        let error = within(builder.connect()).await.unwrap_err();

        let text = format!("{error} {error:?}");
        let ClientError::Closed { code, reason, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (code, reason.as_str()),
            (CloseCode::PolicyViolation, expected)
        );
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_stops_is_waited_for() {
    let (server, url) = serve(open()).await;
    let client = Client::connect(&url).await.unwrap();

    server.shutdown();
    let mut states = client.states();
    let lost = within(states.wait_for(|state| !state.is_open()))
        .await
        .unwrap()
        .clone();

    let State::Waiting { because, .. } = lost else {
        panic!("{lost:?}")
    };
    assert!(
        matches!(
            because,
            ClientError::Closed {
                code: CloseCode::GoingAway,
                ..
            }
        ),
        "{because:?}"
    );
}

// The transport.
