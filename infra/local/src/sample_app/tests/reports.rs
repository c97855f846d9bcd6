//! The app's reports of changes that come over the data API.

use serde_json::json;

use super::super::flavor::FlavorName::Crm;
use super::support::{API_KEY, FakeTandem, Order, SECRET, TestApp};

#[tokio::test]
async fn a_change_is_reported_before_it_is_answered() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    assert_eq!(app.patch_name("C-1", "one").await.status(), 204);
    assert_eq!(tandem.call_count(), 1);
    assert_eq!(app.patch_name("C-1", "two").await.status(), 204);
    assert_eq!(app.at("DELETE", "C-1").send().await.unwrap().status(), 204);
    let calls = tandem.calls(3).await;
    let one = json!({
        "name": "one", "creditlimit": 0, "customertypecode": 3, "telephone1": null, "creditonhold": false,
        "_primarycontactid_value": null, "new_creditlimitexpires": null
    });
    assert_eq!(calls[0]["record"], one);
    assert_eq!((&calls[0]["origin"], &calls[0]["mode"]), (&json!("crm"), &json!("committed")));
    assert!(calls[0]["committed_at"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!((&calls[1]["before"], &calls[1]["version"]), (&one, &json!(2)));
    assert_eq!((&calls[2]["op"], &calls[2]["version"]), (&json!("delete"), &json!(3)));
    assert!(calls.is_sorted_by(|a, b| a["id"].as_str() < b["id"].as_str()));
}

#[tokio::test]
async fn a_report_without_an_answer_is_repeated_under_its_id_and_in_its_place() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let busy = || Order::Say(409, json!({"code": "write_in_progress"}));
    tandem.next([
        Order::Cut,
        Order::Say(503, json!({})),
        busy(),
        Order::Say(401, json!({})),
        Order::Say(429, json!({})),
    ]);
    assert_eq!(app.patch_name("C-1", "one").await.status(), 204);
    assert_eq!(app.patch_name("C-1", "two").await.status(), 204);
    app.until("/outbox", |left| *left == json!([])).await;
    let calls = tandem.calls(7).await;
    assert!(calls[..6].iter().all(|call| *call == calls[0]), "the first is repeated, unchanged, before the second");
    assert_eq!((&calls[5]["record"]["name"], &calls[6]["record"]["name"]), (&json!("one"), &json!("two")));
}

#[tokio::test]
async fn reports_left_over_are_delivered_after_a_restart() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let nowhere = json!({"sync_write_url": "http://127.0.0.1:9"});
    let set = |body| app.request(reqwest::Method::POST, "/settings").header("x-api-key", API_KEY).json(&body).send();
    assert_eq!(set(nowhere).await.unwrap().status(), 200);
    assert_eq!(app.patch_name("C-1", "one").await.status(), 204);
    let left = app.get("/outbox").await;
    assert_eq!((&left[0]["state"], &left[0]["problem"]), (&json!("waiting"), &json!("Tandem cannot be reached")));
    let restarted = TestApp::open(app.config.clone()).await;
    assert_eq!(tandem.calls(1).await[0]["id"], left[0]["id"]);
    restarted.until("/outbox", |left| *left == json!([])).await;
}

#[tokio::test]
async fn a_refused_report_is_set_aside_and_the_next_goes_on() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    tandem.next([Order::Say(422, json!({"title": "no such customer group"}))]);
    app.patch_name("C-1", "one").await;
    app.patch_name("C-1", "two").await;
    assert_eq!(tandem.call_count(), 2);
    let left = app.get("/outbox").await;
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!((&left[0]["state"], &left[0]["problem"]), (&json!("failed"), &json!("no such customer group")));
}

#[tokio::test]
async fn a_report_that_has_grown_too_old_gets_a_new_id_once() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let too_old = || Order::Say(409, json!({"code": "write_id_too_old"}));
    tandem.next([too_old()]);
    app.patch_name("C-1", "one").await;
    let calls = tandem.calls(2).await;
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(app.get("/outbox").await, json!([]));
    tandem.next([too_old(), too_old()]);
    app.patch_name("C-1", "two").await;
    assert_eq!(app.get("/outbox").await[0]["state"], "failed");
}

#[tokio::test]
async fn an_edit_waits_for_the_report_of_an_earlier_change() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let down = || Order::Say(500, json!({}));
    tandem.next((0..3).map(|_| down()));
    app.patch_name("C-1", "one").await;
    app.until("/outbox", |left| *left == json!([])).await;
    assert_eq!(app.edit("C-1", json!({"name": "two"})).await.0, 200);
    let modes: Vec<_> = tandem.calls(5).await.iter().map(|call| call["mode"].clone()).collect();
    assert_eq!(modes, ["committed", "committed", "committed", "committed", "sync"]);

    let set = app.request(reqwest::Method::POST, "/settings").header("x-api-key", API_KEY);
    set.json(&json!({"sync_write_url": "http://127.0.0.1:9"})).send().await.unwrap();
    app.patch_name("C-1", "three").await;
    let (status, body) = app.edit("C-1", json!({"name": "four"})).await;
    assert_eq!(status, 409);
    assert!(body["error"].as_str().unwrap().contains("earlier change"), "{body}");
    assert_eq!(app.get("/records/C-1").await["fields"]["name"], "three");
}

#[tokio::test]
async fn nothing_is_reported_before_the_app_is_connected() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::alone(Crm).await;
    app.patch_name("C-1", "one").await;
    assert_eq!(app.get("/outbox").await, json!([]));
    let settings = json!({"sync_write_url": tandem.url, "hmac_secret": SECRET});
    assert_eq!(app.post("/settings", settings.clone()).await.0, 401);
    let set = |body| app.request(reqwest::Method::POST, "/settings").header("x-api-key", API_KEY).json(&body).send();
    assert_eq!(set(json!({"hmac_secret": "secret"})).await.unwrap().status(), 400);
    assert_eq!(set(settings).await.unwrap().status(), 200);
    app.patch_name("C-1", "two").await;
    let calls = tandem.calls(1).await;
    assert_eq!((calls.len(), &calls[0]["version"]), (1, &json!(2)));
}
