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

/// Whether a process still does something; one that has ended may wait for its parent to notice.
#[cfg(target_os = "linux")]
fn runs(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, state)| !state.starts_with('Z'))
}
