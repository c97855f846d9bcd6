//! Whether the app knows the names that maps use: by its description, or else by one record.

use domain::{
    Failure, Record,
    map::KeyTemplate,
    side::{KeyStyle, Side},
};

use super::{Check, Finding, Level, told};
use crate::{
    admin::sides::examine::{Answers, MapUse, MappedField, Subject, SubjectKey},
    ports::{Description, EntityDescription},
};

/// Names that one finding lists.
const MAX_NAMES: usize = 10;

pub(super) fn judge(
    side: &Side,
    subject: &Subject,
    answers: &Answers,
    description: &Result<Option<Description>, Failure>,
) -> Vec<Finding> {
    let asked = "the app's description ($metadata)";
    let sample = || answers.sample.as_ref().and_then(|sample| Some(&sample.as_ref().ok()?.as_ref()?.record));
    let description = match description {
        Ok(Some(description)) => description,
        Ok(None) => return sample().map(|record| by_record(subject, record)).unwrap_or_default(),
        Err(failure) => {
            let found = format!("{}. Names are compared with one record instead", told(failure));
            let unread = Finding::new(Check::Entity, Level::Warning, &subject.entity, asked, &found);
            return [unread]
                .into_iter()
                .chain(sample().map(|record| by_record(subject, record)).unwrap_or_default())
                .collect();
        }
    };
    let Some(entity) = description.entities.get(&subject.entity) else {
        return vec![unknown_entity(subject, description, asked)];
    };
    let mut found = vec![Finding::new(Check::Entity, Level::Ok, &subject.entity, asked, "the entity")];
    found.extend(key_field(side, subject, entity));
    found.extend(subject.maps.iter().map(|used| described(subject, used, entity)));
    found
}

fn unknown_entity(subject: &Subject, description: &Description, asked: &str) -> Finding {
    let finding = |found: &str| Finding::new(Check::Entity, Level::Error, &subject.entity, asked, found);
    match similar(&subject.entity, description.names.iter()) {
        Some(name) => finding(&format!("no such entity set, but {name}")).at(subject, "entity", name),
        None => finding("no such entity set"),
    }
}

fn key_field(side: &Side, subject: &Subject, entity: &EntityDescription) -> Option<Finding> {
    let SubjectKey { key_field, fixed_key, .. } = subject.key.as_ref()?;
    let template = KeyTemplate::of(key_field);
    let finding = |level, found: &str| Finding::new(Check::KeyField, level, &subject.entity, "the key field", found);
    let parts = || fixed_key.keys().map(String::as_str).chain(template.fields.iter().copied());
    if let Some(unknown) = parts().find(|name| !entity.fields.contains_key(*name)) {
        let found = format!("no property {unknown}");
        return Some(match similar(unknown, entity.fields.keys()) {
            Some(name) => finding(Level::Error, &format!("{found}, but {name}")).at(
                subject,
                "key_field",
                &renamed(key_field, unknown, name),
            ),
            None if entity.is_open => finding(Level::Warning, &format!("{found}; the type is open")),
            None => finding(Level::Error, &found),
        });
    }
    let is_key = entity.key.len() == parts().count() && parts().all(|name| entity.key.iter().any(|key| key == name));
    let says = format!("the entity's key is {}", entity.key.join(", "));
    let is_named =
        parts().count() > 1 || matches!(side.config.connector.key_style(), KeyStyle::Named | KeyStyle::Alias);
    Some(match (is_key, is_named) {
        (true, _) => finding(Level::Ok, &says),
        (false, true) => finding(Level::Ok, &format!("{says}; {key_field} must be an alternate key")),
        (false, false) => finding(Level::Error, &format!("{says}, and a key without a name means that one"))
            .suggests("connector.key_style", "named"),
    })
}

