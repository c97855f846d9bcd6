//! Records that were there before the map ran: dry run, initial sync, rerun of what failed, reconcile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    load::with_side,
    pause::path,
    stack::{World, alone},
    stopped::command,
    values::{customer, key, same},
};

#[test]
fn what_was_there_before_is_copied_counted_mended_and_found_to_be_equal() {
    alone(async |world| {
        // Callers whose changes were skipped may commit for so long: nothing is read before.
        let soon = || json!({"longest_transaction_ms": 1_000});
        with_side(world, "finance", soon(), async || {
            with_side(world, "crm", soon(), async || copies(world).await).await;
        })
        .await;
    });
}

async fn copies(world: &World) {
    let (here, there, both, bad) = (key("SYNC-A"), key("SYNC-B"), key("SYNC-C"), key("SYNC-D"));
    let merged = key("SYNC-E");
    for key in [&both, &merged] {
        saved(world.finance().edit(key, customer("Before", 1)).await);
        world.settled(key).await;
    }
    command(world, "stop").await;
    saved(world.finance().edit(&here, customer("Only in finance", 1)).await);
    saved(world.crm().edit(&there, json!({"name": "Only in crm", "customertypecode": 5})).await);
    saved(world.finance().edit(&both, json!({"OrganizationName": "In finance"})).await);
    saved(world.crm().edit(&both, json!({"name": "In crm"})).await);
    saved(world.finance().edit(&merged, json!({"OrganizationName": "Named by finance", "CreditLimit": 100})).await);
    saved(world.crm().edit(&merged, json!({"name": "Named by crm", "creditlimit": 700})).await);
    saved(world.finance().edit(&bad, customer("Too much", 2_000_000)).await);

    let crm_wins = json!({"creditlimit": "crm"});
    let dry = run(world, &json!({"kind": "dry_run", "winner_of_field": crm_wins, "reason": "to see"})).await;
    assert!(dry["legs"]["finance"]["inserted"].as_u64() >= Some(2), "{dry}");
    let differs = records(world, &dry, "differs").await;
    let found = |key: &str| differs.iter().find(|record| record["key"] == key).cloned().unwrap_or_default();
    assert_eq!((&found(&here)["missing"], &found(&there)["missing"]), (&json!(true), &json!(true)), "{differs:?}");
    let field = &found(&both)["fields"][0];
    assert_eq!((&field["wanted"], &field["there"]), (&json!("In finance"), &json!("In crm")), "{differs:?}");
    let told = |from: &str| {
        let of = |record: &&Value| record["key"] == *merged && record["from"] == from;
        differs.iter().find(of).map(|record| record["fields"].clone()).unwrap_or_default()
    };
    let name = json!({"field": "name", "winner": "finance", "wanted": "Named by finance", "there": "Named by crm"});
    assert_eq!(told("finance"), json!([name]), "{differs:?}");
    let limit = json!({"field": "CreditLimit", "winner": "crm", "wanted": 700, "there": 100});
    assert_eq!(told("crm"), json!([limit]), "{differs:?}");
    assert_eq!(world.record(&here).await.crm, None, "a dry run writes nothing");

    let first = json!({"kind": "initial_sync", "winner": "finance", "winner_of_field": crm_wins, "reason": "go live"});
    let first = run(world, &first).await;
    assert_eq!(first["winner_of_field"], crm_wins, "{first}");
    let map = world.admin.get(&format!("/maps/{}", local::MAP)).await.expect("admin answers");
    assert_eq!((&map["state"], &map["actor"]), (&json!("Running"), &json!("tandem")), "{map}");
    for key in [&here, &there, &both, &merged] {
        let record = world.record(key).await;
        assert!(record.crm.is_some() && same(record.finance.as_ref(), record.crm.as_ref()), "{key}: {record:?}");
    }
    assert_eq!(world.record(&both).await.crm.expect("crm has it")["name"], "In finance");
    let in_crm = world.record(&merged).await.crm.expect("crm has it");
    assert_eq!(
        (&in_crm["name"], in_crm["creditlimit"].as_f64()),
        (&json!("Named by finance"), Some(700.0)),
        "{in_crm}"
    );
    let failed = records(world, &first, "failed").await;
    let failure = failed.iter().find(|record| record["key"] == *bad).expect("it is listed");
    assert_eq!((&failure["class"], &failure["from"]), (&json!("application"), &json!("finance")), "{failure}");
    assert!(failure["message"].as_str().is_some_and(|words| words.contains("1,000,000")), "{failure}");
    assert_eq!(failure["row"]["CreditLimit"], 2_000_000);
    let cause = first["causes"].as_array().expect("causes").iter().find(|cause| cause["cause"] == failure["cause"]);
    assert!(cause.expect("it has a cause")["records"].as_u64() >= Some(1), "{first}");

    // While the map is stopped nobody writes the mended record: the rerun does.
    command(world, "stop").await;
    saved(world.finance().edit(&bad, json!({"CreditLimit": 1_000})).await);
    command(world, "run").await;
    let rerun = json!({"kind": "initial_sync", "winner": "finance", "selection": "failed", "parent": first["id"], "reason": "mended"});
    let rerun = run(world, &rerun).await;
    assert_eq!(rerun["legs"]["finance"]["read"], first["legs"]["finance"]["failed"], "{rerun}");
    let record = world.record(&bad).await;
    assert!(same(record.finance.as_ref(), record.crm.as_ref()), "{record:?}");

    let reconciled = run(world, &json!({"kind": "reconcile", "reason": "are they equal?"})).await;
    let differs = records(world, &reconciled, "differs").await;
    for key in [&here, &there, &both, &bad, &merged] {
        assert!(!differs.iter().any(|record| record["key"] == **key), "{differs:?}");
    }
}

