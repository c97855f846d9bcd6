//! `/maps/{map}/syncs/{run}/deletions`: decisions about records that one app lacks.

use app::ports::{ConfigStore, FindingChange, Role, SyncRuns};
use domain::{
    SideIx, Timestamp,
    lane::KnownPast,
    sync::{Deletion, DeletionFate, Finding, FindingState, RowEnd, RunState, SyncRun},
};
use serde_json::{Value, json};

use super::harness::Api;

/// Starts a run of this kind with which crm follows finance.
async fn started(api: &Api, kind: &str) -> Value {
    let legs = json!({"crm": "propose_deletion"});
    let wanted = json!({"kind": kind, "winner": "finance", "legs": legs, "reason": "finance is the master"});
    let made = api.post("/maps/customers/syncs", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.json()["legs"]["crm"]["choice"], "propose_deletion");
    made.json()
}

/// The run is over, and has proposed the deletion of these records.
async fn proposes(api: &Api, run: &Value, keys: &[&str]) {
    let map = api.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    let id = run["id"].as_str().unwrap().parse().unwrap();
    let found = api.world.syncs.run(&map, id).await.unwrap().unwrap();
    let mut over = SyncRun { state: RunState::Finished, version: found.version + 1, ..found.clone() };
    let changes: Vec<_> = keys
        .iter()
        .map(|key| {
            over.counts[SideIx::Second].read_row();
            over.end_row(SideIx::Second, RowEnd::Proposed);
            let past = KnownPast { in_step_at: Some(Timestamp(9_000)), deleted_at: None };
            let deletion = Deletion { fate: DeletionFate::Proposed, at: Timestamp(9_500), look: None, past };
            let state = FindingState::Deletion(deletion);
            FindingChange::Put(Finding { leg: SideIx::Second, key: key.parse().unwrap(), state })
        })
        .collect();
    api.world.syncs.save_run(&map, &over, Some(&found), &changes).await.unwrap();
}

fn path(run: &Value) -> String {
    format!("/maps/customers/syncs/{}", run["id"].as_str().unwrap())
}

#[tokio::test]
async fn proposed_deletions_are_listed_and_each_decision_is_a_run_of_its_own() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &json!({"reason": "go live"})).await;
    let run = started(&api, "reconcile").await;
    let approve = format!("{}/deletions/approve", path(&run));
    let all = json!({"of": "all", "reason": "checked with sales"});
    api.post(&approve, &all).await.is_problem(409, "parent_goes_on", "");
    proposes(&api, &run, &["C-1", "C-2"]).await;
    let listed = api.get(&format!("{}/records?list=deletions", path(&run))).await.json();
    let first = &listed["records"][0];
    assert_eq!((&first["from"], &first["key"], &first["state"]), (&json!("crm"), &json!("C-1"), &json!("proposed")));
    assert_eq!(first["in_step_at"], "1970-01-01T00:00:09Z", "{first}");
    assert!(first["what_to_do"].as_str().is_some_and(|says| says.contains("approve")), "{first}");
    let file = api.get(&format!("{}/records/download?list=deletions", path(&run))).await;
    assert!(file.text.contains("crm,C-1,proposed,"), "{}", file.text);
    let told = api.get(&path(&run)).await.json();
    assert_eq!(told["outcome"], "differs", "{told}");
    assert_eq!(told["legs"]["crm"]["skipped_for"]["proposed"], 2, "{told}");

    let listed = json!({"of": "listed", "keys": ["C-1"], "reason": "checked with sales"});
    let made = api.post(&approve, &listed).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let made = made.json();
    assert_eq!((&made["kind"], &made["parent"]), (&json!("approve_deletions"), &run["id"]));
    assert_eq!((&made["reason"], &made["started_by"]), (&json!("checked with sales"), &json!("first-admin")));
    api.post(&approve, &listed).await.is_problem(409, "sync_active", "");
    let reject = api.post(&format!("{}/deletions/reject", path(&run)), &all).await;
    assert_eq!((reject.status, &reject.json()["kind"]), (201, &json!("reject_deletions")), "it writes to no app");
}

#[tokio::test]
async fn what_cannot_be_decided_is_refused_with_the_reason() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &json!({"reason": "go live"})).await;
    let run = started(&api, "reconcile").await;
    proposes(&api, &run, &["C-1"]).await;
    let approve = format!("{}/deletions/approve", path(&run));
    let viewer = api.as_role(Role::Viewer).await;
    let all = json!({"of": "all", "reason": "checked"});
    assert_eq!(viewer.post(&approve, &all).await.status, 403);
    for (wrong, says) in [
        (json!({"of": "all", "reason": ""}), "reason"),
        (json!({"of": "some", "reason": "x"}), "of: must be"),
        (json!({"of": "through", "reason": "x"}), "key: is needed"),
        (json!({"of": "all", "key": "C-1", "reason": "x"}), "key: goes with"),
        (json!({"of": "listed", "reason": "x"}), "keys: must be 1 to 100"),
        (json!({"of": "all", "keys": ["C-1"], "reason": "x"}), "keys: goes with"),
    ] {
        api.post(&approve, &wrong).await.is_problem(400, "invalid_request", says);
    }
    let other = format!("{}/deletions/forget", path(&run));
    api.post(&other, &all).await.is_problem(400, "invalid_request", "decision: must be");
    let wins = json!({"kind": "reconcile", "winner": "crm", "legs": {"crm": "propose_deletion"}, "reason": "x"});
    api.post("/maps/customers/syncs", &wins).await.is_problem(400, "invalid_request", "legs.crm");
    let mut new_only = json!({"kind": "reconcile", "winner": "finance", "selection": "new_only", "parent": run["id"]});
    new_only["legs"] = json!({"crm": "propose_deletion"});
    new_only["reason"] = json!("x");
    api.post("/maps/customers/syncs", &new_only).await.is_problem(400, "invalid_request", "legs.crm");
    let kind = json!({"kind": "approve_deletions", "reason": "x"});
    api.post("/maps/customers/syncs", &kind).await.is_problem(400, "invalid_request", "kind");

    let dry = started(&api, "dry_run").await;
    proposes(&api, &dry, &["C-1"]).await;
    let of_dry = format!("{}/deletions/approve", path(&dry));
    api.post(&of_dry, &all).await.is_problem(400, "invalid_request", "run: is a dry run");
    let none = started(&api, "reconcile").await;
    proposes(&api, &none, &[]).await;
    let of_none = format!("{}/deletions/approve", path(&none));
    api.post(&of_none, &all).await.is_problem(400, "invalid_request", "run: has proposed no deletion");
    api.post("/maps/customers/pause", &json!({"reason": "quarter end"})).await;
    api.post(&approve, &all).await.is_problem(409, "map_paused", "");
}
