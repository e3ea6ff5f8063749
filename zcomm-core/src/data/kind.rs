//! The types a field can have. Holds no values.

use std::fmt;

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number of 64 bits.
    Int,
    /// A floating-point number; never NaN nor infinite.
    Float,
    /// An exact number of at most 34 digits, as a string.
    Decimal,
    /// True or false.
    Bool,
    /// A text of code points; U+0000 is not among them.
    Text,
    /// An instant in UTC, to the millisecond.
    DateTime,
    /// A day of the calendar.
    Date,
    /// A UUID.
    Uuid,
    /// Any JSON.
    Json,
    /// Bytes, as base64.
    Blob,
}

impl Kind {
    /// Every type, in the order in which errors list them.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Int,
        Self::Float,
        Self::Decimal,
        Self::Bool,
        Self::Date,
        Self::DateTime,
        Self::Uuid,
        Self::Json,
        Self::Blob,
    ];

    /// The name in schema files and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Decimal => "decimal",
            Self::Bool => "bool",
            Self::Text => "str",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Blob => "blob",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether two values of the type are before or after each other.
    pub const fn is_ordered(self) -> bool {
        !matches!(self, Self::Json | Self::Blob)
    }

    /// What a JSON value of the type looks like, for error messages.
    pub const fn expectation(self) -> &'static str {
        match self {
            Self::Int => "a whole number of 64 bits",
            Self::Float => "a number",
            Self::Decimal => "a decimal string of at most 34 digits, such as \"12.50\"",
            Self::Bool => "true or false",
            Self::Text => "a string without U+0000",
            Self::DateTime => "an RFC 3339 string with an offset, such as \"2026-01-31T12:00:00Z\"",
            Self::Date => "a date string such as \"2026-01-31\"",
            Self::Uuid => "a UUID string",
            Self::Json => "any JSON but null, without U+0000",
            Self::Blob => "a base64 string",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
