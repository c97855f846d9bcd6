//! Apps that none of us wrote: SAP CAP on both sides, with keys of two parts on one and `ETag`s on the other. A test plays the
//! triggers of the apps; what an app holds is read with the test's own client.

pub(crate) mod bench;
mod etags;
mod records;
mod refusals;
mod sides;
mod values;
mod waits;

use serde_json::{Value, json};

use self::bench::{MAP, bench, customer, ledger_to, run_map, settled, side, write};
use crate::{stack::together, values::key};

#[test]
fn a_record_is_made_changed_and_deleted_in_both_apps() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("CAP"));
        for change in [json!({}), json!({"name": "Fabrikam", "blocked": true, "employees": 7})] {
            let record = customer(change);
            let told = write(world, MAP, &key, json!({"record": record})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
            for side in [&bench.ledger, &bench.shop] {
                assert_eq!(side.held(&key).await, Some(record.clone()), "{}", side.entity);
            }
        }
        let told = write(world, MAP, &key, json!({"op": "delete"})).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        settled(world, MAP, &key).await;
        for side in [&bench.ledger, &bench.shop] {
            assert_eq!(side.held(&key).await, None);
            let journal = side.journal(&key).await;
            let events: Vec<_> = journal.iter().map(|line| line["event"].as_str().unwrap_or_default()).collect();
            assert_eq!(events, ["CREATE", "UPDATE", "DELETE"], "{}", side.entity);
            assert!(journal.iter().all(|line| line["user"] == "tandem"), "{journal:?}");
        }
    });
}

#[test]
fn what_an_app_reports_of_a_write_of_tandem_is_taken_for_its_echo() {
    together(async |world| {
        let (bench, key) = (bench(world).await, key("ECHO"));
        let mut shop = side(bench.shop.url(), "versioned");
        shop["reports_own_writes"] = true.into();
        world.admin.put("/sides/teller", &shop).await.expect("admin takes it");
        run_map(world, "cap-echo", &ledger_to("teller")).await;
        // The app answers the same values in another form: ten decimals, three of a second.
        for (limit, held) in [("1500.25", "1500.2500000000"), ("7", "7.0000000000")] {
            let limit: Value = serde_json::from_str(limit).expect("a number");
            let record = customer(json!({"creditLimit": limit, "seenAt": "2026-11-23T10:20:30Z"}));
            let told = write(world, "cap-echo", &key, json!({"record": record, "origin": "ledger"})).await;
            assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
            let reported = bench.shop.held(&key).await.expect("the shop has it");
            assert_eq!(
                (&reported["creditLimit"], &reported["seenAt"]),
                (&json!(held), &json!("2026-11-23T10:20:30.000Z"))
            );
            let report = json!({"record": reported, "origin": "teller", "mode": "committed"});
            let told = write(world, "cap-echo", &key, report).await;
            assert_eq!((told.status, told.text("reason")), (200, "echo"), "{told:?}");
        }
        assert_eq!(bench.ledger.held(&key).await, None, "nothing was carried back");
    });
}
