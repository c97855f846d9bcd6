//! The questions of a connection test. Each is a read.

mod lists;
mod rest;

use std::collections::BTreeMap;

use domain::{
    ErrorClass, Failure, Map, MapId, Record, RecordKey, SideId, Timestamp,
    listing::Listing,
    map::{KeyTemplate, KeyType, MapSide},
    side::{ConnectorKind, KeyStyle, Side},
};
use futures::join;
use serde_json::Value;

pub(super) use self::{lists::ListAnswer, rest::Help};
use super::findings::{Finding, judge};
use crate::ports::{Apps, Description, EntityDescription, FetchedRecord, Ports, RecordAddress};

/// Entities that one test looks at: each takes a few requests, and a person waits.
pub(super) const MAX_ENTITIES: usize = 3;
/// Longest time for one question, in milliseconds; a shorter `request_timeout_ms` of the side wins.
const QUESTION_MS: u64 = 8_000;
/// Longest time for the app's description of itself, in milliseconds, which may have megabytes; a shorter
/// `request_timeout_ms` of the side wins.
const DESCRIPTION_MS: u64 = 20_000;
/// No question begins later than this, in milliseconds. The last one then ends well before the function does (300 s).
const LAST_QUESTION_MS: u64 = 25_000;

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Subject {
    pub(super) entity: String,
    /// How maps name its records. `None`: no map uses the entity.
    pub(super) key: Option<SubjectKey>,
    /// How the first of these maps lists its records.
    pub(super) listing: Option<Listing>,
    /// The maps that use it.
    pub(super) maps: Vec<MapUse>,
}

/// How maps name the records of an entity.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SubjectKey {
    pub(super) key_field: String,
    pub(super) key_types: BTreeMap<String, KeyType>,
    pub(super) fixed_key: BTreeMap<String, Value>,
}

/// How a map uses an entity.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MapUse {
    pub(super) map: MapId,
    /// Where the map has this end, e.g. `sides[0]`.
    pub(super) end: String,
    /// The fields that it reads or writes.
    pub(super) fields: Vec<MappedField>,
}

/// A field of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MappedField {
    /// Where the map has its name, e.g. `fields[2].names.crm`.
    pub(super) setting: String,
    pub(super) name: String,
    pub(super) is_lookup: bool,
}

/// What the app answered about one entity.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// Any one record.
    pub(super) sample: Option<Result<Option<FetchedRecord>, Failure>>,
    /// The setting with which there is one.
    pub(super) sample_help: Option<Help>,
    /// That record by its key: first in the side's key style; if it was refused, in the others until one worked.
    pub(super) by_key: Vec<(KeyStyle, Result<Option<FetchedRecord>, Failure>)>,
    /// The setting with which it is found by its key.
    pub(super) key_help: Option<Help>,
    /// A key that no record has.
    pub(super) missing: Option<Result<Option<FetchedRecord>, Failure>>,
    /// The first page of its list, of one record.
    pub(super) list: Option<ListAnswer>,
}

/// The entities of the maps that use a side, or the one that is asked for.
pub(super) fn subjects(maps: &[Map], side: &SideId, entity: Option<&str>) -> Vec<Subject> {
    let mut all: Vec<Subject> = Vec::new();
    for map in maps {
        let Some(ix) = map.config.side_ix(side) else { continue };
        let end = map.config.side(ix);
        if entity.is_some_and(|entity| entity != end.entity) {
            continue;
        }
        let fields = map.config.fields.iter().enumerate().filter_map(|(place, field)| {
            let name = field.names.get(side)?.clone();
            let setting = format!("fields[{place}].names.{side}");
            Some(MappedField { setting, name, is_lookup: field.lookup.contains_key(side) })
        });
        let end_at = format!("sides[{}]", ix.at());
        let used = MapUse { map: map.id.clone(), end: end_at, fields: fields.collect() };
        let MapSide { key_field, key_types, fixed_key, .. } = end.clone();
        let key = Some(SubjectKey { key_field, key_types, fixed_key });
        match all.iter_mut().find(|known| known.entity == end.entity && known.key == key) {
            Some(known) => known.maps.push(used),
            None => {
                let listing = Some(Listing::of(&map.config, ix));
                all.push(Subject { entity: end.entity.clone(), key, listing, maps: vec![used] });
            }
        }
    }
    match entity {
        Some(entity) if all.is_empty() => vec![Subject { entity: entity.to_owned(), ..Subject::default() }],
        _ => all,
    }
}

/// Asks about each subject, and judges the answers.
pub(super) async fn examine<P: Ports>(ports: &P, side: &Side, mut subjects: Vec<Subject>) -> Vec<Finding> {
    let left_out = subjects.split_off(subjects.len().min(MAX_ENTITIES));
    if subjects.is_empty() {
        return Vec::new();
    }
    let (answers, description) = ask_about(ports, side, &subjects).await;
    judge(side, &subjects, &answers, &description, &left_out)
}

