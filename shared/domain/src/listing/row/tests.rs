use serde_json::json;

use super::*;
use crate::{
    map::{KeyCase, KeyForm, KeyRule, MapConfig},
    mapping::tests::customers,
};

fn listing() -> Listing {
    Listing {
        entity: "accounts".to_owned(),
        key_field: "no".to_owned(),
        key_form: KeyForm::of(&MapConfig {
            key_rule: KeyRule { trim: true, case: Some(KeyCase::Upper), ..KeyRule::default() },
            ..customers()
        }),
        fixed_key: [("company".to_owned(), json!("usmf"))].into(),
        fields: vec!["name".to_owned(), "amount".to_owned(), "secret".to_owned()],
        hidden: vec!["secret".to_owned()],
        ..Listing::default()
    }
}

fn row(text: &str) -> Option<PageRow> {
    listing().read_row(text, |_| None)
}

fn unusable(text: &str) -> UnusableRow {
    match row(text) {
        Some(PageRow::Unusable(row)) => row,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_row_becomes_a_record_with_the_key_that_its_reports_have_and_each_digit_of_its_numbers() {
    let text = r#"{"company": "USMF", "no": "c-1 ", "name": null, "amount": 1.10, "big": 18446744073709551616}"#;
    let Some(PageRow::Record(found)) = row(text) else { panic!("no record") };
    assert_eq!((found.key.as_str(), found.spelling.as_deref()), ("C-1", Some("c-1 ")));
    assert_eq!(Value::Object(found.record).to_string(), r#"{"amount":1.10,"big":18446744073709551616,"name":null}"#);
    let Some(PageRow::Record(found)) = row(r#"{"no": 4.2e1}"#) else { panic!("no record") };
    assert_eq!((found.key.as_str(), found.spelling), ("42", None));
}

#[test]
fn the_fields_of_a_template_make_the_key() {
    let mut map = customers();
    map.sides[0].key_field = "{company}|{no}".to_owned();
    let listing =
        Listing { key_field: map.sides[0].key_field.clone(), key_form: KeyForm::of(&map), ..Listing::default() };
    let read = |text: &str| listing.read_row(text, |_| None);
    let Some(PageRow::Record(found)) = read(r#"{"company": "usmf", "no": 17, "name": "Ada"}"#) else {
        panic!("no record")
    };
    assert_eq!((found.key.as_str(), Value::Object(found.record)), ("usmf|17", json!({"name": "Ada"})));
    let Some(PageRow::Unusable(found)) = read(r#"{"company": "us|mf", "no": "17"}"#) else {
        panic!("two records, one key")
    };
    assert!(matches!(&found.why, Unusable::KeyUnfit { says } if says.contains("company")), "{found:?}");
    let Some(PageRow::Unusable(found)) = read(r#"{"no": "17"}"#) else { panic!("no key") };
    assert_eq!(found.why, Unusable::KeyMissing);
}

#[test]
fn a_row_of_another_company_is_of_another_map() {
    assert_eq!(row(r#"{"company": "dat", "no": "C-1"}"#), None);
    assert_eq!(row(r#"{"company": null, "no": "C-1"}"#), None);
    assert!(row(r#"{"no": "C-1"}"#).is_some(), "the app was asked for one company");
}

#[test]
fn what_is_wrong_with_a_row_is_told_with_its_key_if_it_has_one() {
    let deep = format!(r#"{{"no": "C-1", "name": {}{}}}"#, "[".repeat(65), "]".repeat(65));
    let deeper = format!(r#"{{"no": "C-1", "name": {}{}}}"#, "[".repeat(300), "]".repeat(300));
    let long = format!(r#"{{"no": "{}"}}"#, "k".repeat(257));
    let large = format!(r#"{{"no": "C-1", "name": "{}"}}"#, "x".repeat(MAX_BODY_BYTES));
    for (text, why, key) in [
        ("17", Unusable::NotAnObject, None),
        ("[]", Unusable::NotAnObject, None),
        ("null", Unusable::NotAnObject, None),
        (r#"{"no": "C-1", "name": "\ud800"}"#, Unusable::NotReadable, None),
        (&deeper, Unusable::NotReadable, None),
        ("{}", Unusable::KeyMissing, None),
        (r#"{"no": null}"#, Unusable::KeyEmpty, None),
        (r#"{"no": ""}"#, Unusable::KeyEmpty, None),
        (r#"{"no": true}"#, Unusable::KeyOfWrongType, None),
        (r#"{"no": {"id": 1}}"#, Unusable::KeyOfWrongType, None),
        (r#"{"no": 1.5}"#, Unusable::KeyOfWrongType, None),
        (
            r#"{"no": "  "}"#,
            Unusable::KeyUnfit { says: "must not be empty, once the map's key_rule is applied".to_owned() },
            None,
        ),
        (r#"{"no": "a\nb"}"#, Unusable::KeyUnfit { says: "must not contain control characters".to_owned() }, None),
        (&long, Unusable::KeyUnfit { says: "has 257 bytes; a record key has at most 256".to_owned() }, None),
        (&large, Unusable::TooLarge { bytes: MAX_BODY_BYTES + 21 }, Some("C-1")),
        (&deep, Unusable::TooDeep { field: "name".to_owned() }, Some("C-1")),
    ] {
        let found = unusable(text);
        assert_eq!((&found.why, found.key.as_ref().map(RecordKey::as_str)), (&why, key), "{}", beginning(text));
        assert!(found.raw.len() <= MAX_RAW_ROW_BYTES && !found.why.to_string().is_empty());
        let stored = serde_json::to_string(&why).unwrap();
        assert_eq!(serde_json::from_str::<Unusable>(&stored).unwrap(), why);
    }
}

#[test]
fn fields_that_nobody_asked_for_do_not_make_a_row_too_large() {
    let text = format!(r#"{{"no": "C-1", "photo": "{}"}}"#, "x".repeat(MAX_BODY_BYTES));
    assert!(matches!(row(&text), Some(PageRow::Record(_))));
    let all = Listing { fields: Vec::new(), ..listing() };
    assert!(matches!(all.read_row(&text, |_| None), Some(PageRow::Unusable(_))));
}

#[test]
fn an_unusable_row_shows_what_the_map_has_to_do_with_but_no_hidden_value() {
    let found = unusable(r#"{"no": null, "name": "Ann", "secret": "4711", "salary": 5}"#);
    assert_eq!(found.raw, format!(r#"{{"name":"Ann","no":null,"secret":"{REDACTED}"}}"#));
    assert_eq!(unusable(r#"["4711"]"#).raw, REDACTED);
    let nothing_hidden = Listing { hidden: Vec::new(), ..listing() };
    let Some(PageRow::Unusable(row)) = nothing_hidden.read_row(&format!("\"{}\"", "ü".repeat(2_000)), |_| None) else {
        panic!("a text is no record")
    };
    assert_eq!(row.raw.len(), MAX_RAW_ROW_BYTES - 1, "a character is not cut");
}
