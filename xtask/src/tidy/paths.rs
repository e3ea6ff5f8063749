//! Finds paths that exist on one machine only. They work for whoever wrote them, and for nobody else.

use super::{Document, Finding};

/// Folders in the root of a file system where people's own files are. Names below `home` serve as examples everywhere;
/// of those only the home of whoever runs this is looked for.
const FOLDERS: &[&str] = &["root", "work"];

pub(super) fn check(documents: &[Document]) -> Vec<Finding> {
    let home = std::env::var("HOME").unwrap_or_default();
    let own = Some(home.trim_matches('/')).filter(|home| !home.is_empty());
    let folders: Vec<&str> = FOLDERS.iter().copied().chain(own).collect();
    documents
        .iter()
        .flat_map(|document| below(document, &folders))
        .collect()
}

fn below(document: &Document, folders: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in document.text.lines().enumerate() {
        if let Some(folder) = folders.iter().find(|folder| holds(line, folder)) {
            let place = format!("{}:{}", document.path, index + 1);
            let text = format!("a path below `/{folder}` exists on one machine only");
            findings.push(Finding::failure(place, text));
        }
    }
    findings
}

/// Whether the line has an absolute path in this folder: in the middle of a path or an address the name is harmless.
fn holds(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    let mut places = line.match_indices(&path);
    places.any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before
            .is_none_or(|character| !character.is_alphanumeric() && !"/_-.}~$*".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_line(line: &str, found: bool) {
        let document = Document {
            path: "a.md".to_owned(),
            text: format!("\n{line}\n"),
        };
        let findings = below(&document, &["work", "home/ann"]);
        let places: Vec<&str> = findings
            .iter()
            .map(|finding| finding.place.as_str())
            .collect();
        assert_eq!(places == ["a.md:2"], found, "{line}");
    }

    #[test]
    fn absolute_paths_below_own_folders_are_found() {
        for folder in ["work", "home/ann"] {
            check_line(&format!("see /{folder}/notes.md"), true);
            check_line(&format!("let path = \"/{folder}/x\";"), true);
            check_line(&format!("https://example.org/{folder}/x"), false);
            check_line(&format!("target/{folder}/x"), false);
        }
        check_line("/home/someone/x", false);
        check_line("/var/lib/redis", false);
    }
}
