//! Paths: `/data/CustomersV3(dataAreaId='usmf',CustomerAccount='C-1')`, `/api/data/v9.2/accounts(accountnumber='C-1')`.

use axum::http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::super::contacts::{self, Contact};
use super::super::flavor::{COMPANY, Dialect, Flavor};
use super::super::store;
use super::error::ODataError;
use super::key::{self, Literal, Part};

/// The characters that are percent-encoded in a path segment: all but the unreserved ones of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The resource that a call names.
#[derive(Debug, PartialEq)]
pub(super) enum Address {
    /// The list of entity sets.
    Service,
    /// The set of all records.
    Set,
    /// The record with this key.
    Entity(String),
    /// The record with this GUID, which the app has assigned.
    ById(String),
    /// The record with this key in a company that the caller does not see or that does not exist.
    Elsewhere(String),
    /// All contacts.
    Contacts,
    /// The contact with this GUID, if there is one.
    Contact(Option<&'static str>),
}

impl Address {
    /// Parses a path that is still encoded. Everything between the outer parentheses is the key, even a raw `/`.
    ///
    /// The user of the data API belongs to the company `dat`, which has no records, as application users of Finance &
    /// Operations do. Without `cross-company=true` (`sees_all`) it therefore sees none.
    pub(super) fn parse(flavor: &Flavor, path: &str, sees_all: bool) -> Result<Self, ODataError> {
        let not_found =
            || ODataError::new(StatusCode::NOT_FOUND, "ResourceNotFound", "There is no resource at this path");
        let rest = path.strip_prefix(flavor.service).ok_or_else(not_found)?;
        if matches!(rest, "" | "/") {
            return Ok(Self::Service);
        }
        let rest = rest.strip_prefix('/').ok_or_else(not_found)?;
        let (rest, is_contact) = match rest.strip_prefix(flavor.entity_set) {
            Some(rest) => (rest, false),
            None if flavor.dialect == Dialect::Dataverse => {
                (rest.strip_prefix(contacts::ENTITY_SET).ok_or_else(not_found)?, true)
            }
            None => return Err(not_found()),
        };
        match rest.chars().next() {
            None if is_contact => return Ok(Self::Contacts),
            None => return Ok(Self::Set),
            Some('(' | '%') => {}
            Some(_) => return Err(not_found()),
        }
        let decoded = percent_decode_str(rest).decode_utf8().map_err(|_| bad("The key is not UTF-8"))?;
        let inner = decoded.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).ok_or_else(not_found)?;
        let parts = key::parts(inner).map_err(bad)?;
        match (flavor.dialect, is_contact) {
            (_, true) => Ok(Self::Contact(contact(&parts)?.map(|contact| contact.id))),
            (Dialect::Dataverse, false) => account(flavor, &parts),
            (Dialect::FinanceOperations, false) => customer(flavor, &parts, sees_all),
        }
    }

    /// Replaces the GUID of a record by its key, if there is such a record.
    pub(super) fn resolved(self, db: &rusqlite::Connection) -> rusqlite::Result<Self> {
        Ok(match self {
            Self::ById(id) => match store::key_of(db, &id)? {
                Some(key) => Self::Entity(key),
                None => Self::ById(id),
            },
            other => other,
        })
    }

    /// The key of the record that this address names, if it names one.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Entity(key) | Self::Elsewhere(key) => Some(key.clone()),
            Self::Service | Self::Set | Self::ById(_) | Self::Contacts | Self::Contact(_) => None,
        }
    }
}

/// Finds the contact that a key names, if there is one.
pub(super) fn contact(parts: &[Part]) -> Result<Option<&'static Contact>, ODataError> {
    match parts {
        [Part { name: None, value: Literal::Bare(id) }] => Ok(contacts::by_id(id)),
        [Part { name: Some(name), value: Literal::Bare(id) }] if name == contacts::ID => Ok(contacts::by_id(id)),
        [Part { name: Some(name), value: Literal::Text(number) }] if name == contacts::NUMBER => {
            Ok(contacts::by_number(number))
        }
        _ => Err(bad("A contact has the key contactid, a GUID, and the alternate key externaluseridentifier")),
    }
}

fn account(flavor: &Flavor, parts: &[Part]) -> Result<Address, ODataError> {
    let by_id = |id: &str| Ok(Address::ById(id.to_ascii_lowercase()));
    match parts {
        [Part { name: Some(name), value: Literal::Text(key) }] if name == flavor.key => {
            Ok(Address::Entity(key.clone()))
        }
        [Part { name: None, value: Literal::Bare(id) }] if is_guid(id) => by_id(id),
        [Part { name: Some(name), value: Literal::Bare(id) }] if name == flavor.own.0 && is_guid(id) => by_id(id),
        _ => Err(bad("An account has the key accountid, a GUID, and the alternate key accountnumber")),
    }
}

fn customer(flavor: &Flavor, parts: &[Part], sees_all: bool) -> Result<Address, ODataError> {
    let text = |wanted: &str| {
        parts.iter().find_map(|part| match (&part.name, &part.value) {
            (Some(name), Literal::Text(text)) if name == wanted => Some(text.clone()),
            _ => None,
        })
    };
    match (parts.len(), text(flavor.own.0), text(flavor.key)) {
        (2, Some(company), Some(key)) if sees_all && company.eq_ignore_ascii_case(COMPANY) => Ok(Address::Entity(key)),
        (2, Some(_), Some(key)) => Ok(Address::Elsewhere(key)),
        _ => Err(bad("The key consists of dataAreaId and CustomerAccount; both must be named")),
    }
}

fn bad(why: &str) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "BadKey", why)
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

#[cfg(test)]
/// The path of one record within the service.
pub(in super::super) fn entity_path(flavor: &Flavor, key: &str) -> String {
    keyed(flavor.service, flavor, key)
}

/// The address by which the app itself names a record: Dataverse uses its GUID.
pub(super) fn entity_id(base: &str, flavor: &Flavor, key: &str) -> String {
    match flavor.dialect {
        Dialect::FinanceOperations => keyed(base, flavor, key),
        Dialect::Dataverse => format!("{base}/{}({})", flavor.entity_set, store::id_of(key)),
    }
}

fn keyed(base: &str, flavor: &Flavor, key: &str) -> String {
    let key = format!("{}='{}'", flavor.key, encode(&key.replace('\'', "''")));
    let company = flavor.own.1.map(|company| format!("{}='{company}',", flavor.own.0)).unwrap_or_default();
    format!("{base}/{}({company}{key})", flavor.entity_set)
}

/// Percent-encodes text for any part of an address.
pub(in super::super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests;
