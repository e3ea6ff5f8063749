//! What a program is configured to do: rows, layers, and where each value came from.

/// One row of the table of settings.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Key {
    /// Its name in files and code: `websocket.port`.
    pub path: &'static str,
    /// Its value where nobody gives one.
    pub default: Option<&'static str>,
    /// What it does.
    pub doc: &'static str,
}

impl Key {
    /// A setting that is any text.
    pub const fn text(path: &'static str) -> Self {
        Self {
            path,
            default: None,
            doc: "",
        }
    }

    /// The same with a default.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// The same with what it does.
    #[must_use]
    pub const fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }
}

/// What a program is configured to do.
#[derive(Clone, Debug, Default)]
pub struct Settings;

impl Settings {
    /// A text, if it is set.
    pub fn text(&self, _path: &str) -> Option<&str> {
        None
    }
}
