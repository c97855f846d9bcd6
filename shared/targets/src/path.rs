//! URLs of records. A key is always one path segment, whatever it contains.

use domain::{
    Failure,
    side::{Connector, ConnectorKind, KeyEncoding},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::plan::{not_callable, unwritable};

/// The characters to encode: all but the unreserved ones of RFC 3986, so that no character of a key means anything in a
/// URL.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes a key, or a part of it, for a path.
pub(crate) fn encode_key(encoding: KeyEncoding, text: &str) -> String {
    match encoding {
        KeyEncoding::Once => encode(text),
        KeyEncoding::Twice => encode(&encode(text)),
    }
}

/// The base URL of the side's entities. It ends with a slash.
pub(crate) fn base(connector: &Connector) -> Result<Url, Failure> {
    let url = Url::parse(&connector.base_url).map_err(|error| not_callable(&format!("base_url: {error}")))?;
    if url.path().ends_with('/') && url.query().is_none() && url.fragment().is_none() {
        Ok(url)
    } else {
        Err(not_callable("base_url must end with / and have no query"))
    }
}

/// The URL `{base}{entity}`. The entity is a name or a path of names.
pub(crate) fn entity(connector: &Connector, entity: &str) -> Result<Url, Failure> {
    under(&base(connector)?, &segments(entity)?)
}

/// Where the records of an entity are made or listed; `template` says where a REST app has them.
pub(crate) fn collection(connector: &Connector, entity: &str, template: &str) -> Result<Url, Failure> {
    match connector.protocol() {
        ConnectorKind::Odata => self::entity(connector, entity),
        ConnectorKind::Http => under(&base(connector)?, &template.replace("{entity}", &segments(entity)?)),
    }
}

/// Where a REST record with this encoded key is.
pub(crate) fn record(connector: &Connector, template: &str, entity: &str, key: &str) -> Result<Url, Failure> {
    // The entity first: the encoded key has no brace that could be taken for a placeholder, and neither has the entity.
    let path = template.replace("{entity}", &segments(entity)?).replace("{key}", key);
    under(&base(connector)?, &path)
}

/// Encodes a name or a path of names.
pub(crate) fn segments(entity: &str) -> Result<String, Failure> {
    Ok(entity.split('/').map(segment).collect::<Result<Vec<_>, _>>()?.join("/"))
}

/// Appends an encoded path to the base.
pub(crate) fn under(base: &Url, encoded: &str) -> Result<Url, Failure> {
    let mut url = base.clone();
    url.set_path(&format!("{}{encoded}", base.path()));
    Ok(url)
}

/// Encodes a key, or a part of it, as one segment of a path.
pub(crate) fn key_segment(encoding: KeyEncoding, text: &str) -> Result<String, Failure> {
    segment(text).map(|_| encode_key(encoding, text))
}

/// Encodes one segment of a path. Fails for `.` and `..`: URL parsers remove them, however they are encoded.
pub(crate) fn segment(text: &str) -> Result<String, Failure> {
    match text {
        "" | "." | ".." => Err(unwritable(&format!("`{text}` cannot stand in a URL path"))),
        _ => Ok(encode(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connector(base_url: &str) -> Connector {
        serde_json::from_value(serde_json::json!({"kind": "http", "base_url": base_url})).unwrap()
    }

    #[test]
    fn an_entity_is_found_below_the_base_and_nowhere_else() {
        let url = |name| entity(&connector("https://a.example/api/v1/"), name).map(String::from);
        assert_eq!(url("customers").unwrap(), "https://a.example/api/v1/customers");
        assert_eq!(url("sales/customers").unwrap(), "https://a.example/api/v1/sales/customers");
        assert_eq!(url("a?b#c").unwrap(), "https://a.example/api/v1/a%3Fb%23c");
        for wrong in ["", "/x", "a/../b", "..", "a/"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_base_without_slash_is_refused() {
        assert!(base(&connector("https://a.example/api")).is_err());
        assert!(base(&connector("no url")).is_err());
    }
}
