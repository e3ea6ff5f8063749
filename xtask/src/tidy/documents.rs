//! Checks that the project's documents exist and agree with the code they speak of.

use crate::features::{self, Feature};

use super::{Document, Finding};

/// What a newcomer looks for, and how many lines it may have.
const DOCUMENTS: &[(&str, usize)] = &[
    ("README.md", usize::MAX),
    ("ARCHITECTURE.md", 200),
    ("CONTRIBUTING.md", usize::MAX),
    ("SECURITY.md", usize::MAX),
    ("CHANGELOG.md", usize::MAX),
    ("docs/decisions.md", usize::MAX),
    ("LICENSE-MIT", usize::MAX),
    ("LICENSE-APACHE", usize::MAX),
];

pub(super) fn exist(documents: &[Document]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, limit) in DOCUMENTS {
        match text_of(documents, path).map(|text| text.lines().count()) {
            None => findings.push(Finding::failure(*path, "is missing")),
            Some(lines) if lines > *limit => {
                let text = format!("has {lines} lines; {limit} is what a newcomer reads");
                findings.push(Finding::failure(*path, text));
            }
            Some(_) => {}
        }
    }
    findings
}

/// Every feature has a comment, and the README shows the table made of them. A missing README is `exist`'s to tell.
pub(super) fn feature_table(documents: &[Document]) -> Vec<Finding> {
    let Some(manifest) = text_of(documents, "Cargo.toml") else {
        return vec![Finding::failure("Cargo.toml", "is missing")];
    };
    let features = features::features(manifest);
    let mut findings: Vec<Finding> = features.iter().filter_map(without_comment).collect();
    let readme = text_of(documents, "README.md").filter(|_| !features.is_empty());
    if let Some(difference) = readme.and_then(|readme| difference(readme, &features)) {
        let text = format!("{difference}; put in what `cargo xtask features` prints");
        findings.push(Finding::failure("README.md", text));
    }
    findings
}

/// The first line in which the README's table is not the one made of the features.
fn difference(readme: &str, features: &[Feature]) -> Option<String> {
    let (shown, wanted) = (features::table_in(readme), features::table(features));
    let (mut shown, mut wanted) = (shown.lines(), wanted.lines());
    loop {
        match (shown.next(), wanted.next()) {
            (None, None) => return None,
            (shown, wanted) if shown == wanted => {}
            (Some(shown), None) => return Some(format!("`{shown}` is too much")),
            (None, Some(wanted)) => return Some(format!("`{wanted}` is missing")),
            (Some(shown), Some(wanted)) => return Some(format!("`{shown}` should be `{wanted}`")),
        }
    }
}

fn without_comment(feature: &Feature) -> Option<Finding> {
    let text = format!(
        "the feature `{}` has no comment above it that says what it brings",
        feature.name
    );
    feature
        .brings
        .is_empty()
        .then(|| Finding::failure("Cargo.toml", text))
}

fn text_of<'a>(documents: &'a [Document], path: &str) -> Option<&'a str> {
    let document = documents.iter().find(|document| document.path == path);
    document.map(|document| document.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[features]\ndefault = []\n# An HTTP client.\nhttp = []\n";
    const TABLE: &str = "| feature | what it brings |\n|---|---|\n| `http` | An HTTP client |\n";

    fn documents(files: &[(&str, &str)]) -> Vec<Document> {
        let document = |&(path, text): &(&str, &str)| Document {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        files.iter().map(document).collect()
    }

    #[track_caller]
    fn places(findings: &[Finding], expected: &[&str]) {
        let places: Vec<&str> = findings
            .iter()
            .map(|finding| finding.place.as_str())
            .collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn missing_and_overlong_documents_are_found() {
        let mut files: Vec<_> = DOCUMENTS
            .iter()
            .map(|(path, _)| (*path, "# Text\n"))
            .collect();
        places(&exist(&documents(&files)), &[]);

        let long = "line\n".repeat(201);
        files[1].1 = &long;
        files.remove(4);
        places(
            &exist(&documents(&files)),
            &["ARCHITECTURE.md", "CHANGELOG.md"],
        );
    }

    #[test]
    fn a_readme_with_another_feature_table_is_found() {
        let with = |readme: &str| {
            feature_table(&documents(&[
                ("Cargo.toml", MANIFEST),
                ("README.md", readme),
            ]))
        };

        places(&with(&format!("# zcomm\n\n{TABLE}")), &[]);
        places(&with("# zcomm\n"), &["README.md"]);
        places(&with(&TABLE.replace("client", "server")), &["README.md"]);
        let more = with(&format!("{TABLE}| `ws` | More |\n"));
        assert_eq!(
            more[0].text,
            "`| `ws` | More |` is too much; put in what `cargo xtask features` prints"
        );
    }

    #[test]
    fn a_feature_without_a_comment_is_found() {
        let manifest = "[features]\nhttp = []\n";

        places(
            &feature_table(&documents(&[("Cargo.toml", manifest)])),
            &["Cargo.toml"],
        );
    }
}
