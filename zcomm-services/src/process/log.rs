//! The end of a log file, for error messages. Writes nothing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// As much of the file's end as is looked at.
const TAIL: u64 = 64 * 1024;

/// The last lines, at most `count`; none if the file cannot be read.
pub(crate) fn last_lines(file: &Path, count: usize) -> Vec<String> {
    let Some(text) = tail(file) else {
        return Vec::new();
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(count);
    lines[from..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

fn tail(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_long_log_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let text: String = (0..10_000).map(|n| format!("line {n}\n\n")).collect();
        std::fs::write(&file, text).unwrap();

        assert_eq!(last_lines(&file, 2), ["line 9998", "line 9999"]);
        assert!(last_lines(&folder.path().join("none"), 2).is_empty());
    }
}
