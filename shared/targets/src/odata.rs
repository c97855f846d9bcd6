//! `OData` v4, as the Web API of Dataverse and Finance & Operations speak it.

use app::ports::RecordAddress;
use domain::{
    Failure, Record,
    map::{KeyPart, KeyType},
    side::{Connector, KeyStyle},
};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;

use crate::{
    path,
    plan::{Request, unwritable},
    rest,
};

const VERSION: HeaderName = HeaderName::from_static("odata-version");
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The name of the `ETag` in the body of an answer.
pub(crate) const ETAG: &str = "@odata.etag";

/// Adds the headers of the protocol. A write asks for the record in return (`wants_representation`) only if the side
/// wants the record as it is stored, or if the next write needs the new `ETag`: Dataverse sends that only with the
/// record, and this costs less than reading the record next time.
pub(crate) fn headers(request: &mut Request, wants_representation: bool) {
    let version = HeaderValue::from_static("4.0");
    request.headers.insert(VERSION, version.clone());
    request.headers.insert(MAX_VERSION, version);
    if request.method != Method::GET && request.method != Method::DELETE {
        let wanted = if wants_representation { "return=representation" } else { "return=minimal" };
        request.headers.insert(PREFER, HeaderValue::from_static(wanted));
    }
}

/// The key of a record in its URL.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyInUrl {
    /// The key predicate, which follows the entity set.
    pub(crate) predicate: String,
    /// The values of the predicate's aliases, as a query. Empty without aliases.
    pub(crate) query: String,
}

/// Builds the key predicate. A key of several parts always has their names. A quote is doubled *before* the text is
/// percent-encoded, because a server decodes first and then parses.
pub(crate) fn key(connector: &Connector, record: &RecordAddress) -> Result<KeyInUrl, Failure> {
    let style = connector.key_style();
    let encode = |text: &str| path::encode_key(connector.key_encoding, text);
    let parts = rest::key_parts(record)?;
    let (mut predicate, mut query) = (Vec::new(), Vec::new());
    for (place, KeyPart { field, kind, text }) in parts.iter().enumerate() {
        let value = match (kind, style) {
            (KeyType::Text, KeyStyle::Alias) => {
                query.push(format!("@k{place}={}", path::encode(&quoted(text))));
                format!("@k{place}")
            }
            (KeyType::Text, KeyStyle::Bare) if parts.len() == 1 => bare(text)?,
            (KeyType::Text, _) => format!("'{}'", encode(&text.replace('\'', "''"))),
            (KeyType::Number | KeyType::Guid, _) => encode(text),
        };
        let is_named = parts.len() > 1 || matches!(style, KeyStyle::Named | KeyStyle::Alias);
        predicate.push(if is_named { format!("{}={value}", path::encode(field)) } else { value });
    }
    Ok(KeyInUrl { predicate: format!("({})", predicate.join(",")), query: query.join("&") })
}

/// A text as an `OData` literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Checks a key without quotes: a server would take a `)` or `/` in it for syntax, even if it is encoded.
fn bare(key: &str) -> Result<String, Failure> {
    if key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:_+~".contains(&b)) {
        Ok(path::encode(key))
    } else {
        Err(unwritable("this side takes keys without quotes, so only numbers, GUIDs and the like"))
    }
}

/// Removes all annotations from a record, because they are not fields. Returns the `@odata.etag` among them.
pub(crate) fn take_annotations(record: &mut Record) -> Option<String> {
    let etag = match record.get(ETAG) {
        Some(Value::String(etag)) => Some(etag.clone()),
        _ => None,
    };
    record.retain(|name, _| !name.contains('@'));
    etag
}

