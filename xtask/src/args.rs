//! The options that every list of steps takes. Knows no steps: whether a name exists is checked against the list.

use anyhow::{Context, Result, bail};

/// Which steps of a list were asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Names of steps or tools that were switched off.
    pub(crate) without: Vec<String>,
    /// Names of the only steps to run; empty for all.
    pub(crate) only: Vec<String>,
    /// Print the steps, run none.
    pub(crate) list: bool,
}

impl TryFrom<Vec<String>> for Selection {
    type Error = anyhow::Error;

    fn try_from(words: Vec<String>) -> Result<Self> {
        let mut selection = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (option, joined) = match word.split_once('=') {
                Some((option, value)) => (option.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            let mut value = || {
                joined
                    .clone()
                    .or_else(|| words.next())
                    .filter(|name| !name.is_empty() && !name.starts_with('-'))
                    .with_context(|| format!("`{option}` wants a name"))
            };
            match option.as_str() {
                "--without" => selection.without.push(value()?),
                "--only" => selection.only.push(value()?),
                "--list" if joined.is_none() => selection.list = true,
                _ => bail!("`{option}` is not an option here: --without NAME, --only STEP, --list"),
            }
        }
        Ok(selection)
    }
}

/// Refuses arguments on behalf of a command that takes none.
pub(crate) fn none(words: &[String]) -> Result<()> {
    match words {
        [] => Ok(()),
        [first, ..] => bail!("this command takes no arguments, not even `{first}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Selection> {
        Selection::try_from(
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn options_repeat_and_take_their_value_either_way() {
        let selection = parse(&["--without", "docker", "--without=redis", "--only=units"]).unwrap();

        assert_eq!(selection.without, ["docker", "redis"]);
        assert_eq!(selection.only, ["units"]);
        assert!(!selection.list);
    }

    #[test]
    fn a_missing_value_or_an_unknown_option_is_an_error() {
        #[track_caller]
        fn check(words: &[&str], message: &str) {
            assert_eq!(parse(words).unwrap_err().to_string(), message);
        }

        check(&["--without"], "`--without` wants a name");
        check(&["--only="], "`--only` wants a name");
        check(&["--only", "--list"], "`--only` wants a name");
        check(
            &["units"],
            "`units` is not an option here: --without NAME, --only STEP, --list",
        );
        check(
            &["--list=x"],
            "`--list` is not an option here: --without NAME, --only STEP, --list",
        );
    }
}
