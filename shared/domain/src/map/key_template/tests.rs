use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::mapping::tests::customers;

const GUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn map(one: &str, other: &str, types: Value) -> MapConfig {
    let mut map = customers();
    (map.sides[0].key_field, map.sides[1].key_field) = (one.to_owned(), other.to_owned());
    map.sides[0].key_types = serde_json::from_value(types).unwrap();
    map
}

fn mistakes_of(one: &str, other: &str, types: Value) -> Vec<String> {
    map(one, other, types).mistakes().into_iter().map(|mistake| mistake.field).collect()
}

#[test]
fn a_template_is_checked_when_it_is_set() {
    for good in ["no", "{no}", "{company}|{no}", "{a}--{b}/{c}", "{company id}_{no}"] {
        assert_eq!(mistakes_of(good, "accountnumber", json!({})), [""; 0], "{good}");
    }
    for bad in ["", "{a}{b}", "{a}|", "{a|{b}", "{a}x{b}", "{a} {b}", "{}|{b}", "{a}|{a}", "{a}|b", "{a}---------{b}"] {
        assert_eq!(mistakes_of(bad, "accountnumber", json!({})), ["sides[0].key_field"], "{bad}");
    }
    assert_eq!(mistakes_of("{a}|{b}", "{c}|{d}", json!({"a": "guid", "b": "number"})), [""; 0]);
    assert_eq!(mistakes_of("{a}|{b}", "{c}/{d}", json!({})), ["sides[1].key_field"]);
    assert_eq!(mistakes_of("{a}|{b}", "{c}|{d}|{e}", json!({})), ["sides[1].key_field"]);
    assert_eq!(mistakes_of("a", "{c}|{d}", json!({"a": "number"})), ["sides[0].key_types.a"]);
    assert_eq!(mistakes_of("a", "b", json!({"a": "number"})), [""; 0]);
    assert_eq!(mistakes_of("{a}|{b}", "c", json!({"c": "text"})), ["sides[0].key_types.c"]);
    let fixed = |field: &str, value: Value, kind: &str| {
        let mut map = map("{a}|{b}", "c", json!({field: kind}));
        map.sides[0].fixed_key.insert(field.to_owned(), value);
        map.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
    };
    assert_eq!(fixed("x", json!(GUID), "guid"), [""; 0]);
    assert_eq!(fixed("x", json!(7), "number"), [""; 0]);
    assert_eq!(fixed("x", json!("usmf"), "guid"), ["sides[0].key_types.x"]);
    assert_eq!(fixed("x", json!(7), "guid"), ["sides[0].key_types.x"]);
    assert_eq!(fixed("b", json!("x"), "text"), ["sides[0].fixed_key.b"], "it is in the template");
}

#[test]
fn a_field_of_the_key_is_no_mapped_field() {
    let mut map = map("{Name}|{no}", "c", json!({}));
    assert_eq!(map.mistakes()[0].field, "fields[0].names.finance");
    map.sides[0].key_field = "no".to_owned();
    assert_eq!(map.mistakes(), []);
}

#[test]
fn spellings_of_one_record_have_one_key_by_the_types_of_its_parts() {
    let map = |rule: Value| {
        let mut map = map("{company}|{id}|{no}", "accountnumber", json!({"id": "guid", "no": "number"}));
        map.key_rule = serde_json::from_value(rule).unwrap();
        map
    };
    let exact = map(json!({}));
    let canonical = |map: &MapConfig, key: &str| map.canonical_key(&key.parse().unwrap()).map(String::from);
    let one = format!("us|{GUID}|7");
    for spelled in [one.clone(), format!("us|{{{}}}|7", GUID.to_uppercase())] {
        assert_eq!(canonical(&exact, &spelled), Ok(one.clone()));
    }
    let folded = map(json!({"trim": true, "case": "upper"}));
    let (spelled, canonical_form) = (format!("us |{GUID}| 7"), format!("US|{GUID}|7"));
    assert_eq!(canonical(&folded, &spelled), Ok(canonical_form.clone()), "each part is trimmed");
    assert_eq!(canonical(&folded, &canonical_form), Ok(canonical_form));
    for (wrong, says) in [
        ("us".to_owned(), "after the value of company"),
        (format!("|{GUID}|7"), "no value of company"),
        (format!("us|{GUID}|"), "no value of no"),
        ("us|x|7".to_owned(), "id that is not a GUID"),
        (format!("us|{GUID}|07"), "no that is not a whole number"),
        (format!("us|{GUID}|7|8"), "no that is not a whole number"),
    ] {
        let told = canonical(&exact, &wrong).unwrap_err();
        assert!(told.contains(says), "{wrong}: {told}");
    }
    // The Greek question mark is composed to a semicolon.
    let mut composed = self::map("{a};{b}", "c", json!({}));
    composed.key_rule.compose = true;
    assert!(canonical(&composed, "x\u{37e}y;z").unwrap_err().contains("value of a contains"));
}

#[test]
fn whole_numbers_have_one_spelling() {
    for (text, good) in [("0", true), ("-7", true), ("12345678901234567890123", true)] {
        assert_eq!(KeyType::Number.canonical(text).is_ok(), good, "{text}");
    }
    for bad in ["", "-", "00", "-0", "007", "1.0", "1e3", "+1", "٣"] {
        assert!(KeyType::Number.canonical(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn two_records_never_have_one_key(
        one in proptest::collection::vec("[a|-]{1,4}", 3),
        other in proptest::collection::vec("[a|-]{1,4}", 3),
    ) {
        let template = KeyTemplate::parse("{x}|{y}--{z}").unwrap();
        if let (Ok(key), Ok(other_key)) = (template.join(&one), template.join(&other)) {
            prop_assert_eq!(template.split(&key).unwrap(), one.clone());
            prop_assert_eq!(key == other_key, one == other);
        }
    }
}
