//! `OData` v4, as Dataverse's Web API and Finance & Operations speak it.

use app::ports::RecordAddress;
use domain::{Failure, Record, side::KeyStyle};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{
    path::encode,
    plan::{Request, unwritable},
};

const VERSION: HeaderName = HeaderName::from_static("odata-version");
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The name of the `ETag` in an answer's body.
pub(crate) const ETAG: &str = "@odata.etag";

/// The protocol's headers. An upsert asks for no body in return, unless its new `ETag` is needed for the next write:
/// Dataverse sends it only in the representation, and the answer costs less than reading the record next time.
pub(crate) fn headers(request: &mut Request, wants_etag: bool) {
    let version = HeaderValue::from_static("4.0");
    request.headers.insert(VERSION, version.clone());
    request.headers.insert(MAX_VERSION, version);
    if request.method != Method::GET && request.method != Method::DELETE {
        let wanted = if wants_etag { "return=representation" } else { "return=minimal" };
        request.headers.insert(PREFER, HeaderValue::from_static(wanted));
    }
}

/// The key predicate. A quote is doubled *before* the whole is percent-encoded: a server decodes first, then parses.
pub(crate) fn key(style: KeyStyle, field: &str, key: &str) -> Result<String, Failure> {
    let quoted = || format!("'{}'", encode(&key.replace('\'', "''")));
    match style {
        KeyStyle::Quoted => Ok(format!("({})", quoted())),
        KeyStyle::Named => Ok(format!("({}={})", encode(field), quoted())),
        // Unquoted, a `)` or `/` would be read as syntax even when encoded.
        KeyStyle::Bare if key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:_+~".contains(&b)) => {
            Ok(format!("({})", encode(key)))
        }
        KeyStyle::Bare => Err(unwritable("this side takes keys without quotes, so only numbers, GUIDs and the like")),
    }
}

/// The key predicate of a composite key, with every part named.
pub(crate) fn compound_key(record: &RecordAddress) -> String {
    let quoted = |text: &str| format!("'{}'", encode(&text.replace('\'', "''")));
    let literal = |value: &Value| match value {
        Value::String(text) => quoted(text),
        other => encode(&other.to_string()),
    };
    let fixed = record.fixed_key.iter().map(|(name, value)| format!("{}={}", encode(name), literal(value)));
    let own = format!("{}={}", encode(&record.key_field), quoted(record.key.as_str()));
    format!("({})", fixed.chain([own]).collect::<Vec<_>>().join(","))
}

/// Takes `@odata.etag` and all other annotations out of a record; they are not fields.
pub(crate) fn take_annotations(record: &mut Record) -> Option<String> {
    let etag = match record.get(ETAG) {
        Some(Value::String(etag)) => Some(etag.clone()),
        _ => None,
    };
    record.retain(|name, _| !name.contains('@'));
    etag
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_quoted_doubled_and_encoded() {
        for (style, text, wanted) in [
            (KeyStyle::Quoted, "C-1", "('C-1')"),
            (KeyStyle::Quoted, "a#b/c?d%e", "('a%23b%2Fc%3Fd%25e')"),
            (KeyStyle::Quoted, "O'Neil \"x\"", "('O%27%27Neil%20%22x%22')"),
            (KeyStyle::Quoted, "ü", "('%C3%BC')"),
            (KeyStyle::Quoted, "..", "('..')"),
            (KeyStyle::Named, "C'1", "(accountnumber='C%27%271')"),
            (KeyStyle::Bare, "42", "(42)"),
            (KeyStyle::Bare, "-7", "(-7)"),
            (KeyStyle::Bare, "0f8fad5b-d9cb-469f-a165-70867728950e", "(0f8fad5b-d9cb-469f-a165-70867728950e)"),
        ] {
            assert_eq!(key(style, "accountnumber", text).unwrap(), wanted);
        }
        for wrong in ["1)/x(", "a b", "'1'", "1,b=2", "ü"] {
            assert!(key(KeyStyle::Bare, "id", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn annotations_are_no_fields() {
        let mut record = json!({"@odata.context": "x", "@odata.etag": "W/\"1\"", "a": 1, "a@odata.type": "#Int32"});
        let record = record.as_object_mut().unwrap();
        assert_eq!(take_annotations(record).as_deref(), Some("W/\"1\""));
        assert_eq!(record, json!({"a": 1}).as_object().unwrap());
    }

    proptest! {
        #[test]
        fn a_server_that_decodes_then_parses_gets_the_same_key(text in "\\PC{1,64}") {
            for style in [KeyStyle::Quoted, KeyStyle::Named] {
                let segment = key(style, "k", &text).unwrap();
                prop_assert!(!segment.contains(['/', '?', '#', ' ']));
                let decoded = percent_decode_str(&segment).decode_utf8().unwrap().into_owned();
                let inner = decoded.strip_prefix("('").or(decoded.strip_prefix("(k='")).unwrap();
                let inner = inner.strip_suffix("')").unwrap();
                prop_assert!(!inner.replace("''", "").contains('\''));
                prop_assert_eq!(inner.replace("''", "'"), text.clone());
            }
        }
    }
}
