//! Text that arrives in pieces, checked as it comes. Holds only what is valid, and at most three bytes that may become so.

use super::FrameError;

/// A text message in the making. Its pieces may end inside a character; the message may not.
#[derive(Debug, Default)]
pub(super) struct TextBuffer {
    text: String,
    /// The beginning of a character that the last piece cut.
    tail: [u8; 4],
    tail_length: u8,
}

impl TextBuffer {
    /// Takes the next piece; fails at the first byte that no valid text can have here.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let bytes = self.complete_tail(bytes)?;
        match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(error) if error.error_len().is_none() => {
                let (valid, tail) = bytes.split_at(error.valid_up_to());
                let valid = simdutf8::basic::from_utf8(valid)
                    .expect("the bytes before valid_up_to are valid");
                self.text.push_str(valid);
                self.tail[..tail.len()].copy_from_slice(tail);
                self.tail_length = tail.len() as u8;
            }
            Err(_) => return Err(FrameError::InvalidUtf8),
        }
        Ok(())
    }

    /// Ends the message: nothing may be left of a character.
    pub(super) fn finish(&self) -> Result<(), FrameError> {
        if self.tail_length == 0 {
            Ok(())
        } else {
            Err(FrameError::InvalidUtf8)
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// How many bytes came so far.
    pub(super) fn len(&self) -> usize {
        self.text.len() + usize::from(self.tail_length)
    }

    /// Makes room for that many bytes after those that came so far.
    pub(super) fn reserve(&mut self, additional: usize) {
        self.text
            .reserve_exact(usize::from(self.tail_length) + additional);
    }

    /// Goes on in another buffer, which is empty and has room for what is here.
    pub(super) fn move_to(&mut self, buffer: Vec<u8>) {
        let mut text = String::from_utf8(buffer).expect("an empty buffer is text");
        text.push_str(&self.text);
        self.text = text;
    }

    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// Completes the character that the last piece cut, and returns what is left of this one.
    fn complete_tail<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], FrameError> {
        while self.tail_length > 0 {
            let Some((&next, rest)) = bytes.split_first() else {
                break;
            };
            bytes = rest;
            let end = usize::from(self.tail_length);
            self.tail[end] = next;
            match str::from_utf8(&self.tail[..=end]) {
                Ok(character) => {
                    self.text.push_str(character);
                    self.tail_length = 0;
                }
                // At most three bytes can be an incomplete character, so `end` stays below four.
                Err(error) if error.error_len().is_none() => self.tail_length += 1,
                Err(_) => return Err(FrameError::InvalidUtf8),
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_same_wherever_it_is_cut() {
        let text = "aé€😀 κόσμε".repeat(10);
        for size in 1..20 {
            let mut buffer = TextBuffer::default();

            for piece in text.as_bytes().chunks(size) {
                buffer.push(piece).unwrap();
            }

            assert_eq!(buffer.finish(), Ok(()));
            assert_eq!(buffer.as_str(), text, "pieces of {size}");
        }
    }

    #[test]
    fn a_wrong_byte_fails_as_soon_as_it_comes() {
        // A surrogate, an overlong form, a code point beyond U+10FFFF, a lone continuation, an impossible byte.
        for (start, wrong) in [
            (&b"\xed"[..], &b"\xa0"[..]),
            (b"\xc0", b""),
            (b"\xe0", b"\x80"),
            (b"\xf4", b"\x90"),
            (b"ok", b"\x80"),
            (b"ok", b"\xff"),
            (b"\xe2\x82", b"A"),
        ] {
            let mut buffer = TextBuffer::default();

            let first = buffer.push(start);
            let last = first.and_then(|()| buffer.push(wrong));

            assert_eq!(last, Err(FrameError::InvalidUtf8), "{start:x?} {wrong:x?}");
        }
    }

    #[test]
    fn text_may_not_end_inside_a_character() {
        let mut buffer = TextBuffer::default();

        buffer.push(b"euro \xe2\x82").unwrap();

        assert_eq!(buffer.finish(), Err(FrameError::InvalidUtf8));
    }
}
