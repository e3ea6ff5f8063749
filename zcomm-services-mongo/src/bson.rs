//! As much of BSON (bsonspec.org) as a probe writes and reads. Knows no commands.

/// Documents in documents deeper than this are nobody's answer to a probe.
const DEEPEST: usize = 16;

/// A document that is being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document(Vec<u8>);

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// Whole numbers of both sizes, and floating ones without what is behind the point.
    Number(i64),
    Flag(bool),
    Binary(Vec<u8>),
    /// An array is a document whose names are numbers.
    Document(Fields),
    /// Of a kind that nobody here asks for.
    Other,
}

/// The fields of a document, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields(Vec<(String, Value)>);

impl Document {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        let length = (value.len() as u32 + 1).to_le_bytes();
        self.field(2, name, &[&length, value.as_bytes(), &[0]])
    }

    pub(crate) fn number(self, name: &str, value: i32) -> Self {
        self.field(16, name, &[&value.to_le_bytes()])
    }

    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.field(8, name, &[&[u8::from(value)]])
    }

    pub(crate) fn binary(self, name: &str, value: &[u8]) -> Self {
        let length = (value.len() as u32).to_le_bytes();
        self.field(5, name, &[&length, &[0], value])
    }

    pub(crate) fn document(self, name: &str, value: &Self) -> Self {
        self.field(3, name, &[&value.to_bytes()])
    }

    /// An array of one document.
    pub(crate) fn list(self, name: &str, only: &Self) -> Self {
        let list = Self::new().document("0", only);
        self.field(4, name, &[&list.to_bytes()])
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        // The length counts itself and the zero at the end.
        let length = self.0.len() as u32 + 5;
        [&length.to_le_bytes(), &*self.0, &[0]].concat()
    }

    fn field(mut self, kind: u8, name: &str, parts: &[&[u8]]) -> Self {
        self.0.push(kind);
        // A zero would end the name early; the names are ours.
        self.0.extend(name.bytes().filter(|byte| *byte != 0));
        self.0.push(0);
        self.0.extend(parts.concat());
        self
    }
}

impl Fields {
    /// Reads a document that takes up all of the bytes.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        read(bytes, 0)
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value(name) == Some(&Value::Flag(true))
    }

    pub(crate) fn fields(&self, name: &str) -> Option<&Self> {
        match self.value(name)? {
            Value::Document(fields) => Some(fields),
            _ => None,
        }
    }

    pub(crate) fn binary(&self, name: &str) -> Option<&[u8]> {
        match self.value(name)? {
            Value::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

fn read(bytes: &[u8], depth: usize) -> Option<Fields> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    if length != bytes.len() || depth > DEEPEST {
        return None;
    }
    let mut rest = rest.strip_suffix(&[0])?;
    let mut fields = Vec::new();
    while let Some((kind, after)) = rest.split_first() {
        let end = after.iter().position(|byte| *byte == 0)?;
        let name = String::from_utf8_lossy(&after[..end]).into_owned();
        let (value, after) = read_value(*kind, &after[end + 1..], depth)?;
        fields.push((name, value));
        rest = after;
    }
    Some(Fields(fields))
}

fn read_value(kind: u8, bytes: &[u8], depth: usize) -> Option<(Value, &[u8])> {
    let counted = |extra: usize| {
        let length = bytes.get(..4)?.try_into().ok()?;
        bytes.split_at_checked((u32::from_le_bytes(length) as usize).checked_add(extra)?)
    };
    let fixed = |length: usize| bytes.split_at_checked(length);
    Some(match kind {
        1 => {
            let (value, rest) = fixed(8)?;
            let value = f64::from_le_bytes(value.try_into().ok()?);
            (Value::Number(value as i64), rest)
        }
        2 | 13 | 14 => {
            let (value, rest) = counted(4)?;
            let text = value.get(4..)?.strip_suffix(&[0])?;
            (
                Value::Text(String::from_utf8_lossy(text).into_owned()),
                rest,
            )
        }
        3 | 4 => {
            let (value, rest) = counted(0)?;
            (Value::Document(read(value, depth + 1)?), rest)
        }
        5 => {
            let (value, rest) = counted(5)?;
            (Value::Binary(value.get(5..)?.to_vec()), rest)
        }
        // An id of an object is twelve bytes without a length.
        7 => {
            let (value, rest) = fixed(12)?;
            (Value::Binary(value.to_vec()), rest)
        }
        8 => {
            let (value, rest) = fixed(1)?;
            (Value::Flag(value == [1]), rest)
        }
        16 => {
            let (value, rest) = fixed(4)?;
            let value = i32::from_le_bytes(value.try_into().ok()?);
            (Value::Number(value.into()), rest)
        }
        18 => {
            let (value, rest) = fixed(8)?;
            (
                Value::Number(i64::from_le_bytes(value.try_into().ok()?)),
                rest,
            )
        }
        // A date, a timestamp of the log, a decimal; null and its like have no bytes.
        9 | 17 => (Value::Other, fixed(8)?.1),
        19 => (Value::Other, fixed(16)?.1),
        6 | 10 | 127 | 255 => (Value::Other, bytes),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let inner = Document::new().text("role", "root").flag("yes", true);
        let bytes = Document::new()
            .number("n", -7)
            .binary("b", b"\0\x01")
            .list("roles", &inner)
            .to_bytes();

        let fields = Fields::read(&bytes).unwrap();

        assert_eq!(fields.number("n"), Some(-7));
        assert_eq!(fields.binary("b"), Some(&b"\0\x01"[..]));
        let role = fields.fields("roles").unwrap().fields("0").unwrap();
        assert_eq!((role.text("role"), role.flag("yes")), (Some("root"), true));
        assert_eq!(fields.names().collect::<Vec<_>>(), ["n", "b", "roles"]);
    }

    #[test]
    fn bytes_are_as_the_specification_has_them() {
        // The example of bsonspec.org.
        let bytes = Document::new().text("hello", "world").to_bytes();

        assert_eq!(bytes, b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0");
    }

    #[test]
    fn a_document_that_lies_about_its_lengths_is_none() {
        let good = Document::new().text("hello", "world").to_bytes();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0xFF;
            let _ = Fields::read(&bad);
            assert_eq!(Fields::read(&good[..place]), None);
        }
        let mut deep = Document::new().number("n", 1);
        for _ in 0..DEEPEST + 2 {
            deep = Document::new().document("d", &deep);
        }
        assert_eq!(Fields::read(&deep.to_bytes()), None);
    }
}
