//! Random values of every type: nothing panics, the canonical form is one, and numbers keep their value. `PROPTEST_CASES` sets how
//! many are tried.

use proptest::{prelude::*, sample::select};
use serde_json::{Number, Value, json};

use super::{FieldType, convert::canonical, tests::customers};
use crate::{
    RecordKey, Timestamp,
    map::KeyRule,
    record::{ContentHash, number},
    side::SideConfig,
};

const TYPES: [FieldType; 6] =
    [FieldType::Text, FieldType::Integer, FieldType::Decimal, FieldType::Boolean, FieldType::Date, FieldType::Datetime];

/// Texts that look like numbers, dates and times, and such that do not.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ +-]{0,2}[0-9]{0,30}\\.?[0-9]{0,30}([eE][+-]?[0-9]{0,12})?",
        "[+-]?[0-9]{1,6}-[0-9]{1,2}-[0-9]{1,2}",
        "[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\\.[0-9]{0,12})?)?(Z|z|[+-][0-9]{2}:?[0-9]{0,2}|\\[[A-Z/a-z]{0,9}\\])?",
        "(9999|0000|0001)-(12|01)-(31|01)T(23|00):(59|00):(59|60|00)(Z|[+-](00|14|23|99):(00|59))",
        "\\PC{0,40}",
        "[0-9T:.ZüÄ😀-]{0,30}",
    ]
}

fn number_text() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,11})?"
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::String),
        number_text().prop_map(|text| Value::Number(text.parse().unwrap())),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"a": [1]})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_canonical_stays_so(value in value(), kind in select(TYPES.to_vec())) {
        if let Ok(once) = canonical(kind, None, &value) {
            let twice = canonical(kind, None, &once);
            prop_assert_eq!(twice.as_ref(), Ok(&once), "{:?} {}", kind, value);
            prop_assert!(once.to_string().len() <= value.to_string().len() + number::MAX_NUMBER_CHARS);
        }
    }

    #[test]
    fn a_number_keeps_its_value_in_every_notation(text in number_text(), decimals in any::<u8>()) {
        let number: Number = text.parse().unwrap();
        let canonical = number::canonical(&number);
        prop_assert_eq!(&number::canonical(&canonical.parse().unwrap()), &canonical);
        let Some(plain) = number::plain(&number) else { return Ok(()) };
        prop_assert!(plain.len() <= number::MAX_NUMBER_CHARS && !plain.contains(['e', 'E']));
        prop_assert_eq!(plain.parse::<f64>().unwrap(), text.parse::<f64>().unwrap());
        let again: Number = plain.parse().unwrap();
        prop_assert_eq!(number::plain(&again), Some(plain.clone()));
        prop_assert_eq!(ContentHash::of_value(&Value::Number(again)), ContentHash::of_value(&Value::Number(number.clone())));
        let rounded = number::rounded(&number, decimals).unwrap();
        let once = number::canonical(&rounded);
        prop_assert_eq!(number::canonical(&number::rounded(&rounded, decimals).unwrap()), once);
        prop_assert!(rounded.to_string().split_once('.').is_none_or(|(_, fraction)| fraction.len() <= usize::from(decimals)));
    }

    #[test]
    fn a_text_is_a_number_or_none(text in text()) {
        if let Some(number) = number::from_text(&text) {
            prop_assert_eq!(number::plain(&number), Some(number.to_string()));
            prop_assert_eq!(number.to_string().parse::<f64>().ok(), text.trim().parse::<f64>().ok(), "{}", text);
        }
    }

    #[test]
    fn a_time_that_is_read_is_printed_and_read_again(text in text(), ms in any::<u64>()) {
        if let Ok(at) = Timestamp::parse(&text) {
            prop_assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
        let _ = (Timestamp(ms).to_string(), Timestamp(ms).plus_ms(ms), Timestamp(ms).minus_ms(ms));
    }

    #[test]
    fn one_spelling_of_a_key_is_its_own(text in prop_oneof!["\\PC{0,300}", "[{(]?[0-9a-fA-F-]{30,38}[)}]?", "[ \u{a0}\u{3000}ßẞİıſÅ\u{301}A-Za-z]{0,20}"],
        trim in any::<bool>(), case in select(vec!["exact", "lower", "upper"]), guid in any::<bool>(), compose in any::<bool>()) {
        let rule = json!({"trim": trim, "case": case, "guid": guid, "compose": compose});
        let Ok(rule) = serde_json::from_value::<KeyRule>(rule) else { return Ok(()) };
        let mut map = customers();
        map.key_rule = rule;
        for template in ["accountnumber", "{a}-{b}"] {
            template.clone_into(&mut map.sides[1].key_field);
            if let Ok(key) = text.parse::<RecordKey>()
                && let Ok(once) = map.canonical_key(&key)
            {
                prop_assert_eq!(map.canonical_key(&once), Ok(once.clone()), "{:?} {}", map.key_rule, template);
            }
        }
    }

    #[test]
    fn a_side_of_any_settings_is_judged(url in "\\PC{0,40}", name in "\\PC{0,20}", ms in any::<u64>(), kind in "(odata|http|dataverse)",
        style in "(alias|named|quoted|bare)") {
        let side = json!({"connector": {"kind": kind, "base_url": url, "key_style": style, "query": {name.clone(): name.clone()}, "headers": {name.clone(): name}},
            "connect_timeout_ms": ms, "request_timeout_ms": ms, "call_life_ms": ms, "longest_transaction_ms": ms});
        let side: SideConfig = serde_json::from_value(side).unwrap();
        for mistake in side.mistakes() {
            prop_assert!(mistake.message.len() < 300 && mistake.field.len() < 200);
        }
    }
}
