//! Sizes and time spans as people write them: `1MiB`, `30s`. Knows no keys and no limits.

use std::time::Duration;

const SIZES: &[(&str, u64)] = &[
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
    ("", 1),
];

const SPANS: &[(&str, u64)] = &[
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads a number of bytes; a bare number counts bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let (_, factor) = SIZES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*factor)
}

/// Reads a time span; only zero goes without a unit, since nobody could tell what `30` means.
pub(super) fn span(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    if number == 0 && unit.is_empty() {
        return Some(Duration::ZERO);
    }
    let (_, factor) = SPANS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*factor).map(Duration::from_millis)
}

/// Writes bytes with the largest unit that loses nothing.
pub(super) fn show_size(bytes: u64) -> String {
    let binary = &SIZES[..3];
    match binary.iter().find(|(_, factor)| divides(*factor, bytes)) {
        Some((unit, factor)) => format!("{}{unit}", bytes / factor),
        None => bytes.to_string(),
    }
}

/// Writes milliseconds with the largest unit that loses nothing.
pub(super) fn show_span(milliseconds: u64) -> String {
    match SPANS
        .iter()
        .find(|(_, factor)| divides(*factor, milliseconds))
    {
        Some((unit, factor)) => format!("{}{unit}", milliseconds / factor),
        None => "0s".to_owned(),
    }
}

fn divides(factor: u64, number: u64) -> bool {
    number != 0 && number.is_multiple_of(factor)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in [
            ("512", Some(512)),
            ("1MiB", Some(1_048_576)),
            ("16 kib", Some(16_384)),
            ("10MB", Some(10_000_000)),
            ("7b", Some(7)),
            ("", None),
            ("MiB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("1TiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn spans_need_a_unit() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("5 m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("0", Some(0)),
            ("30", None),
            ("1.5s", None),
            ("s", None),
            ("1y", None),
        ] {
            assert_eq!(
                span(text),
                milliseconds.map(Duration::from_millis),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for number in [0, 1, 1023, 1024, 1536, 1 << 20, 3 << 30] {
            assert_eq!(size(&show_size(number)), Some(number));
            assert_eq!(
                span(&show_span(number)),
                Some(Duration::from_millis(number))
            );
        }
        assert_eq!(show_size(1 << 20), "1MiB");
        assert_eq!(show_span(90_000), "90s");
    }
}
