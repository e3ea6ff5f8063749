//! Instants in UTC, to the millisecond, in the form of RFC 3339. Knows no time zones but offsets.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use super::date::{Date, digits};

const DAY: i64 = 86_400_000;

/// A point in time; digits beyond milliseconds are cut off.
///
/// ```
/// use zcomm_core::data::Instant;
///
/// let noon: Instant = "2024-02-29T14:00:00+02:00".parse().unwrap();
/// assert_eq!(noon.to_string(), "2024-02-29T12:00:00.000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instant(i64);

impl Instant {
    const LAST: Self = Self(253_402_300_799_999);

    /// The instant that is so many milliseconds after 1970, if its year has one to four digits.
    pub fn from_millis(millis: i64) -> Option<Self> {
        let days = i32::try_from(millis.div_euclid(DAY)).ok()?;
        Date::from_days(days).map(|_| Self(millis))
    }

    /// How many milliseconds after the start of 1970 it is.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant of a clock; a clock beyond year 9999 gives the last instant there is.
    pub fn from_time(time: SystemTime) -> Self {
        let since = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).ok();
        millis.and_then(Self::from_millis).unwrap_or(Self::LAST)
    }

    /// The present, by the system's clock.
    pub fn now() -> Self {
        Self::from_time(SystemTime::now())
    }
}

impl FromStr for Instant {
    type Err = NotInstant;

    fn from_str(text: &str) -> Result<Self, NotInstant> {
        parse(text.as_bytes())
            .and_then(Self::from_millis)
            .ok_or(NotInstant)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = i32::try_from(self.0.div_euclid(DAY)).map_err(|_| fmt::Error)?;
        let date = Date::from_days(days).ok_or(fmt::Error)?;
        let millis = self.0.rem_euclid(DAY);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{date}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z"
        )
    }
}

/// RFC 3339 §5.6 `date-time`, without leap seconds.
fn parse(text: &[u8]) -> Option<i64> {
    if text.len() < 20 || !matches!(text[10], b'T' | b't' | b' ') || [text[13], text[16]] != *b"::"
    {
        return None;
    }
    let date: Date = std::str::from_utf8(&text[..10]).ok()?.parse().ok()?;
    let part = |from: usize, below: u32| digits(&text[from..from + 2]).filter(|&it| it < below);
    let (hours, minutes, seconds) = (part(11, 24)?, part(14, 60)?, part(17, 60)?);
    let (millis, rest) = fraction(&text[19..])?;
    let seconds = i64::from(hours * 3600 + minutes * 60 + seconds) - offset(rest)?;
    Some(i64::from(date.days_since_epoch()) * DAY + seconds * 1000 + millis)
}

/// Milliseconds, and what follows the fraction.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(text) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(length);
    let digit = |place: usize| number.get(place).map_or(0, |byte| i64::from(byte - b'0'));
    (length > 0).then_some((digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// The offset from UTC in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, text) = match text {
        b"Z" | b"z" => return Some(0),
        [b'+', text @ ..] => (1, text),
        [b'-', text @ ..] => (-1, text),
        _ => return None,
    };
    if text.len() != 5 || text[2] != b':' {
        return None;
    }
    let hours = digits(&text[..2]).filter(|&hours| hours < 24)?;
    let minutes = digits(&text[3..]).filter(|&minutes| minutes < 60)?;
    Some(sign * i64::from(hours * 3600 + minutes * 60))
}

/// The text names no instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no RFC 3339 time with an offset")]
pub struct NotInstant;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn offsets_and_fractions_come_to_utc_milliseconds() {
        for (given, utc) in [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
            ("2024-01-01t00:00:00.5z", "2024-01-01T00:00:00.500Z"),
            (
                "2024-01-01 00:00:00.123999+00:00",
                "2024-01-01T00:00:00.123Z",
            ),
            ("2024-01-01T00:30:00-05:30", "2024-01-01T06:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(
                given.parse::<Instant>().unwrap().to_string(),
                utc,
                "{given}"
            );
        }
    }

    #[test]
    fn what_names_no_single_instant_is_refused() {
        for given in [
            "",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+0200",
            "2024-01-01T00:00:00Zjunk",
            "0001-01-01T00:00:00+01:00",
            "2024-01-01T00:00:0éZ",
        ] {
            assert_eq!(given.parse::<Instant>(), Err(NotInstant), "{given}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,40}") {
            let _ = text.parse::<Instant>();
        }

        #[test]
        fn every_instant_survives_its_text(millis in -62_135_596_800_000_i64..253_402_300_800_000) {
            let instant = Instant::from_millis(millis).unwrap();

            prop_assert_eq!(instant.to_string().parse(), Ok(instant));
        }
    }
}
