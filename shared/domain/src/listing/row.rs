//! The rows of a list: what becomes of what an app answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Listing;
use crate::{
    id::RecordKey,
    limits::{MAX_BODY_BYTES, MAX_RAW_ROW_BYTES},
    map::KeyTemplate,
    record::{Record, find_too_deep, number},
    redact::REDACTED,
};

/// One row of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum PageRow {
    /// A record.
    Record(ListedRecord),
    /// Something that cannot be a record of the map.
    Unusable(UnusableRow),
}

/// A record of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedRecord {
    /// Its key, as the map's key rule has it: the same as that of its reports.
    pub key: RecordKey,
    /// How the app spells the key, if it is another spelling.
    pub spelling: Option<String>,
    /// Its fields, by the app's names; without those of its key.
    pub record: Record,
    /// Its `ETag`, if the app tells it.
    pub etag: Option<String>,
}

/// A row that cannot be a record of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableRow {
    /// Why.
    pub why: Unusable,
    /// The beginning of what the app answered, as far as the map has to do with it. Values that are shown to nobody are not in it.
    pub raw: String,
    /// Its key, if it has one.
    pub key: Option<RecordKey>,
}

/// Why a row cannot be a record of the map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Unusable {
    /// It is no JSON object.
    NotAnObject,
    /// It is an object that cannot be read: nested too deep for any reader, or with a broken character.
    NotReadable,
    /// It lacks the key field.
    KeyMissing,
    /// Its key field is null or empty.
    KeyEmpty,
    /// Its key is neither a text nor a whole number.
    KeyOfWrongType,
    /// Its key cannot be a record key; a sentence says why.
    KeyUnfit {
        /// E.g. `has 300 bytes; a record key has at most 256`.
        says: String,
    },
    /// It is larger than a record may be.
    TooLarge {
        /// Its size, in bytes.
        bytes: usize,
    },
    /// A field nests lists and objects too deep.
    TooDeep {
        /// The field.
        field: String,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the row is no JSON object"),
            Self::NotReadable => f.write_str("the row cannot be read as JSON"),
            Self::KeyMissing => f.write_str("the row has no key field"),
            Self::KeyEmpty => f.write_str("the row has no key"),
            Self::KeyOfWrongType => f.write_str("the key is neither a text nor a whole number"),
            Self::KeyUnfit { says } => write!(f, "the key {says}"),
            Self::TooLarge { bytes } => write!(f, "the row has {bytes} bytes; a record has at most {MAX_BODY_BYTES}"),
            Self::TooDeep { field } => write!(f, "the field {field} is nested too deep"),
        }
    }
}

impl Listing {
    /// What a row is, from its JSON text. `take_annotations` takes out of a record what is no field of it, and tells its `ETag`.
    /// `None`: a record of another map, by the fixed parts of its key.
    pub fn read_row(
        &self,
        text: &str,
        take_annotations: impl FnOnce(&mut Record) -> Option<String>,
    ) -> Option<PageRow> {
        let unusable = |why, raw: &str, key| Some(PageRow::Unusable(UnusableRow { why, raw: beginning(raw), key }));
        let unread = if self.hidden.is_empty() { text } else { REDACTED };
        if !text.trim_start().starts_with('{') {
            return unusable(Unusable::NotAnObject, unread, None);
        }
        let Ok(Value::Object(mut record)) = serde_json::from_str(text) else {
            return unusable(Unusable::NotReadable, unread, None);
        };
        let etag = take_annotations(&mut record);
        if self.fixed_key.iter().any(|(name, fixed)| record.get(name).is_some_and(|own| !is_same_part(own, fixed))) {
            return None;
        }
        let key = self.key_of(&record);
        let size = if self.fields.is_empty() { text.len() } else { self.size_of(&record) };
        let wrong = match (&key, find_too_deep(&record)) {
            (Err(why), _) => Some(why.clone()),
            (Ok(_), _) if size > MAX_BODY_BYTES => Some(Unusable::TooLarge { bytes: size }),
            (Ok(_), Some(field)) => Some(Unusable::TooDeep { field: field.to_owned() }),
            (Ok(_), None) => None,
        };
        let (key, wrong) = match (key, wrong) {
            (Ok((key, spelling)), None) => {
                record.retain(|name, _| !self.is_key(name));
                return Some(PageRow::Record(ListedRecord { key, spelling, record, etag }));
            }
            (key, wrong) => (key.ok().map(|(key, _)| key), wrong.unwrap_or(Unusable::NotReadable)),
        };
        unusable(wrong, &self.shown(record), key)
    }

    /// The record key, and how the app spells it if that is another spelling.
    fn key_of(&self, record: &Record) -> Result<(RecordKey, Option<String>), Unusable> {
        let template = KeyTemplate::of(&self.key_field);
        let parts: Vec<String> =
            template.fields.iter().map(|field| part_of(record, field)).collect::<Result<_, _>>()?;
        let unfit = |says| Unusable::KeyUnfit { says };
        let text = template.join(&parts).map_err(unfit)?;
        let own: RecordKey = text.parse().map_err(unfit)?;
        let key = self.key_form.canonical(&own).map_err(unfit)?;
        let spelling = (key != own).then_some(text);
        Ok((key, spelling))
    }

    /// What a record needs of the fields that are asked for, in bytes: an app may answer more.
    fn size_of(&self, record: &Record) -> usize {
        let member = |(name, value): (&String, &Value)| name.len() + value.to_string().len() + 4;
        record.iter().filter(|(name, _)| self.is_needed(name)).map(member).sum()
    }

    fn is_needed(&self, name: &str) -> bool {
        self.is_key(name) || self.fields.is_empty() || self.fields.iter().any(|field| field == name)
    }

    fn is_key(&self, name: &str) -> bool {
        self.fixed_key.contains_key(name) || self.key_fields().contains(&name)
    }

    /// A record as it may be shown.
    fn shown(&self, mut record: Record) -> String {
        record.retain(|name, _| self.is_needed(name));
        for (name, value) in &mut record {
            if self.hidden.iter().any(|hidden| hidden == name) && !value.is_null() {
                *value = REDACTED.into();
            }
        }
        Value::Object(record).to_string()
    }
}

/// A field of a key, as text.
fn part_of(record: &Record, field: &str) -> Result<String, Unusable> {
    let text = match record.get(field).ok_or(Unusable::KeyMissing)? {
        Value::Null => return Err(Unusable::KeyEmpty),
        Value::String(text) if text.is_empty() => return Err(Unusable::KeyEmpty),
        Value::String(text) => return Ok(text.clone()),
        Value::Number(own) => number::canonical(own),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(Unusable::KeyOfWrongType),
    };
    if text.contains(['.', 'e', 'E']) { Err(Unusable::KeyOfWrongType) } else { Ok(text) }
}

/// Whether two values are the same part of a key. Apps that have such parts do not tell `USMF` from `usmf`.
fn is_same_part(own: &Value, fixed: &Value) -> bool {
    match (own, fixed) {
        (Value::String(own), Value::String(fixed)) => own.to_lowercase() == fixed.to_lowercase(),
        (Value::Number(own), Value::Number(fixed)) => number::canonical(own) == number::canonical(fixed),
        (own, fixed) => own == fixed,
    }
}

fn beginning(text: &str) -> String {
    let mut end = text.len().min(MAX_RAW_ROW_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests;