/// What the app of one end of a map answers, and what that means.
pub(in crate::admin) struct EndExamined {
    pub(in crate::admin) findings: Vec<Finding>,
    /// What the app says of the entity, if it says anything.
    pub(in crate::admin) description: Option<EntityDescription>,
    /// The app has no record of the entity.
    pub(in crate::admin) is_empty: bool,
}

/// Asks about one end of a map, and judges the answers.
pub(in crate::admin) async fn examine_end<P: Ports>(ports: &P, side: &Side, map: &Map, entity: &str) -> EndExamined {
    let subjects = subjects(std::slice::from_ref(map), &side.id, Some(entity));
    let (answers, description) = ask_about(ports, side, &subjects).await;
    let is_empty = answers.first().is_some_and(|answers| matches!(answers.sample, Some(Ok(None))));
    let findings = judge(side, &subjects, &answers, &description, &[]);
    let description = description.ok().flatten().and_then(|mut said| said.entities.remove(entity));
    EndExamined { findings, description, is_empty }
}

type Said = Result<Option<Description>, Failure>;

/// Asks about each subject, and for the app's description of itself.
async fn ask_about<P: Ports>(ports: &P, side: &Side, subjects: &[Subject]) -> (Vec<Answers>, Said) {
    let entities: Vec<_> = subjects.iter().map(|subject| subject.entity.clone()).collect();
    let within = |ms: u64| {
        let mut side = side.clone();
        side.config.request_timeout_ms = side.config.request_timeout_ms.min(ms);
        side
    };
    let (describing, asking) = (within(DESCRIPTION_MS), within(QUESTION_MS));
    let last = ports.now().plus_ms(LAST_QUESTION_MS);
    join!(ask_all(ports, &asking, subjects, last), ports.apps().describe(&describing, &entities))
}

async fn ask_all<P: Ports>(ports: &P, side: &Side, subjects: &[Subject], last: Timestamp) -> Vec<Answers> {
    let mut all = Vec::new();
    for subject in subjects {
        all.push(ask(ports, side, subject, last).await);
    }
    all
}

async fn ask<P: Ports>(ports: &P, side: &Side, subject: &Subject, last: Timestamp) -> Answers {
    let (mut answers, apps) = (Answers::default(), ports.apps());
    if ports.now() > last {
        return answers;
    }
    let sample = apps.sample(side, &subject.entity).await;
    let mut record =
        sample.as_ref().ok().and_then(Option::as_ref).map(|found| found.record.clone()).unwrap_or_default();
    let mut side = side.clone(); // with the settings that help
    if let Some((help, other, found)) = rest::mend_sample(ports, &side, &subject.entity, &sample, last).await {
        (answers.sample_help, side, record) = (Some(help), other, found);
    }
    answers.sample = Some(sample);
    let Some(SubjectKey { key_field, key_types, fixed_key }) = &subject.key else { return answers };
    let template = KeyTemplate::of(key_field);
    let address = |key: RecordKey| RecordAddress {
        entity: subject.entity.clone(),
        key_field: key_field.clone(),
        key_types: key_types.clone(),
        fixed_key: fixed_key
            .iter()
            .map(|(name, value)| (name.clone(), record.get(name).unwrap_or(value).clone()))
            .collect(),
        key,
    };
    if let Some(key) = key_of(&record, &template) {
        for style in styles(&side, fixed_key.is_empty() && template.fields.len() == 1) {
            if ports.now() > last {
                return answers;
            }
            let mut other = side.clone();
            other.config.connector.key_style = Some(style);
            let found = apps.read(&other, &address(key.clone())).await;
            let is_over = !found.as_ref().is_err_and(may_be_for_the_key);
            answers.by_key.push((style, found));
            if is_over {
                break;
            }
        }
        if let [(_, own)] = &answers.by_key[..]
            && let Some((help, other)) = rest::mend_key(ports, &side, &address(key), &record, own, last).await
        {
            (answers.key_help, side) = (Some(help), other);
        }
    }
    let missing = unknown_key(&side, &record, &template);
    if let Some(key) = missing.filter(|_| ports.now() <= last) {
        answers.missing = Some(apps.read(&side, &address(key)).await);
    }
    if let Some(listing) = subject.listing.as_ref().filter(|_| ports.now() <= last) {
        answers.list = Some(lists::ask(ports, &side, listing, last).await);
    }
    answers
}

