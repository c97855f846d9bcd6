//! Values as they arrive in an app on CAP: keys, numbers, dates, times, nothing, and references.

use serde_json::{Value, json};
use ulid::Ulid;

use super::bench::{Bench, GROUPS, MAP, bench, customer, ledger_to, run_map, write};
use crate::{
    keys::TAILS,
    stack::{World, together},
    values::key,
};

#[test]
fn a_key_of_two_parts_may_hold_anything_and_arrives_as_it_is() {
    together(async |world| {
        let bench = bench(world).await;
        let tails = TAILS.iter().chain(&["',company='2000", "="]);
        let keys: Vec<String> = tails.map(|tail| format!("{}{tail}", Ulid::generate())).collect();
        for name in ["Contoso", "Fabrikam"] {
            for key in &keys {
                written(world, key, &customer(json!({"name": name}))).await;
            }
        }
        for key in &keys {
            for side in [&bench.ledger, &bench.shop] {
                assert_eq!(side.held(key).await, Some(customer(json!({"name": "Fabrikam"}))), "{key}");
            }
            let told = write(world, MAP, key, json!({"op": "delete"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{key}: {told:?}");
            for side in [&bench.ledger, &bench.shop] {
                assert_eq!(side.held(key).await, None, "{key}");
            }
        }
    });
}

/// Has a record written to both apps.
async fn written(world: &World, key: &str, record: &Value) {
    let told = write(world, MAP, key, json!({"record": record})).await;
    assert_eq!((told.status, told.text("status")), (200, "written"), "{key}: {told:?}");
}

/// Has a customer with these values written to both apps; what they hold.
async fn both_hold(world: &World, bench: &Bench, key: &str, change: Value) -> [Value; 2] {
    written(world, key, &customer(change)).await;
    let (ledger, shop) = futures::join!(bench.ledger.held(key), bench.shop.held(key));
    [ledger, shop].map(|held| held.expect("both apps have it"))
}

#[test]
fn a_decimal_number_keeps_its_digits() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("DECIMAL"));
        // The ledger is sent numbers; it reads them as doubles, as SQLite stores them: fifteen digits are exact.
        for (sent, held) in [
            ("0.1", "0.1000000000"),
            ("-12345.6789012345", "-12345.6789012345"),
            ("1e3", "1000.0000000000"),
            ("0", "0.0000000000"),
        ] {
            let number: Value = serde_json::from_str(sent).expect("a number");
            for record in both_hold(world, bench, &key, json!({"creditLimit": number})).await {
                assert_eq!(record["creditLimit"], held, "{sent}");
            }
        }
        // The shop is sent text, so that no digit is lost on the way, however many the database keeps.
        let number: Value = serde_json::from_str("1884518522.1684267241").expect("a number");
        written(world, &key, &customer(json!({"creditLimit": number}))).await;
        let arrived = bench.shop.written(&key, "creditLimit").await;
        assert_eq!(arrived.last(), Some(&json!("1884518522.1684267241")), "{arrived:?}");
    });
}

#[test]
fn dates_and_times_are_held_as_they_were_meant() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("TIMES"));
        for (field, sent, held) in [
            ("since", "2024-02-29", "2024-02-29"),
            ("since", "9999-12-31", "9999-12-31"),
            ("since", "2026-11-24T00:00:00+01:00", "2026-11-24"),
            ("reviewedAt", "2026-11-23T10:20:30Z", "2026-11-23T10:20:30Z"),
            ("reviewedAt", "2026-11-23T23:20:30-02:00", "2026-11-24T01:20:30Z"),
            ("seenAt", "2026-11-23T10:20:30.007Z", "2026-11-23T10:20:30.007Z"),
            ("seenAt", "2026-11-23T10:20:30Z", "2026-11-23T10:20:30.000Z"),
        ] {
            for record in both_hold(world, bench, &key, json!({ field: sent })).await {
                assert_eq!(record[field], held, "{field} {sent}");
            }
        }
    });
}

#[test]
fn no_value_takes_the_place_of_a_value() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("NULL"));
        written(world, &key, &customer(json!({"group_code": GROUPS[0]}))).await;
        let nothing = json!({"name": "Contoso", "creditLimit": null, "employees": null, "blocked": null, "since": null,
                             "reviewedAt": null, "seenAt": null, "group_code": null});
        // A mapped field that is missing has no value, either.
        for record in [nothing.clone(), json!({"name": "Contoso"})] {
            written(world, &key, &record).await;
            for side in [&bench.ledger, &bench.shop] {
                assert_eq!(side.held(&key).await.as_ref(), Some(&nothing));
            }
            written(world, &key, &customer(json!({"group_code": GROUPS[0]}))).await;
        }
    });
}

#[test]
fn a_reference_is_set_changed_and_removed_by_its_field_or_by_a_binding() {
    together(async |world| {
        let bench = bench(world).await;
        let mut binding = ledger_to("shop");
        let field = binding["fields"].as_array_mut().expect("fields").last_mut().expect("the reference");
        assert_eq!(field["names"]["shop"], "group_code");
        field["names"]["shop"] = "group".into();
        field["lookup"] = json!({"shop": {"entity": "Groups", "key": "code"}});
        field["only_to"] = "shop".into(); // CAP answers the field, not the binding
        run_map(world, "cap-bound", &binding).await;
        for map in [MAP, "cap-bound"] {
            let key = key("GROUP");
            for group in [json!(GROUPS[0]), json!(GROUPS[1]), Value::Null] {
                let record = customer(json!({"group_code": group}));
                let told = write(world, map, &key, json!({"record": record, "origin": "ledger"})).await;
                assert_eq!((told.status, told.text("status")), (200, "written"), "{map}: {told:?}");
                assert_eq!(bench.shop.held(&key).await, Some(record), "{map}");
            }
        }
    });
}
