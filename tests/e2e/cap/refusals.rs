//! What an app on CAP refuses, in its own words.

use serde_json::{Value, json};

use super::bench::{MAP, bench, customer, settled, write};
use crate::{
    stack::{World, together},
    values::key,
};

/// What the ledger may hold and the shop refuses, with its code and words.
fn refused() -> [(Value, &'static str, Vec<&'static str>); 5] {
    [
        (json!({"name": "Northwind"}), "NAME_TAKEN", vec!["name: Another record has it"]),
        (json!({"employees": -1}), "EMPLOYEES", vec!["employees: Must not be negative"]),
        (json!({"group_code": "77"}), "ASSERT_TARGET", vec!["group_code: Target with this key doesn't exist"]),
        (json!({"name": null}), "ASSERT_MANDATORY", vec!["name: Provide the missing value"]),
        (
            json!({"employees": -1, "creditLimit": 2e12}),
            "MULTIPLE_ERRORS",
            vec!["creditLimit: Nobody has approved this limit", "employees: Must not be negative"],
        ),
    ]
}

#[test]
fn a_refusal_rolls_the_caller_back_with_the_words_of_the_app() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("REFUSED"));
        let before = customer(json!({}));
        let told = write(world, MAP, &key, json!({"record": before})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        for (change, code, words) in refused() {
            let change = json!({"record": customer(change), "before": before, "origin": "ledger"});
            let told = write(world, MAP, &key, change).await;
            assert_eq!((told.status, told.text("code")), (422, "refused"), "{told:?}");
            assert_eq!(told.body["app"]["code"], code, "{told:?}");
            let says = told.body["app"]["message"].as_str().unwrap_or_default();
            assert!(words.iter().all(|word| says.contains(word)), "{says}");
            assert_eq!(bench.shop.held(&key).await.as_ref(), Some(&before));
        }
        settled(world, MAP, &key).await;
        assert_eq!(bench.shop.journal(&key).await.len(), 1);
    });
}

#[test]
fn a_refused_change_that_stands_already_is_parked_and_stops_its_record_alone() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("PARKED"));
        let committed = |change: Value| json!({"record": customer(change), "origin": "ledger", "mode": "committed"});
        let told = write(world, MAP, &key, committed(json!({"employees": -1}))).await;
        assert_eq!((told.status, told.text("status")), (202, "parked"), "{told:?}");
        assert_eq!(told.body["failure"]["class"], "application", "{told:?}");
        let next = write(world, MAP, &key, committed(json!({"employees": 1}))).await;
        assert_eq!((next.status, next.text("status")), (202, "queued"), "{next:?}");
        let lane = open_lane(world, &key).await.expect("operators see it");
        assert_eq!((&lane["state"], &lane["behind"]), (&json!("parked"), &json!(1)), "{lane}");
        let says = lane["last_failure"]["message"].as_str().unwrap_or_default();
        assert!(says.contains("employees: Must not be negative"), "{lane}");
        assert_eq!(bench.shop.held(&key).await, None);
        let other = crate::values::key("PARKED");
        let told = write(world, MAP, &other, committed(json!({}))).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        assert_eq!(bench.shop.held(&other).await, Some(customer(json!({}))));
    });
}

/// A lane as operators see it among those that are open.
async fn open_lane(world: &World, key: &str) -> Option<Value> {
    let open = world.admin.get(&format!("/maps/{MAP}/open?limit=500")).await.expect("admin answers");
    open["lanes"].as_array().expect("a list").iter().find(|lane| lane["key"] == key).cloned()
}
