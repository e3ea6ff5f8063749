//! `cargo xtask tidy`: what no compiler checks. Lists the checks; what each looks at is in the files below.

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::args;
use crate::run::Run;
use crate::workspace::Workspace;

mod arrows;
mod bare;
mod documents;
mod needs;
mod paths;
mod sources;

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// A file, perhaps with a line, or a crate.
    place: String,
    text: String,
    /// Whether it may stay.
    grade: Grade,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grade {
    Warning,
    Failure,
}

impl Finding {
    fn failure(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            text: text.into(),
            grade: Grade::Failure,
        }
    }

    fn warning(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            grade: Grade::Warning,
            ..Self::failure(place, text)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Warning => "warning",
            Grade::Failure => "error",
        };
        write!(f, "{grade}: {}: {}", self.place, self.text)
    }
}

/// A text file of the project.
#[derive(Debug)]
struct Document {
    path: String,
    text: String,
}

/// What all checks look at, read once.
#[derive(Debug)]
struct Project {
    workspace: Workspace,
    documents: Vec<Document>,
}

impl Project {
    fn read() -> Result<Self> {
        let workspace = Workspace::load()?;
        let files = workspace.files()?.into_iter();
        // What is not UTF-8 is not text, and nothing here looks at it.
        let documents = files.filter_map(|path| {
            let text = workspace.text(&path)?;
            Some(Document { path, text })
        });
        Ok(Self {
            documents: documents.collect(),
            workspace,
        })
    }

    /// Collects the findings of a check that looks at one Rust file at a time.
    fn in_sources(&self, check: fn(&Document) -> Vec<Finding>) -> Vec<Finding> {
        let sources = self
            .documents
            .iter()
            .filter(|document| document.path.ends_with(".rs"));
        sources.flat_map(check).collect()
    }
}

type Check = fn(&Project) -> Vec<Finding>;

const CHECKS: &[(&str, Check)] = &[
    ("every file begins with a sentence about itself", |p| {
        p.in_sources(sources::first_line)
    }),
    ("files are short enough to read", |p| {
        p.in_sources(sources::length)
    }),
    (
        "tests do not sleep, are not ignored, name the error they expect",
        |p| p.in_sources(sources::tests),
    ),
    ("nothing is left open outside tests", |p| {
        p.in_sources(sources::code)
    }),
    ("dependency arrows point inward", |p| {
        arrows::check(&p.workspace.packages)
    }),
    ("the documents exist", |p| documents::exist(&p.documents)),
    ("the README's feature table is Cargo.toml's", |p| {
        documents::feature_table(&p.documents)
    }),
    ("no paths of one machine", |p| paths::check(&p.documents)),
    ("what a test needs, a step installs", |p| {
        needs::check(&p.workspace, &p.documents)
    }),
];

pub(crate) fn run(words: &[String]) -> Result<ExitCode> {
    args::none(words)?;
    let project = Project::read()?;
    let mut failed = false;
    for (_, check) in CHECKS {
        for finding in check(&project) {
            failed |= finding.grade == Grade::Failure;
            println!("{finding}");
        }
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The same as a step of `cargo xtask test`; each check counts as one test, and warnings are left to the command.
pub(crate) fn step(run: &mut Run<'_>) -> Result<()> {
    let project = Project::read()?;
    for (what, check) in CHECKS {
        let findings = check(&project);
        let failures = findings
            .iter()
            .filter(|finding| finding.grade == Grade::Failure);
        let lines: Vec<String> = failures.map(|finding| format!("\n{finding}")).collect();
        if lines.is_empty() {
            run.clean();
        } else {
            run.finding(format!("It is not true that {what}:{}", lines.concat()));
        }
    }
    Ok(())
}
