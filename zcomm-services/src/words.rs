//! Parts of messages that are there only at times. Decides nothing.

use std::fmt;

use zcomm_core::net::Holder;

pub(crate) struct InFolders<'a>(pub(crate) &'a [String]);

impl fmt::Display for InFolders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            folders => write!(f, " nor in {}", folders.join(", ")),
        }
    }
}

pub(crate) struct Hint(pub(crate) Option<&'static str>);

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |hint| write!(f, "; install it: {hint}"))
    }
}

pub(crate) struct By<'a>(pub(crate) Option<&'a Holder>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |holder| write!(f, " by {holder}"))
    }
}

pub(crate) struct Found<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |found| write!(f, ": {found}"))
    }
}

pub(crate) struct LastLines<'a>(pub(crate) &'a [String]);

impl fmt::Display for LastLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(", and wrote nothing");
        }
        f.write_str("; its last lines:")?;
        self.0.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}
