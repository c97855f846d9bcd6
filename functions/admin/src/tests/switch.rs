//! Running and stopping a map.

use app::ports::{ConfigStore, Role};
use domain::{Map, MapId, MapState, Timestamp};
use serde_json::json;
use testkit::config::Mishap;

use super::harness::{Api, NOON};

fn why() -> serde_json::Value {
    json!({"reason": "go-live"})
}

#[tokio::test]
async fn a_map_says_who_brought_it_where_it_is_and_why() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Operator).await;
    let new = api.get("/maps/customers").await.json();
    assert_eq!(
        (&new["state"], &new["reason"], &new["actor"]),
        (&json!("NotRunning"), &json!("created"), &json!("first-admin"))
    );
    let ran = api.post("/maps/customers/run", &json!({"reason": " go-live "})).await;
    assert_eq!((ran.status, ran.header("etag")), (200, Some("\"2\"")));
    let ran = ran.json();
    assert_eq!(
        (&ran["state"], &ran["reason"], &ran["actor"]),
        (&json!("Running"), &json!("go-live"), &json!("the operator"))
    );
    assert_eq!((&ran["epoch"], &ran["since"]), (&json!(1), &json!(NOON)));
    let stopped = api.post("/maps/customers/stop", &json!({"reason": "enough"})).await.json();
    assert_eq!((&stopped["state"], &stopped["epoch"]), (&json!("Stopped"), &json!(2)));
}

#[tokio::test]
async fn a_repeat_changes_nothing_and_is_no_error() {
    let api = Api::with_map().await;
    let stopped = api.post("/maps/customers/stop", &why()).await;
    assert_eq!((stopped.status, &stopped.json()["state"]), (200, &json!("NotRunning")));
    let first = api.post("/maps/customers/run", &why()).await.json();
    let again = api.post("/maps/customers/run", &json!({"reason": "once more"})).await;
    assert_eq!((again.status, again.json()), (200, first));
}

#[tokio::test]
async fn a_map_that_is_paused_is_not_run() {
    let api = Api::with_map().await;
    let id: MapId = "customers".parse().unwrap();
    let map = api.world.store.map(&id).await.unwrap().unwrap();
    let paused = Map { state: MapState::Paused, since: Timestamp(1), version: 2, ..map };
    api.world.store.save_map(&paused, 1, &testkit::sample::line()).await.unwrap();
    api.post("/maps/customers/run", &why()).await.is_problem(409, "illegal_command", "map: is Paused");
    assert_eq!(api.post("/maps/customers/stop", &why()).await.json()["state"], "Stopped");
}

#[tokio::test]
async fn a_map_is_run_when_both_of_its_sides_exist() {
    let api = Api::with_map().await;
    let id = "crm".parse().unwrap();
    api.world.store.delete_side(&id, 1, &testkit::sample::line()).await.unwrap();
    let answer = api.post("/maps/customers/run", &why()).await;
    answer.is_problem(409, "side_missing", "sides[1].side: there is no side crm");
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning");
}

#[tokio::test]
async fn a_reason_must_be_given() {
    let api = Api::with_map().await;
    for (body, says) in [
        (json!({}), "body: missing field `reason`"),
        (json!({"reason": "  "}), "reason: must say why"),
        (json!({"reason": "a\r\nb"}), "reason: must say why"),
        (json!({"reason": "x".repeat(501)}), "reason: must say why"),
        (json!({"reason": null}), "reason: invalid type"),
        (json!({"reason": "x", "force": true}), "force: unknown field"),
    ] {
        api.post("/maps/customers/run", &body).await.is_problem(400, "invalid_request", says);
    }
    api.post("/maps/none/run", &why()).await.is_problem(404, "map_not_found", "");
    api.post("/maps/none/stop", &why()).await.is_problem(404, "map_not_found", "");
}

#[tokio::test]
async fn a_command_is_decided_anew_when_the_map_changed_meanwhile() {
    let api = Api::with_map().await;
    // Reads: the map, two sides; then the save, which is overtaken. The next round finds the map as it is.
    api.world.store.after(3, Mishap::Overtaken);
    assert_eq!(api.post("/maps/customers/run", &why()).await.json()["state"], "Running");
    api.world.store.after(1, Mishap::AnswerLost);
    let stopped = api.post("/maps/customers/stop", &why()).await.json();
    assert_eq!((&stopped["state"], &stopped["epoch"]), (&json!("Stopped"), &json!(2)), "stopped once");
}
