//! `zcomm up`, `status` and `down` with a real PostgreSQL.

use serde_json::json;

use crate::run::Project;

/// Stops what a test started, should it not come to its end.
struct Cleanup<'a>(&'a Project);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        self.0.run(&["down", "postgres"]);
    }
}

#[test]
fn postgres_is_started_found_and_stopped() {
    let project = Project::new();
    let _cleanup = Cleanup(&project);

    let up = project.run(&["up", "pg", "--port", "0", "--throw-away", "--json"]);
    let status = project.run(&["status", "postgresql", "--json"]);
    let down = project.run(&["down", "postgres", "--json"]);

    assert_eq!((up.status, status.status, down.status), (0, 0, 0), "{up:?}");
    assert_eq!(
        (&up.json()[0]["name"], &up.json()[0]["state"]),
        (&json!("postgresql"), &json!("running"))
    );
    assert_eq!(status.json()[0]["pid"], up.json()[0]["pid"]);
    assert_eq!(down.json()[0]["state"], "stopped");
}

#[test]
fn the_last_level_of_the_tutorial_prints_what_the_page_shows() {
    let followed = crate::tutorial::follow(|example| example.starts_with("lvl4_"));

    assert_eq!(followed, 1);
}
