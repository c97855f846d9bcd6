//! Reads a JSON body: once, exactly, and with every fault named.

use std::{collections::BTreeSet, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Reads a body.
///
/// # Errors
/// Says what is wrong with it, and where; never a value.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body); // a byte order mark, as some libraries write
    let text = std::str::from_utf8(body).map_err(|error| {
        format!("is not UTF-8: byte {} of it is not; JSON has no other encoding", error.valid_up_to())
    })?;
    let wrong = |error: serde_json::Error| {
        let says = error.to_string();
        let half = says.contains("hex escape").then_some("; half of a surrogate pair is no character");
        format!("is not JSON: {says}{}", half.unwrap_or_default())
    };
    serde_json::from_str::<UniqueMembers>(text).map_err(wrong)?;
    serde_json::from_str(text).map_err(wrong)
}

/// JSON in which no object has a member twice. Readers differ in which of the two they take: a caller that means one of them
/// must say which.
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = UniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UniqueMembers, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<UniqueMembers>()?;
            if let Some(name) = names.replace(name) {
                return Err(A::Error::custom(format_args!("an object has the member `{name}` twice")));
            }
        }
        Ok(UniqueMembers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueMembers, A::Error> {
        while items.next_element::<UniqueMembers>()?.is_some() {}
        Ok(UniqueMembers)
    }

    fn visit_unit<E: Error>(self) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_body_is_named() {
        for (body, says) in [
            (&br#"{"a": 1, "b": {"c": 1, "c": 2}}"#[..], "the member `c` twice"),
            (br#"{"id": "x", "id": "x"}"#, "the member `id` twice"),
            (br#"{"a": "\ud800"}"#, "surrogate"),
            (br#"{"a": 1,}"#, "trailing comma"),
            (br#"{"a": 01}"#, "invalid number"),
            (b"{\"a\": \"caf\xe9\"}", "is not UTF-8: byte 10"),
            (b"\xff\xfe{\0}\0", "is not UTF-8"),
            (b"\x1f\x8b\x08", "is not UTF-8"),
            (b"", "EOF"),
        ] {
            let told = read(body).unwrap_err();
            assert!(told.contains(says), "{told}");
        }
    }

    #[test]
    fn a_body_is_read_as_it_is() {
        let body = "\u{feff}{\"a\": [1.10, 1e3, -0.0, 123456789012345678901234], \"b\": {\"a\": null}, \"c\": true}";
        let read = read(body.as_bytes()).unwrap();
        assert_eq!(read["a"].to_string(), "[1.10,1e+3,-0.0,123456789012345678901234]");
    }
}
