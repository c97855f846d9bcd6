//! `/syncs`: runs of several maps.

use serde_json::{Value, json};

use super::{harness::map_config, syncs::described};

#[tokio::test]
async fn maps_that_refer_to_each_other_are_started_in_order_and_a_circle_is_named() {
    let api = described().await;
    let mut orders = map_config();
    for (at, entity) in [(0, "SalesOrders"), (1, "orders")] {
        orders["sides"][at]["entity"] = json!(entity);
    }
    let owner =
        |entity: &str| json!({"names": {"finance": "Owner", "crm": "owner"}, "lookup": {"crm": {"entity": entity}}});
    orders["fields"].as_array_mut().unwrap().push(owner("accounts"));
    assert_eq!(api.put("/maps/orders", &orders).await.status, 201);
    let dry = json!({"maps": ["orders", "customers"], "kind": "dry_run", "reason": "look"});
    let runs = api.post("/syncs", &dry).await.json();
    let names =
        |runs: &Value| runs["runs"].as_array().unwrap().iter().map(|run| run["map"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&runs), [json!("customers"), json!("orders")]);
    assert_eq!(runs["runs"][1].get("waits_for"), None, "what writes nothing waits for nothing");
    let wanted = json!({"maps": ["orders", "customers"], "kind": "initial_sync", "reason": "go live"});
    let refused = api.post("/syncs", &wanted).await;
    refused.is_problem(409, "sync_problems", "entity: map orders: finance");
    assert!(!refused.problem().2.contains("lookup_not_synced"), "{refused:?}");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning", "nothing was started");
    let mut despite = wanted.clone();
    despite["despite"] = json!(["entity", "fields"]);
    let runs = api.post("/syncs", &despite).await;
    assert_eq!(runs.status, 201, "{runs:?}");
    let runs = runs.json();
    assert_eq!(runs["runs"][1]["waits_for"], json!([{"map": "customers", "run": runs["runs"][0]["id"]}]));
    assert_eq!(api.get("/maps/customers").await.json()["state"], "Initializing");
    assert_eq!(api.get("/maps/orders").await.json()["state"], "NotRunning");
    for (wrong, says) in [
        (json!([]), "maps: must be 1 to 50 maps"),
        (json!(["orders", "orders"]), "maps: must be 1 to 50 maps, each once"),
    ] {
        let request = json!({"maps": wrong, "kind": "dry_run", "reason": "look"});
        api.post("/syncs", &request).await.is_problem(400, "invalid_request", says);
    }
    let mut customers = map_config();
    customers["fields"].as_array_mut().unwrap().push(owner("orders"));
    assert_eq!(api.put_if("/maps/customers", "*", &customers).await.status, 200);
    let circle = "maps: refer to each other in a circle: orders → customers → orders";
    api.post("/syncs", &dry).await.is_problem(400, "invalid_request", circle);
}
