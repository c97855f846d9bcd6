//! Keys of several fields: a template says how they make the one text that is the record key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{KeyRule, MapConfig, MapSide, key_rule::guid};
use crate::{id::RecordKey, side::Mistake};

const MAX_PARTS: usize = 8;
const MAX_SEPARATOR_BYTES: usize = 8;

/// What a field of a key is: it decides how its value is written in a URL and in a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// `'C-1'` in an `OData` URL, a text in a body.
    #[default]
    Text,
    /// A whole number: `42` in both.
    Number,
    /// A GUID: without quotes in an `OData` URL, a text in a body. Always in lower case, without braces.
    Guid,
}

impl KeyType {
    /// The one spelling of a value.
    ///
    /// # Errors
    /// Says what the text is not.
    pub fn canonical(self, text: &str) -> Result<String, &'static str> {
        match self {
            Self::Text => Ok(text.to_owned()),
            Self::Guid => guid(text).ok_or("is not a GUID"),
            Self::Number => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_whole = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty();
                let is_plain = is_whole && (text == "0" || !digits.starts_with('0'));
                if is_plain { Ok(text.to_owned()) } else { Err("is not a whole number, without leading zeros") }
            }
        }
    }
}

/// A field of a key, with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The field.
    pub field: String,
    /// What it is.
    pub kind: KeyType,
    /// Its value as text.
    pub text: String,
}

impl KeyPart {
    /// The value as a body has it.
    #[must_use]
    pub fn json(&self) -> Value {
        let number = || self.text.parse::<Number>().ok().map(Value::Number);
        let value = if self.kind == KeyType::Number { number() } else { None };
        value.unwrap_or_else(|| Value::String(self.text.clone()))
    }

    /// The parts of a key that are the same for all records of a map.
    #[must_use]
    pub fn fixed(fixed: &BTreeMap<String, Value>, types: &BTreeMap<String, KeyType>) -> Vec<Self> {
        let part = |(field, value): (&String, &Value)| match value {
            Value::String(text) => {
                let kind = types.get(field).copied().unwrap_or_default();
                let text = kind.canonical(text).unwrap_or_else(|_| text.clone());
                Self { field: field.clone(), kind, text }
            }
            other => Self { field: field.clone(), kind: KeyType::Number, text: other.to_string() },
        };
        fixed.iter().map(part).collect()
    }
}

/// The fields that make a record key: one, or several of a template such as `{dataAreaId}|{CustomerAccount}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTemplate<'a> {
    /// The fields, in the order of their values in the key.
    pub fields: Vec<&'a str>,
    /// What stands between two values.
    separators: Vec<&'a str>,
}

impl<'a> KeyTemplate<'a> {
    /// Reads a `key_field`. What does not begin with `{` is the name of the only field.
    ///
    /// # Errors
    /// Says what a template must be.
    pub fn parse(key_field: &'a str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be the name of a field, or a template of at most 8 different fields such as {company}|{number}, \
                              with 1 to 8 of the ASCII characters !#$%&*+,-./:;=?@^_|~ between two of them";
        let (mut fields, mut separators, mut rest) = (Vec::new(), Vec::new(), key_field);
        if !key_field.starts_with('{') {
            return Ok(Self { fields: vec![key_field], separators });
        }
        loop {
            let (field, after) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or(WANTED)?;
            if field.is_empty() || field.contains('{') || fields.contains(&field) || fields.len() == MAX_PARTS {
                return Err(WANTED);
            }
            fields.push(field);
            if after.is_empty() {
                return Ok(Self { fields, separators });
            }
            let (separator, next) = after.split_at(after.find('{').ok_or(WANTED)?);
            let is_separator = separator.bytes().all(|b| b"!#$%&*+,-./:;=?@^_|~".contains(&b));
            if separator.is_empty() || separator.len() > MAX_SEPARATOR_BYTES || !is_separator {
                return Err(WANTED);
            }
            separators.push(separator);
            rest = next;
        }
    }

    /// The template of a stored `key_field`, which was checked when it was set.
    #[must_use]
    pub fn of(key_field: &'a str) -> Self {
        Self::parse(key_field).unwrap_or_else(|_| Self { fields: vec![key_field], separators: Vec::new() })
    }

