use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ErrorClass, Record,
    failure::CallEffect,
    side::{KeyStyle, SideConfig},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    admin::sides::examine::{MapUse, MappedField, SubjectKey},
    ports::{EntityDescription, FetchedRecord},
};

fn side(capability: &str, key_style: &str) -> Side {
    let config = json!({"connector": {"kind": "odata", "base_url": "https://a/", "key_style": key_style}, "capability": capability});
    let config: SideConfig = serde_json::from_value(config).unwrap();
    Side { id: "crm".parse().unwrap(), config, version: 1 }
}

fn key(key_field: &str) -> SubjectKey {
    SubjectKey { key_field: key_field.to_owned(), ..SubjectKey::default() }
}

fn subject(fields: &[&str], lookups: &[&str]) -> Subject {
    let field = |(place, (name, is_lookup)): (usize, (&&str, bool))| MappedField {
        setting: format!("fields[{place}].names.crm"),
        name: (*name).to_owned(),
        is_lookup,
    };
    let all = fields.iter().map(|name| (name, false)).chain(lookups.iter().map(|name| (name, true)));
    let used = MapUse {
        map: "customers".parse().unwrap(),
        end: "sides[1]".to_owned(),
        fields: all.enumerate().map(field).collect(),
    };
    Subject { entity: "accounts".to_owned(), key: Some(key("accountnumber")), listing: None, maps: vec![used] }
}

fn record(etag: Option<&str>) -> Option<FetchedRecord> {
    let record: Value = json!({"accountnumber": "C-1", "name": "Ada", "_parentid_value": null});
    Some(FetchedRecord { record: record.as_object().unwrap().clone(), etag: etag.map(str::to_owned) })
}

fn failure(class: ErrorClass) -> Failure {
    Failure::new(class, CallEffect::NotApplied, Some("E1".to_owned()), "no")
}

/// What an app answers with which everything is well.
fn fine() -> Answers {
    Answers {
        sample: Some(Ok(record(Some("W/\"1\"")))),
        by_key: vec![(KeyStyle::Named, Ok(record(Some("W/\"1\""))))],
        missing: Some(Ok(None)),
        ..Answers::default()
    }
}

fn description() -> Description {
    let fields = ["accountid", "accountnumber", "name", "_parentid_value"];
    let entity = EntityDescription {
        key: vec!["accountid".to_owned()],
        fields: fields.iter().map(|name| ((*name).to_owned(), "Edm.String".to_owned())).collect(),
        references: BTreeSet::from(["ownerid".to_owned()]),
        ..EntityDescription::default()
    };
    Description {
        names: BTreeSet::from(["accounts".to_owned(), "contacts".to_owned()]),
        entities: BTreeMap::from([("accounts".to_owned(), entity)]),
    }
}

/// The findings as text: check, level, what was found, setting and value.
fn found(
    side: &Side,
    subject: Subject,
    answers: Answers,
    description: Result<Option<Description>, Failure>,
) -> Vec<String> {
    let findings = judge(side, &[subject], &[answers], &description, &[]);
    findings.iter().map(text).collect()
}

fn text(finding: &Finding) -> String {
    let (check, level) = (finding.check.as_str(), finding.level.as_str());
    let helps = |helps: &Suggestion| format!(" [{} = {}]", helps.setting, helps.value);
    format!("{check} {level}: {}{}", finding.found, finding.suggestion.as_ref().map(helps).unwrap_or_default())
}

/// The only finding of a kind.
fn one(check: &str, all: &[String]) -> String {
    let of_kind: Vec<_> = all.iter().filter(|text| text.starts_with(&format!("{check} "))).collect();
    assert_eq!(of_kind.len(), 1, "{all:?}");
    of_kind[0].clone()
}

#[test]
fn an_app_with_which_all_is_well_has_no_warning() {
    let subject = subject(&["name"], &["parentid", "ownerid"]);
    let all = found(&side("versioned", "named"), subject, fine(), Ok(Some(description())));
    let checks: Vec<_> = all.iter().map(|text| text.split(':').next().unwrap()).collect();
    assert_eq!(checks, ["record ok", "key ok", "etag ok", "absence ok", "entity ok", "key_field ok", "fields ok"]);
}

