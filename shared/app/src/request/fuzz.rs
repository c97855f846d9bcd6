//! Random requests: nothing panics, and every mistake names a field. `PROPTEST_CASES` sets how many are tried.

use domain::{MapConfig, limits::MAX_NESTING};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
};
use serde_json::{Value, json};

use super::WriteRequest;

fn map() -> MapConfig {
    serde_json::from_value(json!({
        "sides": [{"side": "finance", "entity": "Customers", "key_field": "Account", "fixed_key": {"company": "us"}},
                  {"side": "crm", "entity": "accounts", "key_field": "number"}],
        "fields": [{"names": {"finance": "Name", "crm": "name"}}]}))
    .unwrap()
}

/// Any JSON, with the words of a request here and there.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,6})?"
            .prop_map(|text| Value::Number(text.parse().unwrap())),
        select(vec![
            "finance",
            "crm",
            "upsert",
            "delete",
            "sync",
            "committed",
            "C-1",
            "01KAQ5Z3S8XYZABCDEFGHJKMNP",
            "2026-11-23T10:00:00Z",
            "customers",
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "5.7"
        ])
        .prop_map(Value::from),
        "\\PC{0,30}".prop_map(Value::from),
    ];
    let names =
        prop_oneof![select(vec!["Account", "number", "company", "Name", "name"]).prop_map(str::to_owned), "\\PC{0,8}"];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(names.clone(), inner, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A good request with some members replaced, added or taken out.
fn request() -> impl Strategy<Value = Value> {
    let members = vec![
        "id",
        "map",
        "key",
        "op",
        "origin",
        "shape",
        "mode",
        "record",
        "before",
        "base",
        "version",
        "committed_at",
        "other",
    ];
    let edits = vec((select(members), prop::option::weighted(0.8, value())), 0..5);
    edits.prop_map(|edits| {
        let mut request = json!({"id": "01KAQ5Z3S8XYZABCDEFGHJKMNP", "map": "customers", "key": "C-1", "origin": "finance",
            "record": {"Name": "Ada", "Account": "C-1", "company": "us"}, "before": null, "committed_at": "2026-11-23T10:00:00Z"});
        for (member, value) in edits {
            match value {
                Some(value) => request[member] = value,
                None => drop(request.as_object_mut().unwrap().remove(member)),
            }
        }
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_is_read_or_each_mistake_says_where(value in prop_oneof![4 => request(), 1 => value()]) {
        let read = WriteRequest::from_value(value.clone()).and_then(|request| request.arrival(&map()).map(|arrival| (request, arrival)));
        match read {
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                prop_assert!(mistakes.iter().all(|mistake| !mistake.message.is_empty()), "{:?}", mistakes);
            }
            Ok((request, _)) => {
                // The same request with another id has the same fingerprint; without its key nothing is left of it in the record.
                let mut other = value;
                other["id"] = json!("01KAQ5Z3S8XYZABCDEFGHJKMNQ");
                prop_assert_eq!(WriteRequest::from_value(other).unwrap().body, request.body);
            }
        }
    }

    #[test]
    fn a_record_nested_deeper_than_is_stored_is_refused_and_names_its_field(depth in 0..2 * MAX_NESTING, lists in any::<bool>()) {
        let mut deep = json!(1);
        for _ in 0..depth {
            deep = if lists { json!([deep]) } else { json!({"a": deep}) };
        }
        let mut request = json!({"id": "01KAQ5Z3S8XYZABCDEFGHJKMNP", "map": "customers", "key": "C-1", "record": {}});
        request["record"]["Name"] = deep;
        match WriteRequest::from_value(request) {
            Ok(_) => prop_assert!(depth <= MAX_NESTING),
            Err(mistakes) => prop_assert!(depth > MAX_NESTING && mistakes[0].field == "record.Name", "{} {:?}", depth, mistakes),
        }
    }
}