/// Key styles to try: the side's own first. A key of several parts is always named.
fn styles(side: &Side, is_simple: bool) -> Vec<KeyStyle> {
    let connector = &side.config.connector;
    let own = connector.key_style();
    let others: &[KeyStyle] = match (connector.protocol(), is_simple) {
        (ConnectorKind::Http, _) => &[],
        (ConnectorKind::Odata, false) => &[KeyStyle::Alias],
        (ConnectorKind::Odata, true) => &[KeyStyle::Named, KeyStyle::Quoted, KeyStyle::Bare, KeyStyle::Alias],
    };
    [own].into_iter().chain(others.iter().copied().filter(|style| *style != own)).collect()
}

/// Whether another way to write the key may help.
fn may_be_for_the_key(failure: &Failure) -> bool {
    use ErrorClass as C;
    matches!(failure.class, C::Application | C::BadRequest | C::Mapping | C::OtherHttp | C::Conflict)
}

/// The record's key as text.
fn key_of(record: &Record, template: &KeyTemplate<'_>) -> Option<RecordKey> {
    let parts: Option<Vec<_>> = template.fields.iter().map(|field| text_of(record.get(*field)?)).collect();
    template.join(&parts?).ok()?.parse().ok()
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A key of the same form that no record has: short, as keys may be short. Of several fields, the last one differs.
fn unknown_key(side: &Side, record: &Record, template: &KeyTemplate<'_>) -> Option<RecordKey> {
    let is_guid = |text: &str| text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4;
    let is_bare = side.config.connector.key_style() == KeyStyle::Bare;
    let (last, others) = template.fields.split_last()?;
    let text = match record.get(*last) {
        Some(Value::Number(_)) => "2147483600",
        Some(Value::String(text)) if is_guid(text) => "00000000-0000-0000-0000-000000000000",
        Some(_) => "tnd-none",
        None if is_bare => "00000000-0000-0000-0000-000000000000",
        None => "tnd-none",
    };
    let others = others.iter().map(|field| text_of(record.get(*field)?));
    let parts: Option<Vec<_>> = others.chain([Some(text.to_owned())]).collect();
    template.join(&parts?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn side(kind: &str, key_style: &str) -> Side {
        let connector = json!({"kind": kind, "base_url": "https://a/", "key_style": key_style});
        let config = serde_json::from_value(json!({"connector": connector})).unwrap();
        Side { id: "crm".parse().unwrap(), config, version: 1 }
    }

    #[test]
    fn the_sides_own_key_style_comes_first_and_each_other_that_may_fit_once() {
        use KeyStyle::{Alias, Bare, Named, Quoted};
        for (kind, own, is_simple, wanted) in [
            ("odata", "quoted", true, &[Quoted, Named, Bare, Alias][..]),
            ("odata", "named", true, &[Named, Quoted, Bare, Alias]),
            ("odata", "quoted", false, &[Quoted, Alias]),
            ("odata", "alias", false, &[Alias]),
            ("http", "quoted", true, &[Quoted]),
        ] {
            assert_eq!(styles(&side(kind, own), is_simple), wanted, "{kind} {own} {is_simple}");
        }
    }

    #[test]
    fn a_key_that_no_record_has_is_of_the_form_of_those_they_have() {
        let guid = "00000000-0000-0000-0000-000000000000";
        for (style, known, wanted) in [
            ("quoted", None, "tnd-none"),
            ("bare", None, guid),
            ("bare", Some(json!(7)), "2147483600"),
            ("quoted", Some(json!("0f8fad5b-d9cb-469f-a165-70867728950e")), guid),
            ("bare", Some(json!("C-1")), "tnd-none"),
            ("quoted", Some(json!(null)), "tnd-none"),
        ] {
            let record = known.iter().map(|value: &Value| ("no".to_owned(), value.clone())).collect();
            let key = unknown_key(&side("odata", style), &record, &KeyTemplate::of("no")).unwrap();
            assert_eq!(key.as_str(), wanted, "{style} {known:?}");
        }
        let (template, company) = (KeyTemplate::of("{company}|{no}"), ("company".to_owned(), json!("us")));
        let record = Record::from_iter([company.clone(), ("no".to_owned(), json!(7))]);
        assert_eq!(unknown_key(&side("odata", "quoted"), &record, &template).unwrap().as_str(), "us|2147483600");
        assert_eq!(key_of(&record, &template).unwrap().as_str(), "us|7");
        assert_eq!(key_of(&Record::from_iter([company]), &template), None);
    }

    #[test]
    fn only_what_another_spelling_of_the_key_may_mend_is_asked_again() {
        let mends = |class: &&ErrorClass| {
            may_be_for_the_key(&Failure::new(**class, domain::failure::CallEffect::NotApplied, None, "no"))
        };
        let names: Vec<_> = ErrorClass::ALL.iter().filter(mends).map(|class| class.as_str()).collect();
        assert_eq!(names, ["application", "bad_request", "other_http", "conflict", "mapping"]);
    }
}
