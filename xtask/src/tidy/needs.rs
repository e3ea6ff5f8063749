//! Checks that every module of tests that needs a tool belongs to a step that installs it: no other step would run it.

use crate::test::{NEEDS, steps};
use crate::workspace::Workspace;

use super::{Document, Finding};

pub(super) fn check(workspace: &Workspace, documents: &[Document]) -> Vec<Finding> {
    let steps = steps(workspace);
    let tools: Vec<&str> = steps
        .iter()
        .flat_map(|step| step.tools)
        .map(|tool| tool.name)
        .collect();
    let sources = documents
        .iter()
        .filter(|document| document.path.ends_with(".rs"));
    sources
        .flat_map(|source| without_step(source, &tools))
        .collect()
}

fn without_step(source: &Document, tools: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let Some(tool) = needed(line).filter(|tool| !tools.contains(tool)) else {
            continue;
        };
        let place = format!("{}:{}", source.path, index + 1);
        findings.push(Finding::failure(
            place,
            format!("no step of `cargo xtask test` has a tool `{tool}`"),
        ));
    }
    findings
}

/// The tool that a line `mod needs_redis;` speaks of.
fn needed(line: &str) -> Option<&str> {
    let module = line.trim().strip_prefix("mod ")?.strip_prefix(NEEDS)?;
    Some(module.trim_end_matches([';', '{', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_no_step_runs_is_found() {
        let text = "mod needs_redis;\nmod needs_docker;\n    mod needs_postgres {\nmod needless;\n";
        let source = Document {
            path: "tests/it/main.rs".to_owned(),
            text: text.to_owned(),
        };

        let findings = without_step(&source, &["redis", "docker"]);

        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "tests/it/main.rs:3");
        assert_eq!(
            findings[0].text,
            "no step of `cargo xtask test` has a tool `postgres`"
        );
    }
}
