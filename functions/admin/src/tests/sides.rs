//! Sides: made, changed with their version, tried, deleted.

use app::ports::{Gauges, PortError, Role};
use axum::http::Method;
use domain::{
    ErrorClass, Failure, Timestamp,
    failure::CallEffect,
    side::{Health, Trouble},
};
use serde_json::{Value, json};
use testkit::config::Mishap;

use super::harness::{Api, side_config};

fn with_url(url: &str) -> Value {
    let mut config = side_config();
    config["connector"]["base_url"] = json!(url);
    config
}

#[tokio::test]
async fn a_side_is_made_read_changed_and_deleted() {
    let api = Api::new();
    api.get("/sides/erp").await.is_problem(404, "side_not_found", "");
    let made = api.put("/sides/erp", &side_config()).await;
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    let read = api.get("/sides/erp").await;
    assert_eq!((read.status, read.header("etag")), (200, Some("\"1\"")));
    assert_eq!(read.json(), made.json());
    assert_eq!(read.json()["config"]["request_timeout_ms"], 10_000, "what was left out is told");
    let changed = api.put_if("/sides/erp", "\"1\"", &with_url("https://new.example/")).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    assert_eq!(api.get("/sides").await.json()["sides"], json!([changed.json()]));
    assert_eq!(api.delete("/sides/erp").await.status, 204);
    api.delete("/sides/erp").await.is_problem(404, "side_not_found", "");
}

#[tokio::test]
async fn a_side_says_how_its_app_answers() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let erp = "erp".parse().unwrap();
    let at = |ms| Some(Timestamp(1_795_428_000_000).plus_ms(ms));
    let taken = Health { taken_at: at(0), answered_at: at(0), trouble: None };
    api.world.lanes.note_health(&erp, &taken).await.unwrap();
    let health = || async { api.get("/sides/erp").await.json()["health"].clone() };
    assert_eq!(health().await, json!({"taken_at": "2026-11-23T10:00:00Z"}));
    let since = at(60_000).unwrap();
    let trouble = Some(Trouble { since, class: ErrorClass::Network, calls: 4 });
    api.world.lanes.note_health(&erp, &Health { trouble, ..taken }).await.unwrap();
    let told = health().await;
    assert_eq!(told["trouble"]["class"], "network", "{told}");
    assert_eq!(told["trouble"]["message"], "erp has not answered since 2026-11-23T10:01:00Z (network)", "{told}");
    assert_eq!(api.get("/sides").await.json()["sides"][0]["health"], told);
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let new = with_url("https://new.example/");
    api.put("/sides/erp", &new).await.is_problem(
        428,
        "version_missing",
        "If-Match: is missing; the stored version is 1",
    );
    api.put_if("/sides/erp", "\"7\"", &new).await.is_problem(412, "version_changed", "If-Match: does not match");
    api.put_if("/sides/erp", "7", &new).await.is_problem(400, "invalid_request", "If-Match: must be *");
    api.put_if("/sides/other", "\"1\"", &new).await.is_problem(412, "version_changed", "If-Match");
    api.put_if("/sides/other", "*", &new).await.is_problem(412, "version_changed", "If-Match");
    let create_only = [("if-none-match", "*")];
    api.json(Method::PUT, "/sides/erp", &create_only, &new).await.is_problem(412, "exists", "If-None-Match");
    assert_eq!(api.json(Method::PUT, "/sides/third", &create_only, &new).await.status, 201);
    assert_eq!(api.get("/sides/erp").await.header("etag"), Some("\"1\""), "none of these changed it");
    assert_eq!(api.put_if("/sides/erp", "*", &new).await.header("etag"), Some("\"2\""));
    let other = api.send(Method::DELETE, "/sides/erp", &[("if-match", "\"1\"")], None).await;
    other.is_problem(412, "version_changed", "If-Match");
    assert_eq!(api.send(Method::DELETE, "/sides/erp", &[("if-match", "\"2\"")], None).await.status, 204);
}

#[tokio::test]
async fn deploying_the_same_side_again_changes_nothing() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let again = api.put("/sides/erp", &side_config()).await;
    assert_eq!((again.status, again.header("etag")), (200, Some("\"1\"")));
    assert_eq!(api.put_if("/sides/erp", "\"9\"", &side_config()).await.status, 200, "it is as the caller wants it");
}

#[tokio::test]
async fn who_is_overtaken_is_told_and_a_lost_answer_is_no_failure() {
    let api = Api::new();
    api.world.store.after(1, Mishap::Overtaken);
    api.put("/sides/erp", &side_config()).await.is_problem(412, "version_changed", "If-Match");
    api.world.store.after(1, Mishap::AnswerLost);
    assert_eq!(api.put("/sides/erp", &side_config()).await.status, 201);
    api.world.store.after(1, Mishap::AnswerLost);
    assert_eq!(api.put_if("/sides/erp", "\"1\"", &with_url("https://new.example/")).await.status, 200);
    api.world.store.after(2, Mishap::Overtaken);
    api.delete("/sides/erp").await.is_problem(412, "version_changed", "If-Match");
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_or_a_500() {
    let api = Api::new();
    for (calls, error, status, code) in [
        (0, PortError::Transient("secret table".into()), 503, "unavailable"),
        (1, PortError::Transient("secret table".into()), 503, "unavailable"),
        (1, PortError::Permanent("secret arn".into()), 500, "internal"),
    ] {
        api.world.store.after(calls, Mishap::Fails(error));
        let answer = api.put("/sides/erp", &side_config()).await;
        answer.is_problem(status, code, "");
        assert!(!answer.text.contains("secret"));
    }
}

#[tokio::test]
async fn a_side_that_a_map_uses_stays() {
    let api = Api::with_map().await;
    api.delete("/sides/crm").await.is_problem(409, "side_in_use", "side: is used by the map customers");
    assert_eq!(api.delete("/maps/customers").await.status, 204);
    assert_eq!(api.delete("/sides/crm").await.status, 204);
}

#[tokio::test]
async fn a_connection_test_says_what_it_found_and_where_to_look() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Operator).await;
    let fine = api.send(Method::POST, "/sides/crm/test", &[], None).await;
    assert_eq!(fine.json(), json!({"ok": true, "took_ms": 0}));
    assert_eq!(api.post("/sides/crm/test", &json!({"entity": "accounts"})).await.json()["ok"], true);
    let asked = api.world.apps.asked.lock().unwrap().clone();
    assert_eq!(asked, [("crm".to_owned(), None), ("crm".to_owned(), Some("accounts".to_owned()))]);
    let failure = Failure::new(ErrorClass::Network, CallEffect::NotApplied, Some("E1".into()), "connection refused");
    *api.world.apps.outcome.lock().unwrap() = Some(failure);
    let tested = api.post("/sides/crm/test", &json!({})).await;
    assert_eq!(tested.status, 200, "that the app does not answer is the result");
    let failure = &tested.json()["failure"];
    assert_eq!(
        (&tested.json()["ok"], &failure["class"], &failure["code"]),
        (&json!(false), &json!("network"), &json!("E1"))
    );
    assert!(failure["hint"].as_str().unwrap().contains("erp.example"), "{failure}");
    api.post("/sides/none/test", &json!({})).await.is_problem(404, "side_not_found", "");
    api.post("/sides/crm/test", &json!({"entiy": "x"})).await.is_problem(
        400,
        "invalid_request",
        "entiy: unknown field",
    );
}
