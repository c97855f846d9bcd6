//! Lookups: fields of an `OData` app that refer to another record. They are written as `name@odata.bind`, a path, and read as
//! `_name_value`, a GUID.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    map::{KeyPart, KeyTemplate, KeyType},
    record::Record,
};

/// What a lookup refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The entity set of the other record, e.g. `contacts`.
    pub entity: String,
    /// The alternate key by which it is named: a field, or a template of fields as in `key_field`. Absent: by its GUID. What an app answers is always the GUID, so a lookup by an
    /// alternate key is written only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Fields of that key that are no text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub key_types: BTreeMap<String, KeyType>,
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
            Some(fields) => {
                let written = |part: KeyPart| match part.kind {
                    KeyType::Text => format!("{}='{}'", part.field, part.text.replace('\'', "''")),
                    KeyType::Number | KeyType::Guid => format!("{}={}", part.field, part.text),
                };
                let parts = KeyTemplate::of(fields).parts(&self.key_types, &text)?;
                parts.into_iter().map(written).collect::<Vec<_>>().join(",")
            }
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
        let by_guid = Lookup { entity: "contacts".to_owned(), key: None, key_types: BTreeMap::new() };
        assert_eq!(by_guid.bind(&json!(GUID)).unwrap(), format!("/contacts({GUID})"));
        assert_eq!(by_guid.bind(&json!(format!("{{{}}}", GUID.to_uppercase()))).unwrap(), format!("/contacts({GUID})"));
        assert_eq!(by_guid.bind(&Value::Null).unwrap(), Value::Null);
        for wrong in [json!("Kim"), json!(""), json!(true), json!({}), json!("0f8fad5b-d9cb-469f-a165-70867728950g")] {
            assert!(by_guid.bind(&wrong).is_err(), "{wrong}");
        }
        let by_key = Lookup { key: Some("accountnumber".to_owned()), ..by_guid };
        assert_eq!(by_key.bind(&json!("O'Neil")).unwrap(), "/contacts(accountnumber='O''Neil')");
        assert_eq!(by_key.bind(&json!(7)).unwrap(), "/contacts(accountnumber='7')");
        let key_types = [("no".to_owned(), KeyType::Number)].into();
        let by_parts = Lookup { key: Some("{company}|{no}".to_owned()), key_types, ..by_key };
        assert_eq!(by_parts.bind(&json!("O'N|7")).unwrap(), "/contacts(company='O''N',no=7)");
        assert!(by_parts.bind(&json!("us|x")).unwrap_err().contains("no that is not a whole number"));
        assert!(by_parts.bind(&json!("us")).unwrap_err().contains("company"));
    }

    #[test]
    fn the_value_of_a_lookup_is_the_same_as_written_and_as_reported() {
        let lookup = Lookup { entity: "contacts".to_owned(), key: None, key_types: BTreeMap::new() };
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
