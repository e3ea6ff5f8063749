//! Seals the position of a row into a text that only we can read, and only for the same query and scope.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value as Json;

use super::kind::Kind;
use super::order::Order;
use super::value::Value;
use crate::secret::Secret;

const TAG: usize = 16;

/// The key that seals cursors. Nodes that serve the same clients share one.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// A key of this process alone; cursors end with it.
    pub fn random() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system has randomness");
        Self(key)
    }

    /// The key that a setting names, the same on every node.
    pub fn from_secret(secret: &Secret) -> Self {
        Self(blake3::derive_key(
            "zcomm 2026 data cursor",
            secret.expose().as_bytes(),
        ))
    }

    /// Seals a position for whoever can name the same binding again.
    pub(super) fn seal(&self, binding: &[u8], position: &[Value]) -> String {
        let position = Json::Array(position.iter().map(exact).collect());
        let mut text = position.to_string().into_bytes();
        let tag = self.tag(binding, &text);
        self.mask(&tag, &mut text);
        URL_SAFE_NO_PAD.encode([&tag[..], &text].concat())
    }

    /// The position, if the cursor is ours and sealed for this binding.
    pub(super) fn open(&self, binding: &[u8], cursor: &str, order: &Order) -> Option<Vec<Value>> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (tag, text) = bytes.split_at_checked(TAG)?;
        let (tag, mut text) = (tag.try_into().ok()?, text.to_vec());
        self.mask(&tag, &mut text);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            &self.tag(binding, &text)[..],
            &tag[..],
        )) {
            return None;
        }
        let cells: Vec<Json> = serde_json::from_slice(&text).ok()?;
        let sorts = order.sorts();
        let values = sorts.iter().zip(&cells);
        let values = values.map(|(sort, cell)| value(sort.field.kind, cell));
        (cells.len() == sorts.len())
            .then(|| values.collect())
            .flatten()
    }

    fn tag(&self, binding: &[u8], text: &[u8]) -> [u8; TAG] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&(binding.len() as u64).to_be_bytes());
        hasher.update(binding).update(text);
        let mut tag = [0; TAG];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    /// A position may hold a key that the caller may not read, so it is hidden too; the tag is its nonce.
    fn mask(&self, tag: &[u8; TAG], text: &mut [u8]) {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"mask").update(tag);
        let mut stream = vec![0; text.len()];
        hasher.finalize_xof().fill(&mut stream);
        text.iter_mut()
            .zip(stream)
            .for_each(|(byte, mask)| *byte ^= mask);
    }
}

/// A value in a form that comes back to the last bit, which a float's decimal digits need not.
fn exact(value: &Value) -> Json {
    match value {
        Value::Float(number) => Json::from(number.to_bits()),
        other => other.to_json(),
    }
}

fn value(kind: Kind, cell: &Json) -> Option<Value> {
    match (kind, cell.as_u64()) {
        (Kind::Float, Some(bits)) => Some(Value::Float(f64::from_bits(bits))),
        _ => Value::from_json(kind, cell),
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Field, Model};

    fn order() -> Order {
        let model = Model::builder("m")
            .field(Field::new("id", Kind::Int).primary_key())
            .field(Field::new("x", Kind::Float))
            .build()
            .unwrap();
        Order::parse(&model, &Json::from("x")).unwrap()
    }

    proptest! {
        #[test]
        fn a_position_comes_back_to_the_last_bit(x in any::<f64>(), id in any::<i64>()) {
            prop_assume!(x.is_finite());
            let (key, order) = (CursorKey::random(), order());
            let position = [Value::Float(x), Value::Int(id)];

            let cursor = key.seal(b"query", &position);

            let opened = key.open(b"query", &cursor, &order);
            prop_assert_eq!(opened.as_deref(), Some(&position[..]));
        }
    }

    #[test]
    fn a_cursor_shows_nothing_and_is_bound_to_key_and_query() {
        let secret = Secret::new("shared");
        let (key, order) = (CursorKey::from_secret(&secret), order());
        let position = [Value::Null, Value::Int(1_234_567_890)];

        let cursor = key.seal(b"query", &position);

        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        assert!(
            !bytes
                .windows(4)
                .any(|part| part == b"1234" || part == b"null")
        );
        assert_eq!(key.open(b"other", &cursor, &order), None);
        assert_eq!(CursorKey::random().open(b"query", &cursor, &order), None);
        let another_node = CursorKey::from_secret(&secret);
        assert_eq!(
            another_node.open(b"query", &cursor, &order).as_deref(),
            Some(&position[..])
        );
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(key.open(b"query", &forged, &order), None, "byte {at}");
        }
    }
}