#[test]
fn a_record_that_is_not_read_is_an_error_of_the_settings_or_a_passing_one() {
    for (sample, wanted) in [
        (None, "record warning: not asked: no time was left"),
        (Some(Ok(None)), "record warning: no record: what needs one was not looked at"),
        (Some(Err(failure(ErrorClass::BadRequest))), "record error: bad_request: E1: no"),
        (Some(Err(failure(ErrorClass::Throttled))), "record warning: throttled: E1: no"),
    ] {
        let all = found(&side("plain", "named"), subject(&[], &[]), Answers { sample, ..Answers::default() }, Ok(None));
        assert_eq!(all, [wanted]);
    }
}

#[test]
fn the_key_style_that_works_is_suggested() {
    let trial = |style: &str, by_key: Vec<(KeyStyle, Result<Option<FetchedRecord>, Failure>)>| {
        let answers = Answers { by_key, ..fine() };
        one("key", &found(&side("plain", style), subject(&[], &[]), answers, Ok(None)))
    };
    let refused = |class| Err(failure(class));
    let works =
        trial("quoted", vec![(KeyStyle::Quoted, refused(ErrorClass::BadRequest)), (KeyStyle::Named, Ok(record(None)))]);
    assert!(works.starts_with("key error: bad_request: E1: no."), "{works}");
    assert!(works.ends_with("[connector.key_style = named]"), "{works}");
    let none = trial("alias", vec![(KeyStyle::Alias, refused(ErrorClass::Mapping))]);
    assert_eq!(none, "key error: mapping: E1: no");
    let twice = trial("named", vec![(KeyStyle::Named, refused(ErrorClass::Mapping))]);
    assert!(twice.ends_with("[connector.key_encoding = twice]"), "{twice}");
    let another = trial("quoted", vec![(KeyStyle::Quoted, Ok(None))]);
    assert!(another.starts_with("key error: no record, though it is there"), "{another}");
    assert_eq!(trial("quoted", vec![(KeyStyle::Quoted, refused(ErrorClass::Timeout))]), "key warning: timeout: E1: no");
}

#[test]
fn the_etag_is_compared_with_the_capability() {
    for (capability, etag, level, helps) in [
        ("versioned", Some("1"), "ok", ""),
        ("idempotent", Some("1"), "ok", ""),
        ("plain", Some("1"), "ok", "[capability = versioned]"),
        ("versioned", None, "error", "[capability = plain]"),
        ("idempotent", None, "ok", ""),
        ("plain", None, "ok", ""),
    ] {
        let answers = Answers { by_key: vec![(KeyStyle::Named, Ok(record(etag)))], ..fine() };
        let etag = one("etag", &found(&side(capability, "named"), subject(&[], &[]), answers, Ok(None)));
        assert!(etag.starts_with(&format!("etag {level}")) && etag.ends_with(helps), "{etag}");
        assert_eq!(etag.contains('['), !helps.is_empty(), "{etag}");
    }
    let list_only = Answers { sample: Some(Ok(record(None))), ..Answers::default() };
    let all = found(&side("versioned", "named"), subject(&[], &[]), list_only, Ok(None));
    assert!(!all.iter().any(|text| text.starts_with("etag")), "a list without ETags says nothing: {all:?}");
}

#[test]
fn a_weak_etag_of_a_rest_app_is_no_version_of_its_record() {
    let etag = |kind: &str, capability: &str| {
        let config = json!({"connector": {"kind": kind, "base_url": "https://a/"}, "capability": capability});
        let side = Side { id: "crm".parse().unwrap(), config: serde_json::from_value(config).unwrap(), version: 1 };
        one("etag", &found(&side, subject(&[], &[]), fine(), Ok(None)))
    };
    let says = "a weak one, of the server and not of the record: If-Match does not protect a record by it";
    assert_eq!(etag("rest", "versioned"), format!("etag error: {says} [capability = plain]"));
    assert_eq!(etag("rest", "plain"), "etag ok: a weak one, and none is needed");
    assert!(etag("odata", "plain").ends_with("[capability = versioned]"));
}

