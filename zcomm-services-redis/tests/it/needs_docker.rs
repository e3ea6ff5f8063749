//! A server in a container that zcomm did not start: found, used, never stopped.

use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};
use zcomm_services::{Port, Source, StartOptions};

use crate::support::Project;

#[tokio::test]
async fn a_database_of_testcontainers_is_adopted_and_not_stopped() {
    let image = std::env::var("ZCOMM_TEST_REDIS_IMAGE").unwrap_or("redis:7".to_owned());
    let (name, tag) = image.rsplit_once(':').unwrap();
    let container = GenericImage::new(name, tag)
        .with_exposed_port(6379.tcp())
        .with_wait_for(WaitFor::message_on_stdout("Ready to accept connections"))
        // There is no reaper should the test be killed: by this label it is found.
        .with_label("dev.zcomm.project", "testcontainers")
        .with_host_config_modifier(on_loopback)
        .start()
        .await
        .unwrap();
    let port = container.get_host_port_ipv4(6379).await.unwrap();
    let project = Project::new();
    let manager = project.manager();

    let options = StartOptions::new().port(Port::At(port));
    let status = manager.start("redis", options).await.unwrap();

    assert_eq!((status.running, status.ours), (true, false));
    assert_eq!(status.source, Some(Source::Adopted));
    assert_eq!(project.record(), None);
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
