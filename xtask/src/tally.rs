//! How many tests passed, failed and were skipped, as the test runners say it. Runs nothing.

use std::fmt;
use std::ops::AddAssign;

/// Counts of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    pub(crate) const PASSED: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    pub(crate) const FAILED: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };
    pub(crate) const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    /// The sum over the `test result:` lines of what `cargo test` printed.
    ///
    /// Tests that a filter left out count nowhere: another step runs them.
    pub(crate) fn of_cargo_test(output: &str) -> Self {
        let mut sum = Self::default();
        for line in output.lines() {
            let Some(counts) = line.trim_start().strip_prefix("test result: ") else {
                continue;
            };
            sum += Self {
                passed: number_before(counts, " passed;"),
                failed: number_before(counts, " failed;"),
                skipped: number_before(counts, " ignored;"),
            };
        }
        sum
    }

    /// The sum that `node --test` prints at its end.
    pub(crate) fn of_node_test(output: &str) -> Self {
        let count = |word: &str| {
            let start = format!("# {word} ");
            let counts = output.lines().filter_map(|line| line.strip_prefix(&start));
            counts.filter_map(|count| count.parse::<u64>().ok()).sum()
        };
        Self {
            passed: count("pass"),
            failed: count("fail") + count("cancelled"),
            skipped: count("skipped") + count("todo"),
        }
    }

    /// One test of its own: a command that either succeeds or does not.
    pub(crate) fn of_check(succeeded: bool) -> Self {
        if succeeded {
            Self::PASSED
        } else {
            Self::FAILED
        }
    }

    /// How many ran.
    pub(crate) fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let Some((before, _)) = text.split_once(word) else {
        return 0;
    };
    let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next();
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_lines_of_all_binaries_are_summed() {
        let output = "\
running 3 tests
test secret::tests::prints_stars ... ok
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s

     Running tests/it/main.rs
test result: FAILED. 30 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.50s
";

        let tally = Tally::of_cargo_test(output);

        assert_eq!(
            tally,
            Tally {
                passed: 42,
                failed: 2,
                skipped: 1
            }
        );
        assert_eq!(tally.ran(), 44);
    }

    #[test]
    fn nodes_sum_counts_what_was_cut_off_as_failed() {
        let output =
            "ok 1 - a\n# tests 5\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n";

        let tally = Tally::of_node_test(output);

        let (passed, failed, skipped) = (2, 2, 1);
        assert_eq!(
            tally,
            Tally {
                passed,
                failed,
                skipped
            }
        );
    }

    #[test]
    fn output_without_results_counts_nothing() {
        assert_eq!(
            Tally::of_cargo_test("error: could not compile `zcomm`"),
            Tally::default()
        );
    }

    #[test]
    fn skipped_tests_are_told_only_where_there_are_any() {
        let mut tally = Tally {
            passed: 2,
            failed: 0,
            skipped: 0,
        };
        assert_eq!(tally.to_string(), "2 passed, 0 failed");

        tally += Tally::SKIPPED;
        assert_eq!(tally.to_string(), "2 passed, 0 failed, 1 skipped");
    }
}