#[test]
fn only_the_apps_own_word_is_an_absence() {
    for (missing, wanted) in [
        (Ok(None), "absence ok: that there is no such record"),
        (Ok(record(None)), "absence error: a record: the app takes another key for this one"),
        (
            Err(failure(ErrorClass::OtherHttp)),
            "absence error: other_http: E1: no. Tandem does not take this for the absence of a record",
        ),
        (
            Err(failure(ErrorClass::Timeout)),
            "absence warning: timeout: E1: no. Tandem does not take this for the absence of a record",
        ),
    ] {
        let answers = Answers { missing: Some(missing), ..fine() };
        assert_eq!(one("absence", &found(&side("plain", "named"), subject(&[], &[]), answers, Ok(None))), wanted);
    }
}

#[test]
fn names_that_the_app_does_not_know_are_told_with_those_that_were_meant() {
    let all = |subject, key_style| found(&side("plain", key_style), subject, fine(), Ok(Some(description())));
    let entity = Subject { entity: "account".to_owned(), ..subject(&[], &[]) };
    let entity = one("entity", &all(entity, "named"));
    assert_eq!(entity, "entity error: no such entity set, but accounts [sides[1].entity = accounts]");
    let nowhere = Subject { entity: "x".to_owned(), ..Subject::default() };
    assert_eq!(one("entity", &all(nowhere, "named")), "entity error: no such entity set");

    let by = |key_field: &str| Subject { key: Some(key(key_field)), ..subject(&[], &[]) };
    for (key_field, style, wanted) in [
        ("accountid", "quoted", "key_field ok: the entity's key is accountid"),
        (
            "accountnumber",
            "named",
            "key_field ok: the entity's key is accountid; accountnumber must be an alternate key",
        ),
        (
            "accountnumber",
            "quoted",
            "key_field error: the entity's key is accountid, and a key without a name means that one [connector.key_style = named]",
        ),
        (
            "AccountNumber",
            "named",
            "key_field error: no property AccountNumber, but accountnumber [sides[1].key_field = accountnumber]",
        ),
        ("no", "named", "key_field error: no property no"),
        (
            "{accountid}|{AccountNumber}",
            "named",
            "key_field error: no property AccountNumber, but accountnumber [sides[1].key_field = {accountid}|{accountnumber}]",
        ),
    ] {
        assert_eq!(one("key_field", &all(by(key_field), style)), wanted);
    }

    let fields = one("fields", &all(subject(&["x1", "Name", "name", "y"], &["parentid", "z"]), "named"));
    assert_eq!(fields, "fields error: no such properties: x1, Name, y, z [fields[1].names.crm = name]");
    let many: Vec<String> = (0..15).map(|n| format!("unknown_{n}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(one("fields", &all(subject(&many, &[]), "named")).ends_with("unknown_9 and 5 more"));
}

#[test]
fn the_type_of_an_open_entity_may_lack_fields() {
    let mut open = description();
    open.entities.get_mut("accounts").unwrap().is_open = true;
    let all = found(&side("plain", "named"), subject(&["x"], &[]), fine(), Ok(Some(open)));
    assert_eq!(one("fields", &all), "fields warning: no such properties: x");
}

/// Without a description one record has to do, and what it lacks may just be empty.
#[test]
fn without_a_description_names_are_compared_with_a_record() {
    for description in [Ok(None), Err(failure(ErrorClass::OtherHttp))] {
        let is_read = description.is_ok();
        let all = found(&side("plain", "named"), subject(&["Name", "name"], &["parentid"]), fine(), description);
        assert_eq!(one("key_field", &all), "key_field ok: the record has it");
        assert_eq!(
            one("fields", &all),
            "fields warning: no such fields in the record: Name [fields[0].names.crm = name]"
        );
        assert_eq!(all.iter().any(|text| text.starts_with("entity warning: other_http: E1: no.")), !is_read);
    }
    let empty =
        Answers { sample: Some(Ok(Some(FetchedRecord { record: Record::new(), etag: None }))), ..Answers::default() };
    let all = found(&side("plain", "named"), subject(&[], &[]), empty, Ok(None));
    assert_eq!(one("key_field", &all), "key_field error: the record has no accountnumber");
}

#[test]
fn entities_that_are_not_looked_at_are_named() {
    let left = judge(&side("plain", "named"), &[], &[], &Ok(None), &[subject(&[], &[])]);
    assert_eq!((left.len(), left[0].entity.as_str(), left[0].level), (1, "accounts", Level::Warning));
}
