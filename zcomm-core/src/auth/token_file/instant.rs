//! Instants in a token file: RFC 3339 in UTC, to the second, as people read them. Knows no other form.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: u64 = 86_400;

/// The last second of the year 9999, after which the form has no room.
const LAST: u64 = 253_402_300_799;

/// Writes `2027-01-31T23:59:59Z`; nothing for an instant before 1970 or after 9999.
pub(super) fn format(at: SystemTime) -> Option<String> {
    let seconds = at.duration_since(UNIX_EPOCH).ok()?.as_secs();
    if seconds > LAST {
        return None;
    }
    let (year, month, day) = date_of(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    ))
}

/// Reads what [`format`] writes, and nothing else: a file is kept by this program.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let digits = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_to(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
    // Whatever the pieces above let through (a sign, a 30 February) does not come out as it went in.
    (format(at).as_deref() == Some(text)).then_some(at)
}

/// Days from 1970-01-01 to a date, counted in years that begin in March, so that a leap day comes last.
fn days_to(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let before_month = (153 * month + 2) / 5;
    let to_year = 365 * year + year / 4 - year / 100 + year / 400;
    // 719 468 days lie between 0000-03-01 and 1970-01-01; a day 0 before that is refused by the way back.
    (to_year + before_month + day).saturating_sub(1 + 719_468)
}

fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(seconds: u64, text: &str) {
        let at = UNIX_EPOCH + Duration::from_secs(seconds);

        assert_eq!(format(at).as_deref(), Some(text));
        assert_eq!(parse(text), Some(at));
    }

    #[test]
    fn known_instants_read_as_they_are_written() {
        check(0, "1970-01-01T00:00:00Z");
        check(951_782_400, "2000-02-29T00:00:00Z");
        check(1_798_761_599, "2026-12-31T23:59:59Z");
        check(4_107_542_400, "2100-03-01T00:00:00Z");
        check(LAST, "9999-12-31T23:59:59Z");
    }

    #[test]
    fn what_is_not_such_an_instant_is_not_read() {
        let wrong = [
            "",
            "2027",
            "2027-01-01",
            "2027-01-01T00:00:00",
            "2027-01-01 00:00:00Z",
            "2027-01-01T00:00:00+01:00",
            "2027-02-30T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2027-13-01T00:00:00Z",
            "2027-00-01T00:00:00Z",
            "2027-01-00T00:00:00Z",
            "1970-01-00T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2027-01-01T24:00:00Z",
            "+027-01-01T00:00:00Z",
            "2027-01-01T00:00:00Zz",
            "２027-01-01T00:00:00Z",
        ];

        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(UNIX_EPOCH + Duration::from_secs(LAST + 1)), None);
        assert_eq!(format(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    proptest! {
        #[test]
        fn every_second_survives_its_text(seconds in 0..=LAST) {
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            prop_assert_eq!(format(at).and_then(|text| parse(&text)), Some(at));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,24}|[0-9+-]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z") {
            let _ = parse(&text);
        }
    }
}
