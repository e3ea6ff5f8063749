//! The tutorial, followed step by step: each command prints what the page says.

use std::process::Command;

use crate::examples::folder;
use crate::run::{Project, Ran};
use crate::told::Told;

const PAGE: &str = include_str!("../../docs/tutorial.md");

/// A command of the page, and the lines that it prints.
struct Step {
    example: &'static str,
    printed: Vec<&'static str>,
}

fn steps() -> Vec<Step> {
    let commands = PAGE.split("```sh\ncargo demo ").skip(1);
    let step = |text: &'static str| {
        let (example, rest) = text.split_once("\n```\n```text\n")?;
        let (printed, _) = rest.split_once("\n```")?;
        Some(Step {
            example,
            printed: printed.lines().collect(),
        })
    };
    commands.map(|text| step(text).unwrap()).collect()
}

impl Step {
    fn command(&self, project: &Project) -> Command {
        project.write(".zEnv", include_str!("../../examples/.zEnv.example"));
        let mut command = Command::new(folder().join(self.example));
        command.current_dir(project.folder()).env_clear();
        command.env("XDG_CONFIG_HOME", project.folder());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command
    }

    /// A server is asked for any free port, and killed once it has said what it serves.
    fn lines(&self) -> Vec<String> {
        let project = Project::new();
        let mut command = self.command(&project);
        if !self.example.starts_with("lvl2_") {
            let ran = Ran::of(command);
            assert_eq!(ran.status, 0, "{}: {ran:?}", self.example);
            return ran.out.lines().map(ToOwned::to_owned).collect();
        }
        command.arg("0");
        let mut server = Told::start(command);
        self.printed.iter().map(|_| server.line()).collect()
    }
}

/// Whether a line is as the page has it: `…` stands for anything, and every port for the guide's.
fn is_as_shown(line: &str, shown: &str) -> bool {
    let mut rest = line;
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    shown.ends_with('…') || rest.is_empty()
}

/// Follows the steps of these examples; how many there were.
#[track_caller]
pub(crate) fn follow(wanted: impl Fn(&str) -> bool) -> usize {
    let mut steps = steps();
    steps.retain(|step| wanted(step.example));
    for step in &steps {
        let lines = step.lines();
        let shown: Vec<String> = step
            .printed
            .iter()
            .map(|line| line.replace("127.0.0.1:8765", "127.0.0.1:…"))
            .map(|line| line.replace("127.0.0.1:8766", "127.0.0.1:…"))
            .collect();

        assert_eq!(lines.len(), shown.len(), "{}: {lines:?}", step.example);
        for (line, shown) in lines.iter().zip(&shown) {
            assert!(is_as_shown(line, shown), "{}: {line:?}", step.example);
        }
    }
    steps.len()
}

#[test]
fn every_step_prints_what_the_page_shows() {
    let followed = follow(|example| !example.starts_with("lvl4_"));

    assert_eq!(followed, 13);
}
