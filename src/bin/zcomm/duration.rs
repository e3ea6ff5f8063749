//! Time spans on the command line: a number and its unit.

use std::time::Duration;

const ALLOWED: &str = "write a number and a unit: 500ms, 90s, 15m, 12h, 30d";

/// Reads a time span of at most a hundred years, which is for ever and still a date that can be written.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or(ALLOWED)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| ALLOWED)?;
    let unit: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(ALLOWED.to_owned()),
    };
    let most = 100 * 366 * 86_400_000;
    let span = number
        .checked_mul(unit)
        .filter(|all| (1..=most).contains(all));
    span.map(Duration::from_millis)
        .ok_or_else(|| "more than nothing, and at most 36600d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_has_a_number_and_a_unit() {
        assert_eq!(parse("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for wrong in [
            "",
            "d",
            "30",
            "0s",
            "-1d",
            "99999999999999999999d",
            "1 d",
            "é",
            "36601d",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