    /// The values in a key, in the order of the fields. A separator ends the part before it where it first stands, so only the
    /// last part may contain one.
    ///
    /// # Errors
    /// Names the field that the key has no value for.
    pub fn split<'k>(&self, key: &'k str) -> Result<Vec<&'k str>, String> {
        let (mut parts, mut rest) = (Vec::new(), key);
        for (field, separator) in self.fields.iter().zip(&self.separators) {
            let (part, after) = rest
                .split_once(separator)
                .ok_or_else(|| format!("has no `{separator}` after the value of {field}: its parts are {self}"))?;
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        match self.fields.iter().zip(&parts).find(|(_, part)| part.is_empty()) {
            Some((field, _)) if !self.separators.is_empty() => {
                Err(format!("has no value of {field}: its parts are {self}"))
            }
            _ => Ok(parts),
        }
    }

    /// The key that these values make.
    ///
    /// # Errors
    /// Names the field whose value contains a separator: two records would have one key.
    pub fn join(&self, parts: &[String]) -> Result<String, String> {
        let separators = self.separators.iter().copied().chain([""]);
        let key: String =
            parts.iter().zip(separators).flat_map(|(part, separator)| [part.as_str(), separator]).collect();
        let back = self.split(&key)?;
        match self.fields.iter().zip(parts.iter().zip(back)).find(|(_, (part, back))| *part != back) {
            Some((field, _)) => {
                Err(format!("is not clear: the value of {field} contains what separates the parts, {self}"))
            }
            None => Ok(key),
        }
    }

    /// The fields of a key with their values.
    ///
    /// # Errors
    /// Names the field that the key has no value for, or of whose type its value is not.
    pub fn parts(&self, types: &BTreeMap<String, KeyType>, key: &str) -> Result<Vec<KeyPart>, String> {
        let part = |(field, text): (&&str, &str)| {
            let kind = types.get(*field).copied().unwrap_or_default();
            let text = kind.canonical(text).map_err(|says| format!("has a value of {field} that {says}"))?;
            Ok(KeyPart { field: (*field).to_owned(), kind, text })
        };
        self.fields.iter().zip(self.split(key)?).map(part).collect()
    }
}

impl std::fmt::Display for KeyTemplate<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separators = self.separators.iter().copied().chain([""]);
        self.fields.iter().zip(separators).try_for_each(|(field, separator)| write!(f, "{{{field}}}{separator}"))
    }
}

/// How the records of a map are named: what decides which spellings of a key are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyForm {
    /// The `key_field` and `key_types` of both ends.
    ends: [(String, BTreeMap<String, KeyType>); 2],
    rule: KeyRule,
}

impl KeyForm {
    /// Of a map.
    #[must_use]
    pub fn of(map: &MapConfig) -> Self {
        let ends = map.sides.each_ref().map(|end| (end.key_field.clone(), end.key_types.clone()));
        Self { ends, rule: map.key_rule.clone() }
    }

    /// The one spelling of a key that stands for all of them, by the map's `key_rule` and the types of the key's fields.
    ///
    /// # Errors
    /// Says what is wrong with the key.
    pub fn canonical(&self, key: &RecordKey) -> Result<RecordKey, String> {
        let ends = self.ends.each_ref().map(|(field, types)| (KeyTemplate::of(field), types));
        let [(one, _), (other, _)] = &ends;
        let template = if other.fields.len() > one.fields.len() { other } else { one };
        let mut parts: Vec<_> =
            template.split(key.as_str())?.into_iter().map(|part| self.rule.canonical_text(part)).collect();
        for (own, types) in ends.iter().filter(|(own, _)| own.fields.len() == template.fields.len()) {
            let typed = own.parts(types, &template.join(&parts)?)?;
            parts = typed.into_iter().map(|part| part.text).collect();
        }
        template.join(&parts)?.parse().map_err(|says: String| format!("{says}, once the map's key_rule is applied"))
    }
}

impl MapConfig {
    /// See [`KeyForm::canonical`].
    ///
    /// # Errors
    /// Says what is wrong with the key.
    pub fn canonical_key(&self, key: &RecordKey) -> Result<RecordKey, String> {
        KeyForm::of(self).canonical(key)
    }
}

/// Every mistake in the keys of a map's ends.
pub(super) fn mistakes(ends: &[MapSide; 2]) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut add = |field: String, message: &str| found.push(Mistake { field, message: message.to_owned() });
    let templates = ends.each_ref().map(|end| KeyTemplate::of(&end.key_field));
    for (i, (end, template)) in ends.iter().zip(&templates).enumerate() {
        let at = format!("sides[{i}]");
        if template.fields.iter().any(|field| field.is_empty() || field.len() > 128) {
            add(format!("{at}.key_field"), "must be 1 to 128 characters");
        } else if let Err(wanted) = KeyTemplate::parse(&end.key_field) {
            add(format!("{at}.key_field"), wanted);
        }
        let is_part_of_one = template.fields.len() < templates[1 - i].fields.len();
        for (field, kind) in &end.key_types {
            let at = format!("{at}.key_types.{field}");
            match end.fixed_key.get(field) {
                Some(Value::String(text)) if kind.canonical(text).is_err() => add(at, "is not what fixed_key has"),
                Some(Value::Number(_)) if *kind != KeyType::Number => add(at, "is not what fixed_key has"),
                Some(_) => {}
                None if !template.fields.contains(&field.as_str()) => add(at, "is not a field of the key"),
                None if is_part_of_one && *kind != KeyType::Text => {
                    add(at, "must be text: the key has several parts at the other side");
                }
                None => {}
            }
        }
    }
    let [one, other] = &templates;
    if one.fields.len() > 1 && other.fields.len() > 1 && one.separators != other.separators {
        add("sides[1].key_field".to_owned(), "must have the same characters between its fields as sides[0].key_field");
    }
    found
}

#[cfg(test)]
mod tests;
