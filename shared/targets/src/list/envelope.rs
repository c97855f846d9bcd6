//! The answer around the rows of a page. This module parses only what is around the rows: so a row that cannot be read
//! does not spoil the others, and no row is in memory twice.

use std::collections::BTreeMap;

use serde_json::{Value, value::RawValue};

use crate::answer::{denies, shape, telling_members};

/// An answer, parsed only as far as necessary.
#[derive(Debug)]
pub(super) enum Envelope<'a> {
    List(Vec<&'a RawValue>),
    Object(BTreeMap<String, &'a RawValue>),
}

impl<'a> Envelope<'a> {
    /// Parses what is around the rows. The error is a sentence about the answer.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let not_json = |error: serde_json::Error| format!("the answer is not JSON: {}", shape(&error));
        match text.trim_start().chars().next() {
            Some('[') => serde_json::from_str(text).map(Self::List).map_err(not_json),
            Some('{') => serde_json::from_str(text).map(Self::Object).map_err(not_json),
            Some(_) => Err("the answer is no list of records".to_owned()),
            None => Err("the answer is empty".to_owned()),
        }
    }

    /// Whether the answer says that the call failed.
    pub(super) fn denies(&self) -> bool {
        let Self::Object(members) = self else { return false };
        let told = telling_members().filter_map(|name| Some((name.to_owned(), value(members.get(name)?.get())?)));
        denies(&Value::Object(told.collect()))
    }

    /// The member with this name, if it is there and not null.
    pub(super) fn member(&self, name: &str) -> Option<Value> {
        let Self::Object(members) = self else { return None };
        value(members.get(name)?.get()).filter(|value| !value.is_null())
    }

    /// The items of the member with this name, if it is a list.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        let Self::Object(members) = self else { return None };
        items(members.get(name)?.get())
    }

    /// The value at a JSON pointer, if it is there and not null.
    pub(super) fn at(&self, pointer: &str) -> Option<Value> {
        value(self.find(pointer)?).filter(|value| !value.is_null())
    }

    /// The items of the value at a JSON pointer, if it is a list.
    pub(super) fn list_at(&self, pointer: &str) -> Option<Vec<&'a str>> {
        match self {
            Self::List(rows) if pointer.is_empty() => Some(rows.iter().map(|row| row.get()).collect()),
            _ => items(self.find(pointer)?),
        }
    }

    fn find(&self, pointer: &str) -> Option<&'a str> {
        let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
        let first = parts.next()?;
        let start = match self {
            Self::List(rows) => rows.get(first.parse::<usize>().ok()?)?,
            Self::Object(members) => members.get(&first)?,
        };
        parts.try_fold(start.get(), |text, part| {
            Some(match Self::parse(text).ok()? {
                Self::List(rows) => rows.get(part.parse::<usize>().ok()?)?.get(),
                Self::Object(members) => members.get(&part)?.get(),
            })
        })
    }
}

fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn items(text: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_found_by_pointer_and_the_rows_stay_text() {
        let text = r#" {"data": {"it/ems": [{"n": 1.10}, 2], "next": null}, "total": "7"} "#;
        let envelope = Envelope::parse(text).unwrap();
        assert_eq!(envelope.list_at("/data/it~1ems").unwrap(), [r#"{"n": 1.10}"#, "2"]);
        assert_eq!(envelope.at("/data/it~1ems/1"), Some(json!(2)));
        assert_eq!((envelope.at("/data/next"), envelope.at("/none/x"), envelope.at("")), (None, None, None));
        assert_eq!((envelope.member("total"), envelope.list("total")), (Some(json!("7")), None));
        let list = Envelope::parse(r#"[{"a": [1]}]"#).unwrap();
        assert_eq!((list.list_at("").unwrap().len(), list.list_at("/0/a").unwrap()), (1, vec!["1"]));
        for wrong in ["", "1", "\"x\"", "{\"a\": [}", "[1", "{} x", "<html>"] {
            assert!(Envelope::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_may_say_that_it_failed() {
        for (text, denies) in [
            (r#"{"error": {"code": 1}, "value": []}"#, true),
            (r#"{"success": false}"#, true),
            (r#"{"Success": false, "value": []}"#, true),
            (r#"{"@odata.context": "x", "Success": false, "value": []}"#, false),
            (r#"{"errors": [], "error": null, "value": []}"#, false),
            ("[]", false),
        ] {
            assert_eq!(Envelope::parse(text).unwrap().denies(), denies, "{text}");
        }
    }
}
