//! `/maps/{map}/syncs`.

use serde_json::json;

use super::harness::Api;

#[tokio::test]
async fn a_run_is_started_steered_and_listed_with_counts_that_add_up() {
    let api = Api::with_map().await;
    let wanted =
        json!({"kind": "initial_sync", "winner": "crm", "legs": {"finance": "create_only"}, "reason": "go live"});
    let made = api.post("/maps/customers/syncs", &wanted).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let run = made.json();
    assert_eq!(
        (&run["kind"], &run["state"], &run["phase"]),
        (&json!("initial_sync"), &json!("running"), &json!("listing"))
    );
    assert_eq!((&run["winner"], &run["legs"]["finance"]["choice"]), (&json!("crm"), &json!("create_only")));
    assert_eq!(run["legs"]["crm"]["read"], 0);
    assert_eq!(api.get("/maps/customers").await.json()["state"], "Initializing", "the run starts the map");
    let again = api.post("/maps/customers/syncs", &wanted).await;
    again.is_problem(409, "sync_active", "map");
    let path = format!("/maps/customers/syncs/{}", run["id"].as_str().unwrap());
    let paused = api.post(&format!("{path}/pause"), &json!({"reason": "quarter end"})).await.json();
    assert_eq!(
        (&paused["state"], &paused["stall"]["why"]),
        (&json!("paused"), &json!("first-admin has paused it: quarter end"))
    );
    assert_eq!(api.post(&format!("{path}/resume"), &json!({"reason": "go on"})).await.json()["state"], "running");
    assert_eq!(api.get(&format!("{path}/records")).await.json(), json!({"records": []}));
    api.post(&format!("{path}/jump"), &json!({"reason": "go on"})).await.is_problem(400, "invalid_request", "command");
    let cancelled = api.post(&format!("{path}/cancel"), &json!({"reason": "wrong side"})).await.json();
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "Running", "changes flow on");
    api.post(&format!("{path}/resume"), &json!({"reason": "go on"})).await.is_problem(409, "sync_over", "");
    let rerun = json!({"kind": "initial_sync", "selection": "failed", "parent": run["id"], "reason": "mended"});
    let rerun = api.post("/maps/customers/syncs", &rerun).await.json();
    assert_eq!((&rerun["phase"], &rerun["parent"]), (&json!("selecting"), &run["id"]));
    let listed = api.get("/maps/customers/syncs?limit=1").await.json();
    assert_eq!((&listed["runs"][0]["id"], &listed["next"]), (&rerun["id"], &rerun["id"]));
    let second = api.get(&format!("/maps/customers/syncs?before={}", rerun["id"].as_str().unwrap())).await.json();
    assert_eq!((second["runs"].as_array().unwrap().len(), &second["runs"][0]["id"]), (1, &run["id"]));
    api.get("/maps/customers/syncs/x").await.is_problem(404, "unknown_sync_run", "");
}

#[tokio::test]
async fn every_mistake_in_a_request_for_a_run_is_named() {
    let api = Api::with_map().await;
    let start = async |wrong: serde_json::Value| api.post("/maps/customers/syncs", &wrong).await;
    for (wrong, field) in [
        (json!({"kind": "copy", "reason": "go"}), "kind"),
        (json!({"kind": "dry_run"}), "body: missing field `reason`"),
        (json!({"kind": "dry_run", "reason": " "}), "reason"),
        (json!({"kind": "dry_run", "reason": "go", "winner": "erp"}), "winner"),
        (json!({"kind": "dry_run", "reason": "go", "legs": {"erp": "all"}}), "legs.erp"),
        (json!({"kind": "dry_run", "reason": "go", "legs": {"crm": "off", "finance": "off"}}), "legs"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "some"}), "selection"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "failed"}), "parent"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "record"}), "key"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "cause"}), "cause"),
        (json!({"kind": "dry_run", "reason": "go", "selection": "cause", "cause": "7"}), "cause"),
        (json!({"kind": "dry_run", "reason": "go", "key": "C-1"}), "key"),
        (json!({"kind": "dry_run", "reason": "go", "parent": "7"}), "parent"),
    ] {
        start(wrong).await.is_problem(400, "invalid_request", field);
    }
    let unknown =
        json!({"kind": "dry_run", "reason": "go", "selection": "failed", "parent": "01KAQ5Z3S8XYZABCDEFGHJKMNP"});
    start(unknown).await.is_problem(404, "unknown_sync_run", "");
    api.post("/maps/orders/syncs", &json!({"kind": "dry_run", "reason": "go"})).await.is_problem(
        404,
        "map_not_found",
        "",
    );
    let run = start(json!({"kind": "dry_run", "reason": "go"})).await;
    assert_eq!(run.status, 201, "a dry run needs no map that runs");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning");
}
