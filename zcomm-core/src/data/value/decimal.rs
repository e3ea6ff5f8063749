//! Exact decimal numbers, kept as the digits people write. Does no arithmetic.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The most digits a decimal has, as many as the narrowest store keeps.
const MOST_DIGITS: usize = 34;

/// An exact number in its one canonical form: no needless zeros, no exponent, no minus zero.
///
/// ```
/// use zcomm_core::data::Decimal;
///
/// let price: Decimal = "0012.500".parse().unwrap();
/// assert_eq!(price.as_str(), "12.5");
/// assert!(price < "100".parse().unwrap());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// The canonical digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parts(&self) -> (bool, &str, &str) {
        let (negative, digits) = match self.0.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, self.0.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (negative, whole, fraction)
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(NotDecimal),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(NotDecimal);
        }
        let (whole, fraction) = (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        if whole.len() + fraction.len() > MOST_DIGITS {
            return Err(NotDecimal);
        }
        let whole = if whole.is_empty() { "0" } else { whole };
        Ok(Self(match (whole, fraction) {
            ("0", "") => "0".to_owned(),
            (_, "") => format!("{sign}{whole}"),
            _ => format!("{sign}{whole}.{fraction}"),
        }))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let (negative, whole, fraction) = self.parts();
        let (other_negative, other_whole, other_fraction) = other.parts();
        // Whole parts have no leading zeros, so the longer one is the larger; fractions compare as texts do, since a
        // canonical one never ends in a zero.
        let magnitude = || {
            let by_length = whole.len().cmp(&other_whole.len());
            by_length
                .then_with(|| whole.cmp(other_whole))
                .then_with(|| fraction.cmp(other_fraction))
        };
        match (negative, other_negative) {
            (false, false) => magnitude(),
            (true, true) => magnitude().reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no decimal number of at most 34 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no decimal number of at most {MOST_DIGITS} digits")]
pub struct NotDecimal;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_number_has_one_form() {
        for (given, canonical) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            ("-10.0", "-10"),
            ("0.001", "0.001"),
        ] {
            assert_eq!(given.parse::<Decimal>().unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        let long = "9".repeat(MOST_DIGITS + 1);
        for given in [
            "", "-", ".", ".5", "5.", "+1", "1e3", "1,5", " 1", "--1", "٣", &long,
        ] {
            assert_eq!(given.parse::<Decimal>(), Err(NotDecimal), "{given}");
        }
    }

    proptest! {
        #[test]
        fn decimals_sort_as_their_numbers_do(one in -9_999_999_i64..9_999_999, two in -9_999_999_i64..9_999_999) {
            let decimal = |thousandths: i64| {
                let sign = if thousandths < 0 { "-" } else { "" };
                let digits = thousandths.unsigned_abs();
                format!("{sign}{}.{:03}", digits / 1000, digits % 1000).parse::<Decimal>().unwrap()
            };

            prop_assert_eq!(decimal(one).cmp(&decimal(two)), one.cmp(&two));
        }
    }
}
