//! Proxies that the environment names. It comes with a process, so other processes run the test that tells the way.

use std::process::Command;
use std::sync::Arc;

use zcomm_http::{HttpClient, ReqwestTransport};

use crate::server::{Server, answer, soon};

/// Says which way the request has to go; unset where no environment is of interest.
const WAY: &str = "ZCOMM_TEST_WAY";

#[tokio::test]
async fn a_request_goes_the_way_that_the_environment_says() {
    let server = Server::saying(answer("200 OK", "straight")).await;
    let way = std::env::var(WAY).ok();
    let transport = match way {
        Some(_) => ReqwestTransport::builder(),
        None => ReqwestTransport::builder().no_proxy(),
    };
    let client = HttpClient::new(Arc::new(transport.build().unwrap()));

    let answer = soon(client.get(server.url("/")).send()).await.unwrap();

    let expected = way.as_deref().unwrap_or("straight");
    assert_eq!(answer.text().await.unwrap(), expected);
}

/// Runs the test above in an environment of its own.
fn in_environment(way: &str, variables: &[(&str, &str)]) {
    let test = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "proxies::a_request_goes_the_way_that_the_environment_says",
        ])
        .env_clear()
        .env(WAY, way)
        .envs(variables.iter().copied())
        .output()
        .unwrap();

    let told = String::from_utf8(test.stdout).unwrap();
    assert!(told.contains("1 passed; 0 failed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_used_but_for_hosts_that_it_excepts() {
    let proxy = Server::saying(answer("200 OK", "by proxy")).await;
    let url = proxy.url("/");

    tokio::task::block_in_place(|| {
        in_environment("by proxy", &[("http_proxy", &url)]);
        in_environment("by proxy", &[("ALL_PROXY", &url)]);
        in_environment(
            "straight",
            &[("http_proxy", &url), ("no_proxy", "127.0.0.1")],
        );
        in_environment("straight", &[("https_proxy", &url)]);
        in_environment("straight", &[]);
    });

    assert_eq!(proxy.connections(), 2);
}
