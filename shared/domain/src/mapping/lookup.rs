//! Lookups: fields of an `OData` app that refer to another record. They are written as `name@odata.bind`, a path, and read as
//! `_name_value`, a GUID.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Record;

/// What a lookup refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The entity set of the other record, e.g. `contacts`.
    pub entity: String,
    /// The alternate key by which it is named. Absent: by its GUID. What an app answers is always the GUID, so a lookup by an
    /// alternate key is written only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// The member that binds a lookup.
pub(super) fn bind_name(name: &str) -> String {
    format!("{name}@odata.bind")
}

/// The member that has a lookup's value.
pub(super) fn value_name(name: &str) -> String {
    format!("_{name}_value")
}

impl Lookup {
    /// What binds the other record; null removes the reference.
    pub(super) fn bind(&self, value: &Value) -> Result<Value, String> {
        let text = match value {
            Value::Null => return Ok(Value::Null),
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err("is not a key of another record".to_owned());
            }
        };
        let key = match &self.key {
            Some(name) => format!("{name}='{}'", text.replace('\'', "''")),
            None => guid(&text).ok_or("is not a GUID")?,
        };
        Ok(Value::String(format!("/{}({key})", self.entity)))
    }

    /// The value in a record of the app, or in one that binds it. Null: it refers to nothing.
    pub(super) fn value(&self, name: &str, record: &Record) -> Value {
        if let Some(bound) = record.get(&bind_name(name)) {
            let inside = bound.as_str().and_then(|path| path.split_once('(')?.1.strip_suffix(')'));
            return inside.map_or(Value::Null, |inside| guid(inside).unwrap_or_else(|| inside.to_owned()).into());
        }
        match record.get(&value_name(name)) {
            Some(Value::String(text)) => guid(text).map_or_else(|| Value::String(text.clone()), Value::String),
            Some(value) => value.clone(),
            None => Value::Null,
        }
    }
}

/// A GUID in its one form: lower case, without braces.
fn guid(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}').to_ascii_lowercase();
    let parts: Vec<_> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|b| b.is_ascii_hexdigit());
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    (lengths == [8, 4, 4, 4, 12] && parts.iter().all(is_hex)).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

    #[test]
    fn a_lookup_is_bound_by_guid_or_alternate_key_and_null_removes_it() {
        let by_guid = Lookup { entity: "contacts".to_owned(), key: None };
        assert_eq!(by_guid.bind(&json!(GUID)).unwrap(), format!("/contacts({GUID})"));
        assert_eq!(by_guid.bind(&json!(format!("{{{}}}", GUID.to_uppercase()))).unwrap(), format!("/contacts({GUID})"));
        assert_eq!(by_guid.bind(&Value::Null).unwrap(), Value::Null);
        for wrong in [json!("Kim"), json!(""), json!(true), json!({}), json!("0f8fad5b-d9cb-469f-a165-70867728950g")] {
            assert!(by_guid.bind(&wrong).is_err(), "{wrong}");
        }
        let by_key = Lookup { key: Some("accountnumber".to_owned()), ..by_guid };
        assert_eq!(by_key.bind(&json!("O'Neil")).unwrap(), "/contacts(accountnumber='O''Neil')");
        assert_eq!(by_key.bind(&json!(7)).unwrap(), "/contacts(accountnumber='7')");
    }

    #[test]
    fn the_value_of_a_lookup_is_the_same_as_written_and_as_reported() {
        let lookup = Lookup { entity: "contacts".to_owned(), key: None };
        let value = |record: Value| lookup.value("primarycontactid", record.as_object().unwrap());
        assert_eq!(value(json!({"primarycontactid@odata.bind": format!("/contacts({GUID})")})), GUID);
        assert_eq!(value(json!({"_primarycontactid_value": GUID.to_uppercase()})), GUID);
        for nothing in
            [json!({}), json!({"_primarycontactid_value": null}), json!({"primarycontactid@odata.bind": null})]
        {
            assert_eq!(value(nothing), Value::Null);
        }
    }
}
