//! A map that is stopped.

use std::time::Duration;

use serde_json::json;

use crate::{
    settled::now,
    stack::{World, alone},
    values::{customer, key},
};

/// How old a function's picture of a map may be.
const MAP_MAX_AGE_MS: u64 = 1_000;
const EDITS: u64 = 5;

#[test]
fn a_stopped_map_skips_changes_and_counts_them() {
    alone(async |world| {
        let key = key("STOPPED");
        assert_eq!(world.finance().edit(&key, customer("Before", 1)).await.expect("finance answers").status, 200);
        world.settled(&key).await;
        let skipped = skipped(world).await;
        command(world, "stop").await;
        for n in 1..=EDITS {
            let saved = world.finance().edit(&key, json!({"CreditLimit": n * 10})).await.expect("finance answers");
            let told = &saved.body["tandem"];
            assert_eq!((saved.status, &told["status"], &told["reason"]), (200, &json!("skipped"), &json!("stopped")));
        }
        assert_eq!(world.record(&key).await.crm.expect("crm has it")["creditlimit"].as_f64(), Some(1.0));
        assert_eq!(self::skipped(world).await, skipped + EDITS);
        command(world, "run").await;
        let saved = world.finance().edit(&key, json!({"OrganizationName": "After"})).await.expect("finance answers");
        assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("written")), "{saved:?}");
        let settled = world.settled(&key).await.crm.expect("crm has it");
        assert_eq!((&settled["name"], settled["creditlimit"].as_f64()), (&json!("After"), Some(50.0)));
        assert_eq!(self::skipped(world).await, skipped + EDITS);
    });
}

async fn skipped(world: &World) -> u64 {
    let map = world.admin.get(&format!("/maps/{}", local::MAP)).await.expect("admin answers");
    map["skipped"].as_u64().expect("it is told")
}

/// Gives a command, and waits until every function must know of it.
pub(crate) async fn command(world: &World, command: &str) {
    let reason = json!({"reason": "tried by a test"});
    world.admin.post(&format!("/maps/{}/{command}", local::MAP), &reason).await.expect("admin does it");
    known_to_all().await;
}

/// Waits until every function must know what was set before.
pub(crate) async fn known_to_all() {
    let known = now().plus_ms(MAP_MAX_AGE_MS);
    while now() <= known {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
