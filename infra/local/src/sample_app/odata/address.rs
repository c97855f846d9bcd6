//! Addresses: `/data/CustomersV3('C-1001')`, with any key.

use axum::http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::super::flavor::Flavor;
use super::error::ODataError;

/// What may stand for itself in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where a call goes.
#[derive(Debug, PartialEq)]
pub(super) enum Address {
    /// The list of entity sets.
    Service,
    /// All records.
    Set,
    /// One record.
    Entity(String),
}

impl Address {
    /// Takes an undecoded path apart. Whatever stands between the outer quotes is the key, a raw `/` too.
    pub(super) fn parse(flavor: &Flavor, path: &str) -> Result<Self, ODataError> {
        let not_found = || ODataError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "There is nothing here");
        let rest = path.strip_prefix(flavor.service).ok_or_else(not_found)?;
        if matches!(rest, "" | "/") {
            return Ok(Self::Service);
        }
        let rest =
            rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(flavor.entity_set)).ok_or_else(not_found)?;
        match rest.chars().next() {
            None => return Ok(Self::Set),
            Some('(' | '%') => {}
            Some(_) => return Err(not_found()),
        }
        let bad = |why: &str| ODataError::new(StatusCode::BAD_REQUEST, "BadKey", why);
        let decoded = percent_decode_str(rest).decode_utf8().map_err(|_| bad("The key is not UTF-8"))?;
        let inner = decoded.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(not_found)?;
        let named = inner.strip_prefix(flavor.key).and_then(|rest| rest.strip_prefix('='));
        let quoted = named.unwrap_or(inner);
        let key = quoted
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''))
            .ok_or_else(|| bad("The key must stand between single quotes"))?;
        if key.replace("''", "").contains('\'') {
            return Err(bad("A quote within a key must be doubled"));
        }
        Ok(Self::Entity(key.replace("''", "'")))
    }

    /// The record's key, if it is the address of one.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Entity(key) => Some(key.clone()),
            Self::Service | Self::Set => None,
        }
    }
}

#[cfg(test)]
/// The path of one record within the service.
pub(in super::super) fn entity_path(flavor: &Flavor, key: &str) -> String {
    entity_id(flavor.service, flavor, key)
}

/// The address of one record.
pub(super) fn entity_id(base: &str, flavor: &Flavor, key: &str) -> String {
    let doubled = key.replace('\'', "''");
    format!("{base}/{}('{}')", flavor.entity_set, encode(&doubled))
}

/// Text as it may stand in any part of an address.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::super::flavor::FlavorName;
    use super::*;

    fn parse(path: &str) -> Result<Address, u16> {
        Address::parse(FlavorName::Finance.flavor(), path).map_err(|error| error.status().as_u16())
    }

    #[test]
    fn a_key_may_hold_anything() {
        for (path, key) in [
            ("('C-1')", "C-1"),
            ("(CustomerAccount='C-1')", "C-1"),
            ("('O''Neil')", "O'Neil"),
            ("(%27O%27%27Neil%27)", "O'Neil"),
            ("%28%27C-1%27%29", "C-1"),
            ("('a/b')", "a/b"),
            ("('a%2Fb%23c%3Fd%25')", "a/b#c?d%"),
            ("('%C3%84%F0%9F%98%80')", "Ä😀"),
            ("('a+b%20c')", "a+b c"),
            ("('')", ""),
            ("('''')", "'"),
            ("(')(')", ")("),
        ] {
            assert_eq!(parse(&format!("/data/CustomersV3{path}")), Ok(Address::Entity(key.to_owned())), "{path}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for (path, status) in [
            ("/data/CustomersV3(C-1)", 400),
            ("/data/CustomersV3(''')", 400),
            ("/data/CustomersV3('O'Neil')", 400),
            ("/data/CustomersV3('%FF')", 400),
            ("/data/CustomersV3('C-1'", 404),
            ("/data/CustomersV3/C-1", 404),
            ("/data/CustomersV3X", 404),
            ("/data/accounts", 404),
            ("/other", 404),
        ] {
            assert_eq!(parse(path), Err(status), "{path}");
        }
        assert_eq!(parse("/data/"), Ok(Address::Service));
        assert_eq!(parse("/data/CustomersV3"), Ok(Address::Set));
    }

    #[test]
    fn the_address_of_a_record_leads_back_to_its_key() {
        let finance = FlavorName::Finance.flavor();
        for key in ["C-1", "'", "a/b#c?d%e f+g", "Ä😀", "''x''"] {
            let id = entity_id("/data", finance, key);
            assert!(id.is_ascii());
            assert_eq!(parse(&id), Ok(Address::Entity(key.to_owned())), "{id}");
        }
    }
}
