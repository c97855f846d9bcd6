//! Accounts with an `ETag`, which the app's own users change in between.

use serde_json::{Value, json};

use super::bench::{MAP, bench, customer, ledger_to, run_map, settled, write};
use crate::{stack::together, values::key};

#[test]
fn a_record_that_a_user_changed_meanwhile_gets_the_write_and_keeps_the_rest() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("ETAG"));
        let before = customer(json!({}));
        let told = write(world, MAP, &key, json!({"record": before})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        // A field that the map does not carry: the ETag is another one now, and Tandem was not told.
        bench.shop.edit(&key, json!({"note": "call before noon"})).await;
        let record = customer(json!({"employees": 13}));
        let told = write(world, MAP, &key, json!({"record": record, "before": before, "origin": "ledger"})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        assert_eq!(bench.shop.held(&key).await, Some(record));
        assert_eq!(bench.shop.get(&key).await.expect("it is there")["note"], "call before noon");
        let users: Vec<_> = bench.shop.journal(&key).await.iter().map(|line| line["user"].clone()).collect();
        assert_eq!(users, ["tandem", "kim", "tandem"], "one write for each change");
        settled(world, MAP, &key).await;
    });
}

#[test]
fn a_record_that_a_user_deleted_meanwhile_is_made_again() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("ETAG"));
        for change in [json!({}), json!({"employees": 13})] {
            let record = customer(change);
            let told = write(world, MAP, &key, json!({"record": record, "origin": "ledger"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
            assert_eq!(bench.shop.held(&key).await, Some(record));
            bench.shop.delete(&key).await;
        }
        // What is gone already is deleted.
        let told = write(world, MAP, &key, json!({"op": "delete", "origin": "ledger"})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        settled(world, MAP, &key).await;
    });
}

#[test]
fn a_record_that_has_the_values_already_is_not_written_again() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("ETAG"));
        // A map that has not written the record yet, and so does not know its ETag. CAP answers its numbers as text.
        let mut numbers = ledger_to("shop");
        let limit = numbers["fields"].as_array_mut().expect("fields").iter_mut();
        let limit = limit.filter(|field| field["names"]["shop"] == "creditLimit").last().expect("it is mapped");
        limit["types"]["shop"] = "decimal".into();
        run_map(world, "cap-numbers", &numbers).await;
        let limit: Value = serde_json::from_str("1500.25").expect("a number");
        let record = customer(json!({"creditLimit": limit}));
        for map in [MAP, "cap-numbers"] {
            let told = write(world, map, &key, json!({"record": record, "origin": "ledger"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        }
        assert_eq!(bench.shop.journal(&key).await.len(), 1);
    });
}
