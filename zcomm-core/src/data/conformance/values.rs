//! Values of each type that stores get wrong: extremes, neighbours, other encodings, texts that are SQL.

use serde_json::{Value as Json, json};

use super::dice::Dice;
use crate::data::kind::Kind;

/// Texts as people and attackers write them. U+FFFF comes before U+10000 by code point, and after it in UTF-16.
pub(super) const TEXTS: [&str; 28] = [
    "",
    "a",
    "A",
    "b",
    "ab",
    "aB",
    "Ab",
    "abc",
    "ä",
    "Ä",
    "äb",
    "ß",
    "ẞ",
    "σ",
    "Σ",
    "İ",
    "i",
    "\u{212a}",
    "ǅ",
    "\u{ffff}",
    "\u{10000}",
    "😀",
    "%",
    "_",
    "\\",
    "a%b",
    "'; DROP TABLE things; --",
    "\"; SELECT 1; --",
];

/// A value that fields of this type take.
pub(super) fn any(dice: &mut Dice, kind: Kind) -> Json {
    match kind {
        Kind::Int => {
            let extremes = [i64::MIN, i64::MAX - 9, (1 << 53) + 1, -1];
            match dice.percent(15) {
                true => json!(dice.pick(&extremes)),
                false => json!(dice.below(6)),
            }
        }
        Kind::Float => json!(*dice.pick(&[
            0.0,
            -0.0,
            1.0,
            -1.5,
            0.1,
            0.3,
            1e22,
            1e-7,
            1.5e300,
            3.0,
            1e15,
            -2.0,
            f64::MIN_POSITIVE
        ])),
        Kind::Decimal => json!(*dice.pick(&[
            "0",
            "-0.5",
            "12.5",
            "12.50",
            "9.99",
            "100",
            "-100",
            "100.01",
            "0.1",
            "9999999999999999999999999999999999",
            "-0.0000000001",
        ])),
        Kind::Bool => json!(dice.percent(50)),
        Kind::DateTime => json!(*dice.pick(&[
            "2024-02-29T12:00:00Z",
            "2024-02-29T12:00:00.001Z",
            "2024-02-29T14:00:00+02:00",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999Z",
            "1969-12-31T23:59:59.999Z",
        ])),
        Kind::Date => json!(*dice.pick(&["2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01"])),
        Kind::Uuid => json!(*dice.pick(&[
            "00000000-0000-0000-0000-000000000000",
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ])),
        Kind::Json => dice
            .pick(&[
                json!({"b": 1, "a": [null, 1.0, "x"]}),
                json!({"a": {"b": {}}}),
                json!([]),
                json!("text \" with ' quotes"),
                json!(7),
                json!(false),
                json!(["\u{10000}", 1e22]),
            ])
            .clone(),
        Kind::Blob => json!(*dice.pick(&["", "AA==", "AP8=", "JzsgRFJPUCBUQUJMRSB0aGluZ3M="])),
        // Often one of few, so that filters find what rows have, and miss it by case alone.
        Kind::Text => match dice.percent(60) {
            true => json!(*dice.pick(&TEXTS[..6])),
            false => json!(*dice.pick(&TEXTS)),
        },
    }
}

/// A value that no row of a hundred has yet, for keys.
pub(super) fn key(kind: Kind, number: usize) -> Json {
    match kind {
        Kind::Text => {
            // Short keys first, so that texts of different lengths are neighbours.
            let text = TEXTS[number % TEXTS.len()];
            match number / TEXTS.len() {
                0 => json!(text),
                round => json!(format!("{text}{round}")),
            }
        }
        Kind::Uuid => json!(format!(
            "{:08x}-0000-4000-8000-00000000{:04x}",
            number * 7919,
            number
        )),
        Kind::Decimal => json!(format!(
            "{}{}.5",
            if number.is_multiple_of(2) { "-" } else { "" },
            number
        )),
        _ => json!(number * 3),
    }
}
