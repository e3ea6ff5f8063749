//! A server in a container that zcomm did not start: found, used, never stopped.

use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};
use zcomm_core::service::{Endpoint, ServiceDriver, ServiceState};

use crate::support::psql;

#[tokio::test]
async fn a_database_of_testcontainers_is_recognised_and_can_be_used() {
    let image = std::env::var("ZCOMM_TEST_POSTGRES_IMAGE").unwrap_or("postgres:17".to_owned());
    let (name, tag) = image.rsplit_once(':').unwrap();
    let container = GenericImage::new(name, tag)
        .with_exposed_port(5432.tcp())
        .with_wait_for(WaitFor::message_on_stderr("listening on IPv4 address"))
        .with_env_var("POSTGRES_PASSWORD", "s3cr3t")
        // There is no reaper should the test be killed: by this label it is found.
        .with_label("dev.zcomm.project", "testcontainers")
        .with_host_config_modifier(on_loopback)
        .start()
        .await
        .unwrap();
    let port = container.get_host_port_ipv4(5432).await.unwrap();
    let at = Endpoint::local(port).as_user("postgres", "s3cr3t");
    let driver = zcomm_services_postgres::Postgres::default();

    let mut probe = driver.probe(&at).await;
    while probe.state != ServiceState::Running {
        tokio::task::yield_now().await;
        probe = driver.probe(&at).await;
    }
    let stranger = driver.probe(&Endpoint::local(port)).await;
    let info = driver.connection_info(&at, &probe);

    assert!(probe.is_open() && !stranger.is_open() && stranger.is_running());
    assert!(probe.identity.unwrap().instance.is_some());
    assert_eq!(psql(info.connection_string.expose(), "SELECT 40 + 2"), "42");
}

/// Publishes every port on this machine only.
fn on_loopback(host: &mut testcontainers::bollard::models::HostConfig) {
    let bindings = host
        .port_bindings
        .iter_mut()
        .flat_map(|all| all.values_mut());
    for binding in bindings.flatten().flatten() {
        binding.host_ip = Some("127.0.0.1".to_owned());
    }
}
