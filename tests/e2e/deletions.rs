//! Records that one app lacks: their deletion in the other one is proposed, approved or rejected, and carried out through the lane.

use serde_json::{Value, json};

use crate::{
    load::with_side,
    pause::path,
    stack::{World, alone},
    stopped::command,
    syncs::{records, run, saved, wait_until_through},
    values::{customer, key},
};

#[test]
fn a_record_that_finance_lacks_is_deleted_in_crm_when_an_operator_approves_it_and_not_before() {
    alone(async |world| {
        // Callers whose changes were skipped may commit for so long: nothing is read before.
        let soon = || json!({"longest_transaction_ms": 1_000});
        with_side(world, "finance", soon(), async || {
            with_side(world, "crm", soon(), async || decides(world).await).await;
        })
        .await;
    });
}

async fn decides(world: &World) {
    let [gone, back, kept] = ["DEL-A", "DEL-B", "DEL-C"].map(key);
    for key in [&gone, &back, &kept] {
        saved(world.finance().edit(key, customer("Both have it", 1)).await);
        world.settled(key).await;
    }
    // While the map is stopped nobody tells crm.
    command(world, "stop").await;
    for key in [&gone, &back, &kept] {
        saved(world.finance().delete(key).await);
    }
    command(world, "run").await;

    let legs = json!({"crm": "propose_deletion"});
    let wanted = json!({"kind": "reconcile", "winner": "finance", "legs": legs, "reason": "finance is the master"});
    let proposing = run(world, &wanted).await;
    assert_eq!(proposing["outcome"], "differs", "{proposing}");
    for key in [&gone, &back, &kept] {
        let record = find(world, &proposing, key).await.expect("it is proposed");
        assert_eq!((&record["from"], &record["state"]), (&json!("crm"), &json!("proposed")), "{record}");
        assert!(record["in_step_at"].is_string(), "both apps had it: {record}");
        assert!(world.record(key).await.crm.is_some(), "no run deletes by itself");
    }

    let rejected = decide(world, &proposing, "reject", &[&kept], "still needed").await;
    assert_eq!(find(world, &proposing, &kept).await, None, "it has left the list");
    assert_eq!(find(world, &rejected, &kept).await.expect("it is told")["state"], "rejected");

    saved(world.finance().edit(&back, customer("Made anew", 1)).await);
    world.settled(&back).await;
    let approved = decide(world, &proposing, "approve", &[&gone, &back], "checked with sales").await;
    assert_eq!((&approved["kind"], &approved["reason"]), (&json!("approve_deletions"), &json!("checked with sales")));
    assert_eq!(approved["legs"]["crm"]["deleted"], 1, "{approved}");
    for (key, state) in [(&gone, "deleted"), (&back, "came_back")] {
        assert_eq!(find(world, &approved, key).await.expect("it is told")["state"], state);
        assert_eq!(find(world, &proposing, key).await, None, "it has left the list");
    }
    assert_eq!(world.record(&gone).await.crm, None);
    for key in [&back, &kept] {
        assert!(world.record(key).await.crm.is_some(), "{key}");
    }
    // What is left in one app alone would trouble others.
    saved(world.crm().delete(&kept).await);
    world.settled(&kept).await;
}

async fn find(world: &World, run: &Value, key: &str) -> Option<Value> {
    records(world, run, "deletions").await.into_iter().find(|record| record["key"] == key)
}

/// Decides about deletions, and waits until that is carried out.
async fn decide(world: &World, of: &Value, decision: &str, keys: &[&String], reason: &str) -> Value {
    let path = format!("{}/{}/deletions/{decision}", path("syncs"), of["id"].as_str().expect("an id"));
    let wanted = json!({"of": "listed", "keys": keys, "reason": reason});
    let made = world.admin.post(&path, &wanted).await.expect("admin starts it");
    wait_until_through(world, &made).await
}
