//! Which side wins a field in a sync run.

use serde_json::{Value, json};

use super::harness::Api;

#[tokio::test]
async fn a_rerun_has_the_winners_of_its_parent_and_no_others() {
    let api = Api::with_map().await;
    let start = async |wanted: Value| api.post("/maps/customers/syncs", &wanted).await;
    let of_field = json!({"limit": "finance", "Name": "finance"});
    let parent = json!({"kind": "reconcile", "winner": "crm", "winner_of_field": of_field, "reason": "nightly"});
    let parent = start(parent).await.json();
    assert_eq!((&parent["winner"], &parent["winner_of_field"]), (&json!("crm"), &of_field));
    let cancel = format!("/maps/customers/syncs/{}/cancel", parent["id"].as_str().unwrap());
    api.post(&cancel, &json!({"reason": "to repair"})).await;
    let rerun = |more: Value| {
        let mut rerun =
            json!({"kind": "dry_run", "selection": "differences", "parent": parent["id"], "reason": "repair"});
        rerun.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rerun
    };
    let as_its_parent = start(rerun(json!({}))).await.json();
    assert_eq!((&as_its_parent["winner"], &as_its_parent["winner_of_field"]), (&json!("crm"), &of_field));
    assert_eq!(start(rerun(json!({"winner": "crm", "winner_of_field": of_field}))).await.status, 201);
    start(rerun(json!({"winner": "finance"}))).await.is_problem(
        400,
        "invalid_request",
        "winner: must be as in the parent",
    );
    let others = rerun(json!({"winner_of_field": {"limit": "finance"}}));
    start(others).await.is_problem(400, "invalid_request", "winner_of_field: must be as in the parent");
    let plain = start(json!({"kind": "dry_run", "reason": "look"})).await.json();
    assert_eq!(plain.get("winner_of_field"), None);
}
