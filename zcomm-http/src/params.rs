//! Names with values, for queries and forms, in whatever collection they come.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

/// Names with values: `()` for none, or an array, slice, vector or map of pairs.
///
/// ```
/// use zcomm_http::Params;
///
/// let pairs = [("demo", "zcomm"), ("level", "1")].into_pairs();
/// assert_eq!(pairs[1], ("level".to_owned(), "1".to_owned()));
/// assert!(().into_pairs().is_empty());
/// ```
pub trait Params: sealed::Sealed {
    /// The pairs, in their order.
    fn into_pairs(self) -> Vec<(String, String)>;
}

fn owned<K: Display, V: Display>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(String, String)> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

impl Params for () {
    fn into_pairs(self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl<K: Display, V: Display, const N: usize> Params for [(K, V); N] {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

impl<K: Display, V: Display, const N: usize> Params for &[(K, V); N] {
    fn into_pairs(self) -> Vec<(String, String)> {
        self.as_slice().into_pairs()
    }
}

impl<K: Display, V: Display> Params for &[(K, V)] {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self.iter().map(|(name, value)| (name, value)))
    }
}

impl<K: Display, V: Display> Params for Vec<(K, V)> {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

impl<K: Display, V: Display> Params for BTreeMap<K, V> {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

impl<K: Display, V: Display> Params for &BTreeMap<K, V> {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

impl<K: Display, V: Display> Params for HashMap<K, V> {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

impl<K: Display, V: Display> Params for &HashMap<K, V> {
    fn into_pairs(self) -> Vec<(String, String)> {
        owned(self)
    }
}

mod sealed {
    use std::collections::{BTreeMap, HashMap};

    /// Keeps the list of collections closed, so that it can grow.
    pub trait Sealed {}

    impl Sealed for () {}
    impl<T, const N: usize> Sealed for [T; N] {}
    impl<T, const N: usize> Sealed for &[T; N] {}
    impl<T> Sealed for &[T] {}
    impl<T> Sealed for Vec<T> {}
    impl<K, V> Sealed for BTreeMap<K, V> {}
    impl<K, V> Sealed for &BTreeMap<K, V> {}
    impl<K, V> Sealed for HashMap<K, V> {}
    impl<K, V> Sealed for &HashMap<K, V> {}
}
