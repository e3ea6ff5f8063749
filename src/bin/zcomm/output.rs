//! What the program prints: tables for people, JSON for programs, raw bytes for pipes.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

/// How a command that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done, and the answer is yes where there is a question.
    Done,
    /// It is done, and the answer is no.
    No,
    /// It is done, and what was looked at is wrong.
    Wrong,
}

impl Outcome {
    pub(crate) fn yes_if(yes: bool) -> Self {
        if yes { Self::Done } else { Self::No }
    }
}

/// The headline of a table.
pub(crate) const HEAD: Style = Style::new().bold();
/// Something that is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Something that is not.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();

/// A cell of a table and the style it is shown in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// Says what is odd about the settings, though not wrong.
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        note(&format!("{HEAD}warning{HEAD:#}: {warning}"));
    }
}

/// Prints columns as wide as their widest cell; the last one is never padded.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: &[[Cell; N]]) {
    line(&render(head, rows));
}

fn render<const N: usize>(head: [&str; N], rows: &[[Cell; N]]) -> String {
    let head = head.map(|text| Cell::styled(text, HEAD));
    let all = || std::iter::once(&head).chain(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        all()
            .map(|row| row[column].text.chars().count())
            .max()
            .unwrap_or(0)
    });
    let lines: Vec<String> = all().map(|row| render_row(row, &widths)).collect();
    lines.join("\n")
}

fn render_row<const N: usize>(row: &[Cell; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let Cell { text, style } = cell;
        line.push_str(&format!("{style}{text}{style:#}"));
        if column + 1 < N {
            line.push_str(&" ".repeat(width - text.chars().count() + 2));
        }
    }
    line.trim_end().to_owned()
}

/// Prints rows whose columns are known only now, as wide as their widest cell.
#[cfg(any(feature = "bifrost", feature = "sqlite"))]
pub(crate) fn grid(head: &[String], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]);
        cells
            .chain([&head[column]])
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let render = |row: &[String]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:width$}", width = *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    line(&format!("{HEAD}{}{HEAD:#}", render(head)));
    rows.iter().for_each(|row| line(&render(row)));
}

/// Prints a line; styles are left out where they are not wanted.
pub(crate) fn line(text: &str) {
    raw_to(
        &mut anstream::stdout().lock(),
        format!("{text}\n").as_bytes(),
    );
}

/// Prints JSON, indented, so that a person can read it as well.
pub(crate) fn json(value: &Value) {
    line(&format!("{value:#}"));
}

/// Prints bytes as they are.
pub(crate) fn raw(bytes: &[u8]) {
    raw_to(&mut io::stdout().lock(), bytes);
}

/// Prints a note beside the result: progress, hints, what went wrong.
pub(crate) fn note(text: &str) {
    raw_to(
        &mut anstream::stderr().lock(),
        format!("{text}\n").as_bytes(),
    );
}

fn raw_to(stream: &mut impl Write, bytes: &[u8]) {
    // A reader that has gone, as in `zcomm … | head -1`, is no fault of the command.
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            ["8080".into(), "available".into()],
            ["5".into(), Cell::styled("in use", BAD)],
        ];

        let plain = anstream::adapter::strip_str(&render(["PORT", "STATE"], &rows)).to_string();

        assert_eq!(plain, "PORT  STATE\n8080  available\n5     in use");
    }
}