/// Whether a lookup of a record refers to the record at `bound`, the path of an `@odata.bind`. A path with an alternate
/// key does not say which GUID the app returns.
pub(crate) fn refers_to(record: &Record, lookup: &str, bound: &Value) -> bool {
    let found = record.get(&format!("_{lookup}_value")).and_then(Value::as_str);
    let path = bound.as_str();
    let wanted = path.and_then(|path| path.split_once('(')?.1.strip_suffix(')'));
    match (path, found, wanted) {
        (None, found, _) => found.is_none() && bound.is_null(),
        (_, Some(found), Some(wanted)) => found.eq_ignore_ascii_case(wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(style: &str, encoding: &str, field: &str, text: &str, fixed: Value) -> Result<KeyInUrl, Failure> {
        let connector =
            json!({"kind": "odata", "base_url": "https://a/", "key_style": style, "key_encoding": encoding});
        let fixed_key = serde_json::from_value(fixed).unwrap();
        let (entity, key_field, key) = ("e".to_owned(), field.to_owned(), text.parse().unwrap());
        let key_types = serde_json::from_value(json!({"id": "guid", "line": "number", "gone": "guid"})).unwrap();
        let record = RecordAddress { entity, key_field, key_types, fixed_key, key };
        key_of(&serde_json::from_value(connector).unwrap(), &record)
    }

    fn key_of(connector: &Connector, record: &RecordAddress) -> Result<KeyInUrl, Failure> {
        super::key(connector, record)
    }

    #[test]
    fn keys_are_quoted_doubled_and_encoded() {
        for (style, text, wanted) in [
            ("quoted", "C-1", "('C-1')"),
            ("quoted", "a#b/c?d%e", "('a%23b%2Fc%3Fd%25e')"),
            ("quoted", "O'Neil \"x\"", "('O%27%27Neil%20%22x%22')"),
            ("quoted", "ü", "('%C3%BC')"),
            ("quoted", "..", "('..')"),
            ("named", "C'1", "(accountnumber='C%27%271')"),
            ("bare", "42", "(42)"),
            ("bare", "-7", "(-7)"),
            ("bare", "0f8fad5b-d9cb-469f-a165-70867728950e", "(0f8fad5b-d9cb-469f-a165-70867728950e)"),
        ] {
            let key = written(style, "once", "accountnumber", text, json!({})).unwrap();
            assert_eq!((&*key.predicate, &*key.query), (wanted, ""));
        }
        for wrong in ["1)/x(", "a b", "'1'", "1,b=2", "ü"] {
            assert!(written("bare", "once", "id", wrong, json!({})).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_parts_of_a_key_are_named_and_an_alias_takes_texts_out_of_the_path() {
        let company = || json!({"company": "a/1", "year": 2026});
        for (style, encoding, fixed, predicate, query) in [
            ("quoted", "once", company(), "(company='a%2F1',year=2026,no='O%27%27N%2F1')", ""),
            ("bare", "once", company(), "(company='a%2F1',year=2026,no='O%27%27N%2F1')", ""),
            ("quoted", "twice", company(), "(company='a%252F1',year=2026,no='O%2527%2527N%252F1')", ""),
            ("named", "twice", json!({}), "(no='O%2527%2527N%252F1')", ""),
            ("alias", "once", json!({}), "(no=@k0)", "@k0=%27O%27%27N%2F1%27"),
            ("alias", "once", company(), "(company=@k0,year=2026,no=@k2)", "@k0=%27a%2F1%27&@k2=%27O%27%27N%2F1%27"),
        ] {
            let key = written(style, encoding, "no", "O'N/1", fixed).unwrap();
            assert_eq!((&*key.predicate, &*key.query), (predicate, query), "{style} {encoding}");
        }
    }

    #[test]
    fn a_template_names_the_parts_and_numbers_and_guids_have_no_quotes() {
        const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let spelled = format!("us/1|{{{}}}|7", GUID.to_uppercase());
        for (style, field, text, predicate, query) in [
            ("quoted", "{no}|{id}|{line}", &*spelled, format!("(no='us%2F1',id={GUID},line=7)"), ""),
            ("alias", "{no}|{id}|{line}", &*spelled, format!("(no=@k0,id={GUID},line=7)"), "@k0=%27us%2F1%27"),
            ("quoted", "line", "7", "(7)".to_owned(), ""),
            ("named", "line", "7", "(line=7)".to_owned(), ""),
            ("quoted", "{company}|{no}", "us|a|b", "(company='us',no='a%7Cb')".to_owned(), ""),
        ] {
            let key = written(style, "once", field, text, json!({})).unwrap();
            assert_eq!((&*key.predicate, &*key.query), (&*predicate, query), "{style} {field}");
        }
        let fixed = written("quoted", "once", "{no}|{line}", "x|7", json!({"gone": GUID.to_uppercase()})).unwrap();
        assert_eq!(fixed.predicate, format!("(gone={GUID},no='x',line=7)"));
        for wrong in ["us", "us|", "us|x"] {
            assert!(written("quoted", "once", "{no}|{line}", wrong, json!({})).is_err(), "{wrong}");
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
            let Ok(_) = text.parse::<domain::RecordKey>() else { return Ok(()) };
            let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
            for (style, encoding) in [("quoted", "once"), ("named", "once"), ("quoted", "twice"), ("alias", "once")] {
                let key = written(style, encoding, "k", &text, json!({})).unwrap();
                prop_assert!(!key.predicate.contains(['/', '?', '#', ' ']) && !key.query.contains(['#', '+', '&', ' ']));
                let once = decode(if style == "alias" { key.query.strip_prefix("@k0=").unwrap() } else { &key.predicate });
                let decoded = if encoding == "twice" { decode(&once) } else { once };
                let inner = decoded.trim_start_matches("(k=").trim_start_matches('(').strip_prefix('\'').unwrap();
                let inner = inner.strip_suffix("')").or(inner.strip_suffix('\'')).unwrap();
                prop_assert!(!inner.replace("''", "").contains('\''));
                prop_assert_eq!(inner.replace("''", "'"), text.clone());
            }
        }
    }
}