/// Starts a run, and waits until it is through.
pub(crate) async fn run(world: &World, wanted: &Value) -> Value {
    let made = world.admin.post(&path("syncs"), wanted).await.expect("admin starts it");
    wait_until_through(world, &made).await
}

/// Waits until a run is through.
pub(crate) async fn wait_until_through(world: &World, made: &Value) -> Value {
    let run = format!("{}/{}", path("syncs"), made["id"].as_str().expect("an id"));
    // Whoever waits for a lost message waits for the schedule, which comes each minute.
    let deadline = Instant::now() + Duration::from_secs(300);
    let ended = loop {
        let run = world.admin.get(&run).await.expect("admin answers");
        assert!(run["state"] != "paused" && Instant::now() < deadline, "{run}");
        if run["state"] == "finished" {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    check_sums(&ended);
    for leg in ["finance", "crm"] {
        assert_eq!(ended["legs"][leg]["not_reached"], 0, "{ended}");
    }
    ended
}

/// Every row that was read is in exactly one count.
pub(crate) fn check_sums(run: &Value) {
    for leg in run["legs"].as_object().expect("two legs").values() {
        let count = |name: &str| leg[name].as_u64().expect("a count");
        let sum: u64 = ["inserted", "updated", "deleted", "equal", "skipped", "failed", "not_reached"]
            .into_iter()
            .map(count)
            .sum();
        assert_eq!(sum, count("read"), "{run}");
    }
}

/// All records of a list of a run.
pub(crate) async fn records(world: &World, run: &Value, list: &str) -> Vec<Value> {
    let path = format!("{}/{}/records?list={list}&limit=200", path("syncs"), run["id"].as_str().expect("an id"));
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.admin.get(&format!("{path}{after}")).await.expect("admin lists them");
        all.extend(page["records"].as_array().expect("records").iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        after = format!("&after={}", next.replace('#', "%23"));
    }
}

pub(crate) fn saved(answer: anyhow::Result<local::Answer>) {
    let answer = answer.expect("the app answers");
    assert_eq!(answer.status, 200, "{answer:?}");
}
