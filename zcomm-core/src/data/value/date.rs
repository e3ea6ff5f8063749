//! Days of the Gregorian calendar, from year 1 to 9999. Knows no time of day.

use std::fmt;
use std::str::FromStr;

use super::instant::Instant;

/// A day of the calendar.
///
/// ```
/// use zcomm_core::data::Date;
///
/// let leap: Date = "2024-02-29".parse().unwrap();
/// assert_eq!(leap.days_since_epoch(), 19_782);
/// assert_eq!(leap.to_string(), "2024-02-29");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(i32);

impl Date {
    const FIRST: i32 = -719_162;
    const LAST: i32 = 2_932_896;

    /// The day that is so many days after 1970-01-01, if its year has one to four digits.
    pub fn from_days(days: i32) -> Option<Self> {
        (Self::FIRST..=Self::LAST)
            .contains(&days)
            .then_some(Self(days))
    }

    /// The day of that name, if there is one.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1..=9999).contains(&year) || !(1..=12).contains(&month) {
            return None;
        }
        (1..=days_in(year, month)).contains(&day).then_some(())?;
        // Howard Hinnant's days_from_civil: years that begin in March put the leap day last.
        let shifted = year - i32::from(month <= 2);
        let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let month_from_march = i32::try_from((month + 9) % 12).ok()?;
        let day_of_year = (153 * month_from_march + 2) / 5 + i32::try_from(day).ok()? - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// The day in UTC of an instant.
    pub fn of(instant: Instant) -> Self {
        let days = instant.as_millis().div_euclid(86_400_000);
        Self(i32::try_from(days).expect("an instant's year has at most four digits"))
    }

    /// How many days after 1970-01-01 it is.
    pub const fn days_since_epoch(self) -> i32 {
        self.0
    }

    /// Year, month and day.
    pub fn ymd(self) -> (i32, i32, i32) {
        let shifted = self.0 + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leaps) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        (era * 400 + year_of_era + i32::from(month <= 2), month, day)
    }
}

impl FromStr for Date {
    type Err = NotDate;

    fn from_str(text: &str) -> Result<Self, NotDate> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(NotDate);
        }
        let year = digits(&bytes[..4]).and_then(|year| i32::try_from(year).ok());
        let parts = (year, digits(&bytes[5..7]), digits(&bytes[8..]));
        let (Some(year), Some(month), Some(day)) = parts else {
            return Err(NotDate);
        };
        Self::from_ymd(year, month, day).ok_or(NotDate)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// The number that these digits, and nothing but digits, make.
pub(super) fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn days_in(year: i32, month: u32) -> u32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The text names no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no date of the form 2026-01-31")]
pub struct NotDate;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_calendar_has_its_known_days() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("0001-01-01", Date::FIRST),
            ("9999-12-31", Date::LAST),
        ] {
            assert_eq!(text.parse::<Date>().unwrap().days_since_epoch(), days);
        }
        for text in [
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-04-31",
            "0000-01-01",
            "24-1-1",
            "2024-1-011",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NotDate), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_survives_its_text(days in Date::FIRST..=Date::LAST) {
            let date = Date::from_days(days).unwrap();

            prop_assert_eq!(date.to_string().parse(), Ok(date));
        }
    }
}
