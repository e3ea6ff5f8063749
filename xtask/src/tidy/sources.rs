//! Checks on the text of one Rust file. They read lines, not syntax: clippy knows more, but does not ask these questions.

use crate::workspace::is_test_file;

use super::{Document, Finding, bare};

const THINK_AT: usize = 300;
const SPLIT_AT: usize = 500;

/// Files that are longer than `SPLIT_AT` and are better that way: path and reason.
const LONG: &[(&str, &str)] = &[];

/// What a test must not do, and what to do instead.
const NOT_IN_TESTS: &[(&str, &str)] = &[
    (
        "thread::sleep(",
        "wait for what the test is about: a channel, or readiness with a deadline",
    ),
    (
        "#[ignore",
        "a test that is not run proves nothing: give it a step, or delete it",
    ),
    ("#[should_panic", "assert the error and its values"),
];

/// What must not stay in code, and what to do instead.
const NOT_IN_CODE: &[(&str, &str)] = &[
    (
        ".unwrap()",
        "return the error, or name the invariant with `expect`",
    ),
    ("todo!(", "write it"),
    ("unimplemented!(", "write it"),
    ("dbg!(", "use tracing"),
];

/// A sentence: this many words say more than a name does.
const SENTENCE: usize = 4;

/// The first line is a `//!` sentence that says what the file holds, or takes in a whole document that does.
pub(super) fn first_line(file: &Document) -> Vec<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let sentence = first.strip_prefix("//! ").unwrap_or_default();
    let document = first.starts_with("#![doc = include_str!(");
    if document || sentence.split_whitespace().count() >= SENTENCE {
        return Vec::new();
    }
    let text =
        "the first line has to be a `//!` sentence: what the file holds and what it does not do";
    vec![Finding::failure(&file.path, text)]
}

/// Neither code nor tests fill more lines than a reader can hold; tests can move to a file of their own.
pub(super) fn length(file: &Document) -> Vec<Finding> {
    let excepted = LONG.iter().any(|(path, _)| *path == file.path);
    let lines = lines(file);
    let code = lines.iter().filter(|line| !line.test).count();
    let finding = if is_test_file(&file.path) {
        let long = lines.len() > SPLIT_AT && !excepted;
        long.then(|| Finding::warning(&file.path, format!("{} lines of tests", lines.len())))
    } else if code > SPLIT_AT && !excepted {
        let text = format!("{code} lines without its tests: split it by noun");
        Some(Finding::failure(&file.path, text))
    } else {
        let long = code > THINK_AT && !excepted;
        long.then(|| Finding::warning(&file.path, format!("{code} lines without its tests")))
    };
    finding.into_iter().collect()
}

/// Tests neither sleep on the real clock nor hide.
pub(super) fn tests(file: &Document) -> Vec<Finding> {
    let lines = lines(file);
    let paused = lines.iter().any(|line| {
        line.bare.contains("start_paused = true") || line.bare.contains("time::pause()")
    });
    let lines = lines.iter().filter(|line| line.test);
    let mut findings = forbidden(file, lines.clone(), NOT_IN_TESTS);
    if !paused {
        // On tokio's paused clock a sleep costs nothing and is exact: it stands for a slow peer.
        let clock = [
            ("time::sleep(", "sleep on tokio's paused clock only"),
            (" sleep(", "sleep on tokio's paused clock only"),
        ];
        findings.extend(forbidden(file, lines, &clock));
    }
    findings
}

/// Code that is not a test leaves nothing open.
pub(super) fn code(file: &Document) -> Vec<Finding> {
    let lines = lines(file);
    forbidden(file, lines.iter().filter(|line| !line.test), NOT_IN_CODE)
}

fn forbidden<'a>(
    file: &Document,
    lines: impl Iterator<Item = &'a Line>,
    words: &[(&str, &str)],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in lines {
        for (word, instead) in words.iter().filter(|(word, _)| line.bare.contains(word)) {
            let place = format!("{}:{}", file.path, line.number);
            findings.push(Finding::failure(
                place,
                format!("`{}`: {instead}", word.trim()),
            ));
        }
    }
    findings
}

/// A line as the checks see it.
struct Line {
    number: usize,
    /// Without comments and without what stands in string literals.
    bare: String,
    /// Whether it belongs to tests.
    test: bool,
}

fn lines(file: &Document) -> Vec<Line> {
    let whole = is_test_file(&file.path);
    let mut region = Region::Code;
    let numbered = bare::lines(&file.text).into_iter().enumerate();
    let lines = numbered.map(|(index, bare)| {
        let before = region;
        region = region.after(&bare);
        let test = whole || before != Region::Code || region != Region::Code;
        Line {
            number: index + 1,
            bare,
            test,
        }
    });
    lines.collect()
}

