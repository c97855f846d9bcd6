//! Apps that none of us wrote: SAP CAP on both sides, with keys of two parts on one and ETags on the other. A test plays the
//! triggers of the apps; what an app holds is read with the test's own client.

mod bench;
mod etags;
mod records;
mod refusals;
mod sides;
mod values;
mod waits;

use serde_json::{Value, json};

use self::bench::{MAP, bench, customer, settled, write};
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
