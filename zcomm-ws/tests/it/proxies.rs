//! Whose connection it is, behind proxies that are trusted and behind those that are not.

use zcomm_ws::server::{Server, ServerConfig, ServerHandle, sync_handler};

use crate::peer::{Client, upgrade};
use crate::serving::config;

/// Answers each message with the address it takes the client to be at.
async fn serve(change: impl FnOnce(&mut ServerConfig)) -> ServerHandle {
    let mut config = config();
    config.allow_insecure = true;
    change(&mut config);
    let handler = sync_handler(|cx, _| {
        let address = cx.connection().remote_addr();
        let address = address.map(|address| address.ip().to_string());
        cx.reply(address.unwrap_or_default().as_str());
    });
    let server = Server::builder().config(config).handler(handler);
    server.bind().await.unwrap()
}

fn trusting(config: &mut ServerConfig) {
    config.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
}

async fn seen_as(server: &ServerHandle, bytes: &[u8]) -> String {
    let mut client = Client::say(server.local_addr(), bytes).await;
    if client.status() != "101" {
        return client.status().to_owned();
    }
    client.text("who am I").await;
    client.next_text().await
}

fn forwarded(headers: &[(&str, &str)]) -> Vec<u8> {
    upgrade("/", headers).into_bytes()
}

const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\x01\0\0\x50";

#[tokio::test]
async fn a_trusted_proxy_says_who_its_client_is() {
    let server = serve(trusting).await;
    let line = b"PROXY TCP4 192.0.2.9 10.0.0.1 4000 80\r\n".to_vec();
    let plain = upgrade("/", &[]).into_bytes();

    let common = forwarded(&[("X-Forwarded-For", "6.6.6.6, 192.0.2.7")]);
    assert_eq!(seen_as(&server, &common).await, "192.0.2.7");
    let standard = forwarded(&[("Forwarded", "for=\"[2001:db8::7]:99\";proto=https")]);
    assert_eq!(seen_as(&server, &standard).await, "2001:db8::7");
    assert_eq!(
        seen_as(&server, &[line, plain.clone()].concat()).await,
        "192.0.2.9"
    );
    assert_eq!(seen_as(&server, &[V2, &plain].concat()).await, "192.0.2.7");
    assert_eq!(seen_as(&server, &plain).await, "127.0.0.1");
}

#[tokio::test]
async fn a_header_that_comes_byte_by_byte_is_one_header() {
    let server = serve(trusting).await;
    let stream = tokio::net::TcpStream::connect(server.local_addr()).await;
    let stream = stream.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in V2 {
        assert_eq!(stream.try_write(&[*byte]).unwrap(), 1);
        tokio::task::yield_now().await;
    }

    let mut client = Client::say_over(stream, upgrade("/", &[]).as_bytes()).await;
    client.text("who am I").await;

    assert_eq!(client.next_text().await, "192.0.2.7");
}

#[tokio::test]
async fn of_a_stranger_no_word_is_believed() {
    let server = serve(|config| config.trusted_proxies = vec!["10.0.0.1".to_owned()]).await;
    let claims = forwarded(&[("X-Forwarded-For", "192.0.2.7"), ("Forwarded", "for=\"")]);

    assert_eq!(seen_as(&server, &claims).await, "127.0.0.1");
    let plain = upgrade("/", &[]).into_bytes();
    assert_eq!(seen_as(&server, &[V2, &plain].concat()).await, "400");
}

#[tokio::test]
async fn headers_that_contradict_each_other_are_refused() {
    let server = serve(trusting).await;
    let headers = [
        ("X-Forwarded-For", "192.0.2.7"),
        ("Forwarded", "for=6.6.6.6"),
    ];

    assert_eq!(seen_as(&server, &forwarded(&headers)).await, "400");
}

#[tokio::test]
async fn clients_behind_a_proxy_are_counted_one_by_one() {
    let server = serve(|config| {
        trusting(config);
        config.max_connections_per_address = 1;
        config.reject = zcomm_ws::server::Reject::Http;
    })
    .await;
    let from = |address| forwarded(&[("X-Forwarded-For", address)]);

    let _one = Client::say(server.local_addr(), &from("192.0.2.1")).await;
    let again = Client::say(server.local_addr(), &from("192.0.2.1")).await;
    let other = Client::say(server.local_addr(), &from("192.0.2.2")).await;

    assert_eq!((again.status(), other.status()), ("503", "101"));
}

#[tokio::test]
async fn a_server_behind_a_proxy_is_not_for_this_machine_alone() {
    let mut config = config();
    trusting(&mut config);
    let error = Server::builder().config(config.clone()).bind().await;
    assert_eq!(error.unwrap_err().code(), "insecure");

    config.trusted_proxies = vec!["proxy.example".to_owned()];
    let error = Server::builder().config(config).bind().await.unwrap_err();
    assert!(error.to_string().contains("`proxy.example`"), "{error}");
}
