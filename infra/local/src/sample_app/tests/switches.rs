//! The app with each of its faults.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::flavor::FlavorName::{Crm, Finance};
use super::support::{FakeTandem, TestApp};

async fn break_it(app: &TestApp, switch: Value) {
    assert_eq!(app.post("/switches", switch).await.0, 200);
}

#[tokio::test]
async fn apply_then_drop_stores_the_change_once_and_never_answers() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    break_it(&app, json!({"mode": "apply_then_drop", "remaining": 2, "idempotency_keys": true})).await;
    let patch = || app.at("PATCH", "C-1").header("idempotency-key", "k").json(&json!({"name": "x"})).send();
    assert_eq!(app.data("GET", "").send().await.unwrap().status(), 200);
    assert!(patch().await.unwrap_err().is_request());
    assert_eq!(app.get("/records/C-1").await["version"], 1);
    assert_eq!(tandem.call_count(), 1);
    assert!(patch().await.is_err());
    let answer = patch().await.unwrap();
    assert_eq!(answer.status(), 204);
    assert_eq!(app.get("/records/C-1").await["version"], 1);
    assert_eq!(tandem.call_count(), 1);
    let calls = app.get("/calls?key=C-1").await;
    let calls: Vec<_> = calls.as_array().unwrap().iter().map(|c| json!([c["status"], c["applied"]])).collect();
    assert_eq!(calls, [json!([null, true]), json!([null, false]), json!([204, false])]);
}

#[tokio::test]
async fn down_and_reset_cut_the_connection_and_apply_nothing() {
    let app = TestApp::alone(Crm).await;
    for mode in ["down", "reset"] {
        break_it(&app, json!({"mode": mode})).await;
        let answer = app.at("PATCH", "C-1").json(&json!({"name": "x"})).send().await;
        assert!(answer.is_err(), "{mode}");
        assert!(app.data("GET", "").send().await.is_err(), "{mode}");
    }
    assert_eq!(app.get("/records").await, json!([]));
    break_it(&app, json!({"mode": "normal"})).await;
    assert_eq!(app.patch_name("C-1", "x").await.status(), 204);
    let calls = app.get("/calls").await;
    let switches: Vec<_> = calls.as_array().unwrap().iter().map(|call| call["switch"].clone()).collect();
    assert_eq!(switches, ["down", "down", "reset", "reset", "normal"]);
}

#[tokio::test]
async fn failing_modes_answer_with_their_status_for_as_many_calls_as_told() {
    let codes = [
        ("500", 500, "0x80040216"),
        ("503", 503, "0x80040216"),
        ("429", 429, "0x80072322"),
        ("reject", 400, "0x80040265"),
    ];
    for (flavor, (mode, status, code)) in [Crm, Finance].into_iter().flat_map(|flavor| codes.map(|code| (flavor, code)))
    {
        let app = TestApp::alone(flavor).await;
        assert_eq!(app.edit("C-1", json!({app.app.flavor.fields[0].name: "x"})).await.0, 200);
        break_it(&app, json!({"mode": mode, "remaining": 2, "retry_after_seconds": 7})).await;
        for _ in 0..2 {
            let answer = app.patch_name("C-1", "y").await;
            assert_eq!(answer.status(), status);
            let retry_after = answer.headers().get("retry-after").cloned();
            assert_eq!(retry_after, (mode == "429").then(|| "7".parse().unwrap()));
            let error = answer.json::<Value>().await.unwrap()["error"].clone();
            assert_eq!(error["code"], if flavor == Crm { code } else { "" });
            assert_eq!(error["innererror"]["message"].is_string(), flavor == Finance);
        }
        assert_eq!(app.patch_name("C-1", "y").await.status(), 204, "{mode}");
        assert_eq!(app.get("/switches").await["mode"], "normal");
    }
    let app = TestApp::alone(Crm).await;
    assert_eq!(app.post("/switches", json!({"mode": "asleep"})).await.0, 422);
}

#[tokio::test]
async fn a_slow_app_finishes_a_change_even_if_its_caller_has_gone() {
    let app = TestApp::alone(Crm).await;
    break_it(&app, json!({"mode": "slow", "delay_ms": 300, "remaining": 2})).await;
    let start = Instant::now();
    assert_eq!(app.patch_name("C-1", "patient").await.status(), 204);
    assert!(start.elapsed() >= Duration::from_millis(300));
    let patch = app.at("PATCH", "C-1").json(&json!({"name": "hasty"}));
    assert!(patch.timeout(Duration::from_millis(50)).send().await.unwrap_err().is_timeout());
    app.until("/records/C-1", |row| row["fields"]["name"] == "hasty").await;
}