fn described(subject: &Subject, used: &MapUse, entity: &EntityDescription) -> Finding {
    let is_known = |field: &MappedField| {
        let value = format!("_{}_value", field.name);
        entity.fields.contains_key(&field.name)
            || field.is_lookup && (entity.references.contains(&field.name) || entity.fields.contains_key(&value))
    };
    let level = if entity.is_open { Level::Warning } else { Level::Error };
    let near = |name: &str| similar(name, entity.fields.keys().chain(&entity.references));
    compared(subject, used, is_known, level, "properties", near)
}

/// A `key_field` with another name for one of its fields.
fn renamed(key_field: &str, from: &str, to: &str) -> String {
    if key_field == from { to.to_owned() } else { key_field.replace(&format!("{{{from}}}"), &format!("{{{to}}}")) }
}

/// One record names its fields, but some apps leave out those without a value.
fn by_record(subject: &Subject, record: &Record) -> Vec<Finding> {
    let key_field = subject.key.as_ref().map(|SubjectKey { key_field, .. }| {
        let finding = |level, says: &str| Finding::new(Check::KeyField, level, &subject.entity, "the key field", says);
        let template = KeyTemplate::of(key_field);
        let Some(missing) = template.fields.iter().find(|field| !record.contains_key(**field)) else {
            return finding(Level::Ok, "the record has it");
        };
        match similar(missing, record.keys()) {
            None => finding(Level::Error, &format!("the record has no {missing}")),
            Some(other) => {
                let says = format!("the record has no {missing}, but {other}");
                finding(Level::Error, &says).at(subject, "key_field", &renamed(key_field, missing, other))
            }
        }
    });
    let fields = subject.maps.iter().map(|used| {
        let has = |field: &MappedField| {
            record.contains_key(&field.name)
                || field.is_lookup && record.contains_key(&format!("_{}_value", field.name))
        };
        compared(subject, used, has, Level::Warning, "fields in the record", |name| similar(name, record.keys()))
    });
    key_field.into_iter().chain(fields).collect()
}

/// The finding about the fields of a map. `near` finds a name that may have been meant.
fn compared<'a>(
    subject: &Subject,
    used: &MapUse,
    is_known: impl Fn(&MappedField) -> bool,
    level: Level,
    what: &str,
    near: impl Fn(&str) -> Option<&'a str>,
) -> Finding {
    let asked = format!("{} mapped fields", used.fields.len());
    let finding = |level, says: &str| Finding::new(Check::Fields, level, &subject.entity, &asked, says).of(&used.map);
    let unknown: Vec<_> = used.fields.iter().filter(|field| !is_known(field)).collect();
    if unknown.is_empty() {
        return finding(Level::Ok, "all of them");
    }
    let names: Vec<_> = unknown.iter().take(MAX_NAMES).map(|field| field.name.as_str()).collect();
    let more = unknown.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let finding = finding(level, &format!("no such {what}: {}{more}", names.join(", ")));
    match unknown.iter().find_map(|field| Some((field, near(&field.name)?))) {
        Some((field, name)) => finding.suggests(&field.setting, name),
        None => finding,
    }
}

impl Finding {
    /// Suggests a setting of this end, in the first map that has it.
    fn at(self, subject: &Subject, setting: &str, value: &str) -> Self {
        match subject.maps.first() {
            Some(used) => self.of(&used.map).suggests(&format!("{}.{setting}", used.end), value),
            None => self.suggests(setting, value),
        }
    }
}

/// The one that was meant: the same but for upper and lower case, or but for an ending.
fn similar<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let mut near = None;
    for candidate in known {
        let lower = candidate.to_lowercase();
        if lower == wanted {
            return Some(candidate);
        }
        let is_longer = |long: &str, short: &str| long.starts_with(short) && long.len() <= short.len() + 3;
        if near.is_none() && wanted.len() >= 3 && (is_longer(&lower, &wanted) || is_longer(&wanted, &lower)) {
            near = Some(candidate.as_str());
        }
    }
    near
}
