//! UUIDs as sixteen bytes: read, written, made. Does not look into versions.

use std::fmt;
use std::str::FromStr;

/// A UUID in any of its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid([u8; 16]);

impl Uuid {
    /// Takes the sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes, in the order in which they are written.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// A random one (RFC 9562 version 4).
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl FromStr for Uuid {
    type Err = NotUuid;

    fn from_str(text: &str) -> Result<Self, NotUuid> {
        let text = text.as_bytes();
        if text.len() != 36 || [8, 13, 18, 23].iter().any(|&at| text[at] != b'-') {
            return Err(NotUuid);
        }
        let mut nibbles = text
            .iter()
            .filter(|&&byte| byte != b'-')
            .map(|&byte| nibble(byte));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let high = nibbles.next().flatten().ok_or(NotUuid)?;
            let low = nibbles.next().flatten().ok_or(NotUuid)?;
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// The text is no UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no UUID of the form 00000000-0000-0000-0000-000000000000")]
pub struct NotUuid;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_survives_its_text() {
        let uuid = Uuid::random();

        assert_eq!(uuid.to_string().to_uppercase().parse(), Ok(uuid));
        assert_eq!(uuid.to_string().as_bytes()[14], b'4');
        for bad in [
            "",
            "a0eebc999c0b4ef8bb6d6bb9bd380a11",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g",
            "a0eebc99-9c0b-4ef8-bb6d--bb9bd380a11",
        ] {
            assert_eq!(bad.parse::<Uuid>(), Err(NotUuid), "{bad}");
        }
    }
}