/// Where a line stands, told by rustfmt's indentation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Region {
    Code,
    /// After `#[cfg(test)]`: the item it belongs to has not begun.
    Announced,
    /// In an item for tests, up to the closing brace with this indentation.
    Tests {
        indent: usize,
    },
}

impl Region {
    fn after(self, line: &str) -> Self {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        match self {
            Self::Code
                if text.starts_with("#[cfg(test)]") || text.starts_with("#[cfg(all(test,") =>
            {
                Self::Announced
            }
            Self::Code => Self::Code,
            Self::Announced if text.starts_with('#') || text.starts_with("//") => Self::Announced,
            Self::Announced
                if text.ends_with(';') || text.ends_with(',') || text.ends_with('}') =>
            {
                Self::Code
            }
            Self::Announced => Self::Tests { indent },
            Self::Tests { indent: own } if indent == own && text == "}" => Self::Code,
            Self::Tests { .. } => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Document {
        Document {
            path: path.to_owned(),
            text: text.to_owned(),
        }
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
    fn a_file_says_in_its_first_line_what_it_holds() {
        let good = "//! Splits a request into facts. Opens no sockets.\n";

        places(&first_line(&file("a.rs", good)), &[]);
        let readme = "#![doc = include_str!(\"../README.md\")]\n";
        places(&first_line(&file("lib.rs", readme)), &[]);
        places(
            &first_line(&file("a.rs", "//! Handshake module.\n")),
            &["a.rs"],
        );
        places(&first_line(&file("a.rs", "fn main() {}\n")), &["a.rs"]);
        places(
            &first_line(&file("a.rs", "\n//! Too late by one line, this.\n")),
            &["a.rs"],
        );
        places(&first_line(&file("a.rs", "")), &["a.rs"]);
    }

    #[test]
    fn only_code_counts_for_the_length_of_a_file() {
        let code = |lines: usize| "fn f() {}\n".repeat(lines);
        let tests = format!(
            "#[cfg(test)]\nmod tests {{\n{}}}\n",
            "    // more\n".repeat(900)
        );
        let grades = |text: String| {
            let findings = length(&file("src/a.rs", &text));
            findings
                .into_iter()
                .map(|finding| finding.grade)
                .collect::<Vec<_>>()
        };

        assert_eq!(grades(code(300) + &tests), []);
        assert_eq!(grades(code(301) + &tests), [super::super::Grade::Warning]);
        assert_eq!(grades(code(501)), [super::super::Grade::Failure]);
        assert_eq!(length(&file("tests/it/a.rs", &code(501))).len(), 1);
    }

    #[test]
    fn a_test_that_sleeps_on_the_real_clock_is_found() {
        let sleeper = "\
fn wait() { thread::sleep(LONG); }
#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn slow() {
        tokio::time::sleep(LONG).await;
        thread::sleep(LONG);
    }
}
";

        places(&tests(&file("a.rs", sleeper)), &["a.rs:7", "a.rs:6"]);
        let paused = sleeper.replace("#[tokio::test]", "#[tokio::test(start_paused = true)]");
        places(&tests(&file("a.rs", &paused)), &["a.rs:7"]);
    }

    #[test]
    fn hidden_tests_are_found_in_test_files_too() {
        let text = "#[ignore = \"slow\"]\nfn a() {}\n#[should_panic]\nfn b() {}\n";

        places(
            &tests(&file("tests/it/a.rs", text)),
            &["tests/it/a.rs:1", "tests/it/a.rs:3"],
        );
    }

    #[test]
    fn what_is_left_open_counts_outside_tests_only() {
        let text = "\
/// let a = b().unwrap();
fn a() { b().unwrap(); } // c().unwrap()
fn c() { say(\"d().unwrap()\"); todo!() }
#[cfg(test)]
mod tests {
    fn e() { f().unwrap(); }
}
fn g() { h().unwrap(); }
";

        places(&code(&file("a.rs", text)), &["a.rs:2", "a.rs:3", "a.rs:8"]);
        places(&code(&file("tests/it/a.rs", text)), &[]);
    }

    #[test]
    fn a_test_item_ends_where_it_ends() {
        let text = "\
#[cfg(test)]
mod tests;

impl A {
    #[cfg(test)]
    #[allow(dead_code)]
    fn only_tests(&self) {
        self.b().unwrap();
    }

    fn all(&self) {
        self.b().unwrap();
    }
}
";

        places(&code(&file("a.rs", text)), &["a.rs:12"]);
    }
}
