//! `zcomm up`, `status` and `down` with a real Redis.

use serde_json::json;

use crate::run::Project;

/// Stops what a test started, should it not come to its end.
struct Cleanup<'a>(&'a Project);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        self.0.run(&["down", "redis"]);
    }
}

#[test]
fn redis_is_started_found_and_stopped() {
    let project = Project::new();
    let _cleanup = Cleanup(&project);

    let up = project.run(&["up", "redis", "--port", "0", "--throw-away", "--json"]);
    let status = project.run(&["status", "redis", "--json"]);
    let down = project.run(&["down", "redis", "--json"]);
    let after = project.run(&["status", "redis", "--json"]);

    assert_eq!(
        (up.status, status.status, down.status, after.status),
        (0, 0, 0, 1),
        "{up:?}"
    );
    assert_eq!(up.json()[0]["state"], "running");
    assert_eq!(status.json()[0]["pid"], up.json()[0]["pid"]);
    assert_eq!(
        (&status.json()[0]["source"], &status.json()[0]["ours"]),
        (&json!("process"), &json!(true))
    );
    assert_eq!(
        (&down.json()[0]["state"], &after.json()[0]["running"]),
        (&json!("stopped"), &json!(false))
    );
    #[cfg(target_os = "linux")]
    assert!(!runs(up.json()[0]["pid"].as_u64().unwrap()));
}

#[test]
fn its_variables_its_log_and_its_client_are_had_by_name() {
    let project = Project::new();
    let _cleanup = Cleanup(&project);
    project.run(&["up", "redis", "--port", "0"]);

    let env = project.run(&["env", "redis", "--format", "json"]);
    let shell = project.run(&["env", "redis"]);
    let log = project.run(&["logs", "redis"]);
    let client = project.run(&["connect", "redis", "--", "PING"]);
    let again = project.run(&["restart", "redis", "--json"]);
    let unasked = project.run(&["down", "redis", "--purge"]);
    let purged = project.run(&["down", "redis", "--purge", "--yes"]);

    let url = env.json()["REDIS_URL"].as_str().unwrap().to_owned();
    assert!(url.starts_with("redis://:"), "{env:?}");
    assert_eq!(shell.out, format!("export REDIS_URL='{url}'\n"));
    assert!(log.out.contains("Ready to accept connections"), "{log:?}");
    assert_eq!(client.out, "PONG\n", "{client:?}");
    assert_eq!(again.json()[0]["state"], "running");
    // Nobody is there to be asked, so nothing is removed.
    assert_eq!(unasked.status, 2, "{unasked:?}");
    assert_eq!(purged.status, 0, "{purged:?}");
    assert!(!project.folder().join(".zcomm/services/redis").exists());
}

/// Whether a process still does something; one that has ended may wait for its parent to notice.
#[cfg(target_os = "linux")]
fn runs(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| !state.starts_with('Z'))
}
