//! Lookups of Dataverse: a caller sets one as `primarycontactid@odata.bind` and reads it as `_primarycontactid_value`.

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::super::contacts;
use super::super::field::Kind;
use super::super::flavor::Flavor;
use super::super::record::Fields;
use super::address::contact;
use super::error::ODataError;
use super::key;

/// Replaces each binding in a change by the value that it sets.
pub(super) fn resolved(flavor: &Flavor, change: Fields) -> Result<Fields, ODataError> {
    let is_lookup = |name: &str| flavor.field(name).is_some_and(|field| matches!(field.kind, Kind::Contact));
    let mut fields = Fields::new();
    for (name, value) in change {
        match name.strip_suffix("@odata.bind").map(|lookup| format!("_{lookup}_value")) {
            Some(lookup) if is_lookup(&lookup) => drop(fields.insert(lookup, bound(&value)?)),
            Some(_) => return Err(payload(&format!("An undeclared property was found: {name}"))),
            None if is_lookup(&name) => return Err(payload(&format!("{name} cannot be written: bind the lookup"))),
            None => drop(fields.insert(name, value)),
        }
    }
    Ok(fields)
}

/// Finds the GUID of the contact that a path names. Null removes the reference.
fn bound(path: &Value) -> Result<Value, ODataError> {
    if path.is_null() {
        return Ok(Value::Null);
    }
    let unreadable = || payload("A binding must be the path of a contact");
    let decoded = percent_decode_str(path.as_str().ok_or_else(unreadable)?).decode_utf8().map_err(|_| unreadable())?;
    // Only the end of the path counts: it may begin with the address of the service.
    let at = decoded.find(contacts::ENTITY_SET).ok_or_else(unreadable)?;
    let inner = decoded[at + contacts::ENTITY_SET.len()..].strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let parts = key::parts(inner.ok_or_else(unreadable)?).map_err(payload)?;
    match contact(&parts)? {
        Some(contact) => Ok(json!(contact.id)),
        // Dataverse answers 404, as if the account itself did not exist.
        None => Err(ODataError::new(StatusCode::NOT_FOUND, "ContactNotFound", &format!("{decoded} Does Not Exist"))),
    }
}

fn payload(message: &str) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "MalformedBody", message)
}

#[cfg(test)]
mod tests {
    use super::super::super::flavor::FlavorName;
    use super::*;

    #[test]
    fn a_contact_is_bound_by_guid_or_alternate_key_and_null_removes_it() {
        let crm = FlavorName::Crm.flavor();
        let id = contacts::CONTACTS[1].id;
        let bind = |path: Value| {
            let change = json!({"name": "x", "primarycontactid@odata.bind": path});
            let fields = resolved(crm, change.as_object().unwrap().clone());
            fields.map(|fields| fields["_primarycontactid_value"].clone()).map_err(|error| error.status().as_u16())
        };
        for path in [
            format!("/contacts({id})"),
            format!("contacts({})", id.to_uppercase()),
            format!("https://contoso.example/api/data/v9.2/contacts({id})"),
            "/contacts(externaluseridentifier='CP-2')".to_owned(),
        ] {
            assert_eq!(bind(json!(path)), Ok(json!(id)), "{path}");
        }
        assert_eq!(bind(Value::Null), Ok(Value::Null));
        assert_eq!(bind(json!("/contacts(externaluseridentifier='CP-9')")), Err(404));
        for wrong in [json!(7), json!("/accounts(1)"), json!("/contacts"), json!("/contacts(1)(")] {
            assert_eq!(bind(wrong.clone()), Err(400), "{wrong}");
        }
    }

    #[test]
    fn the_value_of_a_lookup_is_not_written() {
        for change in [json!({"_primarycontactid_value": null}), json!({"parentaccountid@odata.bind": null})] {
            assert!(resolved(FlavorName::Crm.flavor(), change.as_object().unwrap().clone()).is_err(), "{change}");
        }
    }
}
