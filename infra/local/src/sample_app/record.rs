//! A record's fields: merges a change into them, and checks the result.

use serde_json::{Map, Value};

use super::field::Refusal;
use super::flavor::Flavor;

/// All fields of a record except its key.
pub(super) type Fields = Map<String, Value>;

/// Longest record key, in bytes. It is also Tandem's limit.
pub(super) const KEY_BYTES_MAX: usize = 256;

/// A record in the database.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The fields, or `None` when the record does not exist or was deleted.
    pub(super) fields: Option<Fields>,
    /// Number of the record's changes. It goes on after a deletion, so that no version comes twice.
    pub(super) version: i64,
}

impl Row {
    /// The entity tag of this version.
    pub(super) fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

/// Fails if a record must not have this key.
pub(super) fn check_key(flavor: &Flavor, key: &str) -> Result<(), Refusal> {
    let problem = match key {
        "" => "must not be empty",
        _ if key.len() > KEY_BYTES_MAX => "must not be longer than 256 bytes",
        _ if key.chars().any(char::is_control) => "must not have control characters",
        _ => return Ok(()),
    };
    Err(Refusal::of("InvalidKey", flavor.key, format!("{} {problem}", flavor.key)))
}

/// The record after `change`. Fields of the change replace the current ones; a new record gets defaults for the rest.
pub(super) fn merge(flavor: &Flavor, key: &str, current: Option<&Fields>, change: &Fields) -> Result<Fields, Refusal> {
    let mut merged = current.cloned().unwrap_or_default();
    for (name, value) in change {
        if name.contains('@') {
            continue; // an OData annotation: a client may send back a record as it has read it
        }
        if name == flavor.key {
            check_same_key(flavor, key, value)?;
            continue;
        }
        if name == flavor.own.0 {
            check_own(flavor, value)?;
            continue;
        }
        let Some(field) = flavor.field(name) else {
            let message = format!("{} has no property '{name}'", flavor.entity_set);
            return Err(Refusal::of("UnknownProperty", name, message));
        };
        field.check(value)?;
        merged.insert(name.clone(), field.stored(value));
    }
    for field in flavor.fields {
        if merged.contains_key(field.name) {
            continue;
        }
        match field.default() {
            Some(value) => merged.insert(field.name.to_owned(), value),
            None => {
                let message = format!("{} must not be empty", field.label);
                return Err(Refusal::of("FieldRequired", field.name, message));
            }
        };
    }
    Ok(merged)
}

fn check_same_key(flavor: &Flavor, key: &str, value: &Value) -> Result<(), Refusal> {
    match value.as_str() == Some(key) {
        true => Ok(()),
        false => {
            Err(Refusal::of("KeyMismatch", flavor.key, format!("{} differs from the key in the address", flavor.key)))
        }
    }
}

/// Fails if a change sets the app's own property to another value: the company is fixed, and the app chooses the GUID.
fn check_own(flavor: &Flavor, value: &Value) -> Result<(), Refusal> {
    let (name, fixed) = flavor.own;
    match fixed.is_none_or(|fixed| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(fixed))) {
        true => Ok(()),
        false => Err(Refusal::of("KeyMismatch", name, format!("{name} differs from the one in the address"))),
    }
}

/// The fields as an app that tidies stores them.
pub(super) fn tidied(flavor: &Flavor, fields: &Fields) -> Fields {
    let tidied = |(name, value): (&String, &Value)| {
        (name.clone(), flavor.field(name).map_or_else(|| value.clone(), |field| field.tidied(value)))
    };
    fields.iter().map(tidied).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::flavor::FlavorName;
    use super::*;

    fn fields(value: Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    fn refused(flavor: FlavorName, change: Value) -> &'static str {
        merge(flavor.flavor(), "C-1", None, &fields(change)).unwrap_err().code
    }

    #[test]
    fn a_new_record_gets_defaults_and_an_old_one_keeps_what_is_not_changed() {
        let crm = FlavorName::Crm.flavor();
        let new = merge(crm, "C-1", None, &fields(json!({"name": "Contoso"}))).unwrap();
        let expected = json!({
            "name": "Contoso", "creditlimit": 0, "customertypecode": 3, "telephone1": null, "creditonhold": false,
            "_primarycontactid_value": null, "new_creditlimitexpires": null
        });
        assert_eq!(new, fields(expected));
        let changed = merge(crm, "C-1", Some(&new), &fields(json!({"creditlimit": 12.5}))).unwrap();
        assert_eq!((&changed["name"], &changed["creditlimit"]), (&json!("Contoso"), &json!(12.5)));
    }

    #[test]
    fn every_rule_has_its_code() {
        use FlavorName::{Crm, Finance};
        let long = "ä".repeat(101);
        for (flavor, change, code) in [
            (Finance, json!({}), "FieldRequired"),
            (Finance, json!({"OrganizationName": "  "}), "FieldRequired"),
            (Finance, json!({"OrganizationName": null}), "FieldRequired"),
            (Finance, json!({"OrganizationName": long}), "ValueTooLong"),
            (Finance, json!({"OrganizationName": 7}), "WrongType"),
            (Finance, json!({"CreditLimit": "7"}), "WrongType"),
            (Finance, json!({"CreditLimit": null}), "WrongType"),
            (Finance, json!({"CreditLimit": -0.01}), "ValueOutOfRange"),
            (Finance, json!({"CustomerGroupId": "50"}), "InvalidChoice"),
            (Finance, json!({"OnHold": true}), "WrongType"),
            (Finance, json!({"Shoe": 7}), "UnknownProperty"),
            (Finance, json!({"CustomerAccount": "C-2"}), "KeyMismatch"),
            (Finance, json!({"dataAreaId": "dat"}), "KeyMismatch"),
            (Finance, json!({"CreditLimitExpirationDate": "soon"}), "WrongType"),
            (Crm, json!({"customertypecode": 4}), "InvalidChoice"),
            (Crm, json!({"customertypecode": "3"}), "WrongType"),
            (Crm, json!({"_primarycontactid_value": "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a09"}), "ContactNotFound"),
            (Crm, json!({"creditlimit": 1_000_000.01}), "CreditLimitExceeded"),
            (Crm, json!({"creditonhold": "Yes"}), "WrongType"),
        ] {
            assert_eq!(refused(flavor, change.clone()), code, "{change}");
        }
    }

    #[test]
    fn limits_are_inclusive_and_counted_in_characters() {
        let finance = FlavorName::Finance.flavor();
        let change = fields(json!({"OrganizationName": "ä".repeat(100), "CreditLimit": 2_000_000}));
        assert!(merge(finance, "C-1", None, &change).is_ok());
        let crm = FlavorName::Crm.flavor();
        assert!(merge(crm, "C-1", None, &fields(json!({"name": "x", "creditlimit": 1_000_000}))).is_ok());
    }

    #[test]
    fn keys_are_bounded_in_bytes() {
        let crm = FlavorName::Crm.flavor();
        assert!(check_key(crm, &"k".repeat(256)).is_ok());
        for bad in ["", "a\nb", &"k".repeat(257)] {
            assert_eq!(check_key(crm, bad).unwrap_err().code, "InvalidKey");
        }
    }
}
