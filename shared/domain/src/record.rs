//! Records and their fingerprints.

pub mod number;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::limits::MAX_NESTING;

/// The fields of a record, by the names of one side.
pub type Record = serde_json::Map<String, Value>;

/// What a change does to a record: its new image, or its absence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Image {
    /// The whole record: a mapped field that is not there has no value.
    Present(Record),
    /// The record does not exist.
    Absent,
}

/// The first field of a record that nests lists and objects deeper than [`MAX_NESTING`], if one does: such a record could be
/// stored, but not read again.
#[must_use]
pub fn find_too_deep(record: &Record) -> Option<&str> {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Object(fields) => levels > 0 && fields.values().all(|value| fits(value, levels - 1)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        }
    }
    record.iter().find(|(_, value)| !fits(value, MAX_NESTING)).map(|(name, _)| name.as_str())
}

/// The first 8 bytes of the SHA-256 of an image. Echo and crossing guards compare two contents of one record, so
/// 64 bits leave no accident, and the lane head, paid for with every write, stays small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub u64);

impl ContentHash {
    /// Of an image. Equal values hash alike however they are written: `10`, `10.0` and `1e1`; null and absent.
    #[must_use]
    pub fn of(image: &Image) -> Self {
        let mut hash = Sha256::new();
        match image {
            Image::Absent => hash.update(b"absent"),
            Image::Present(record) => object(&mut hash, record),
        }
        Self::take(hash)
    }

    /// Of any JSON value, by the same rules: tells whether a repeated request has the same body.
    #[must_use]
    pub fn of_value(value: &Value) -> Self {
        let mut hash = Sha256::new();
        feed(&mut hash, value);
        Self::take(hash)
    }

    /// Of a text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self::take(Sha256::new_with_prefix(text))
    }

    fn take(hash: Sha256) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        Self(u64::from_be_bytes(first))
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn object(hash: &mut Sha256, record: &Record) {
    // Sorted here: serde_json's own order depends on a feature that any crate of the build may switch on.
    let mut fields: Vec<_> = record.iter().filter(|(_, value)| !value.is_null()).collect();
    fields.sort_by_key(|(name, _)| *name);
    hash.update(b"{");
    for (name, value) in fields {
        text(hash, name);
        feed(hash, value);
    }
    hash.update(b"}");
}

fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(b) => hash.update(if *b { b"t" } else { b"f" }),
        Value::Number(number) => {
            hash.update(b"#");
            hash.update(number::canonical(number).as_bytes());
        }
        Value::String(s) => text(hash, s),
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed(hash, item);
            }
            hash.update(b"]");
        }
        Value::Object(fields) => object(hash, fields),
    }
}

fn text(hash: &mut Sha256, text: &str) {
    hash.update(b"\"");
    hash.update((text.len() as u64).to_be_bytes()); // length first: no two different values feed the same bytes
    hash.update(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn present(value: Value) -> ContentHash {
        ContentHash::of(&Image::Present(value.as_object().unwrap().clone()))
    }

    #[test]
    fn equal_values_hash_alike_however_they_are_written() {
        assert_eq!(present(json!({"a": 10, "b": "x"})), present(json!({"b": "x", "a": 10.0, "c": null})));
        let parsed = |text: &str| present(serde_json::from_str(text).unwrap());
        assert_eq!(parsed(r#"{"a": 1e3, "b": 1.10}"#), parsed(r#"{"a": 1000, "b": 11e-1}"#));
        assert_ne!(parsed(r#"{"a": 9007199254740992}"#), parsed(r#"{"a": 9007199254740993.0}"#));
    }

    #[test]
    fn a_record_may_be_nested_to_the_limit() {
        let nested = |levels: usize| {
            (0..levels).fold(json!(1), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
        };
        let record = |levels| Record::from_iter([("flat".to_owned(), json!([1])), ("deep".to_owned(), nested(levels))]);
        assert_eq!(find_too_deep(&record(MAX_NESTING)), None);
        assert_eq!(find_too_deep(&record(MAX_NESTING + 1)), Some("deep"));
    }

    #[test]
    fn a_hash_is_shown_as_16_hexadecimal_digits() {
        assert_eq!(ContentHash(0xab).to_string(), "00000000000000ab");
    }

    #[test]
    fn different_values_hash_apart() {
        let all = [
            present(json!({})),
            ContentHash::of(&Image::Absent),
            present(json!({"a": "1"})),
            present(json!({"a": 1})),
            present(json!({"a": true})),
            present(json!({"a": ["x", "y"]})),
            present(json!({"a": ["xy"]})),
            present(json!({"ab": ""})),
            present(json!({"a": "b"})),
        ];
        for (i, one) in all.iter().enumerate() {
            for other in &all[i + 1..] {
                assert_ne!(one, other);
            }
        }
    }

    proptest! {
        #[test]
        fn the_order_of_fields_does_not_matter(mut fields in proptest::collection::btree_map("[a-z]{1,4}", any::<i32>(), 0..8)) {
            let forward: Record = fields.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            let one = ContentHash::of(&Image::Present(forward));
            let mut backward = Record::new();
            while let Some((k, v)) = fields.pop_last() {
                backward.insert(k, json!(v));
            }
            prop_assert_eq!(one, ContentHash::of(&Image::Present(backward)));
        }
    }
}
