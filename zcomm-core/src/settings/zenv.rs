//! The `.zEnv` file: `NAME=value` lines, each with its number. Knows no keys.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A variable of the file.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: u64,
}

/// Reads all lines; the second list holds the numbers of those that are no `NAME=value`.
///
/// `$NAME` and `${NAME}` are put in by the parser, from the process environment and the lines above;
/// single quotes keep a `$` as it is.
pub(super) fn variables(text: &str) -> (Vec<Variable>, Vec<u64>) {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    let taken = Rc::new(Cell::new(0));
    let reader = LineByLine::new(&lines, Rc::clone(&taken));
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    let mut entries = dotenvy::Iter::new(reader);
    loop {
        let before = taken.get();
        let Some(entry) = entries.next() else { break };
        let line = first_line(&lines, before, taken.get());
        match entry {
            Ok((name, value)) => found.push(Variable { name, value, line }),
            // The parser's own message quotes the line, and with it perhaps a secret.
            Err(_) => broken.push(line),
        }
    }
    (found, broken)
}

/// Where an entry begins: the parser has passed over blank lines and comments before it.
fn first_line(lines: &[&str], before: usize, after: usize) -> u64 {
    let blank = |line: &&&str| line.trim().is_empty() || line.trim_start().starts_with('#');
    let skipped = lines[before..after].iter().take_while(blank).count();
    (before + skipped + 1) as u64
}

/// Hands out one line per read and counts them, so that it is known which line the parser is at.
struct LineByLine {
    lines: std::vec::IntoIter<String>,
    rest: Vec<u8>,
    taken: Rc<Cell<usize>>,
}

impl LineByLine {
    fn new(lines: &[&str], taken: Rc<Cell<usize>>) -> Self {
        let owned: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
        Self {
            lines: owned.into_iter(),
            rest: Vec::new(),
            taken,
        }
    }
}

impl Read for LineByLine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let Some(line) = self.lines.next() else {
                return Ok(0);
            };
            self.taken.set(self.taken.get() + 1);
            self.rest = line.into_bytes();
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }
}
