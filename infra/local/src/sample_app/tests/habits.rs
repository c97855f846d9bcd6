//! The habits of the apps.

use serde_json::{Value, json};

use super::super::flavor::FlavorName::{Crm, Finance};
use super::support::{FakeTandem, TestApp};

async fn set(app: &TestApp, habit: Value) {
    assert_eq!(app.post("/switches", habit).await.0, 200);
}

#[tokio::test]
async fn an_app_may_leave_out_what_others_write_and_never_what_people_do() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    set(&app, json!({"reports_own_writes": false})).await;
    assert_eq!(app.patch_name("C-1", "written").await.status(), 204);
    assert_eq!(app.get("/outbox").await, json!([]));
    assert_eq!(app.edit("C-1", json!({"name": "edited"})).await.0, 200);
    let calls = tandem.calls(1).await;
    assert_eq!((calls.len(), &calls[0]["before"]["name"]), (1, &json!("written")));
    set(&app, json!({"reports_own_writes": true})).await;
    app.patch_name("C-1", "written again").await;
    assert_eq!(tandem.calls(2).await[1]["record"]["name"], "written again");
}

#[tokio::test]
async fn an_app_that_tidies_stores_something_else_than_it_was_sent() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    set(&app, json!({"tidies": true})).await;
    let messy = json!({"OrganizationName": " Contoso ", "CreditLimitExpirationDate": "2026-12-31T12:00:00.987Z"});
    assert_eq!(app.edit("C-1", messy).await.0, 200);
    assert_eq!(tandem.calls(1).await[0]["record"]["OrganizationName"], " Contoso ", "as it was entered");
    let stored = async |name: &str| app.get("/records/C-1").await["fields"][name].clone();
    assert_eq!(stored("OrganizationName").await, "Contoso");
    assert_eq!(stored("CreditLimitExpirationDate").await, "2026-12-31T12:00:00Z");
    let patch = app.at("PATCH", "C-1").json(&json!({"OrganizationName": "Fabrikam ", "PrimaryContactPhone": "  "}));
    assert_eq!(patch.send().await.unwrap().status(), 204);
    assert_eq!(tandem.calls(2).await[1]["record"]["OrganizationName"], "Fabrikam", "as it was stored");
    assert_eq!(stored("PrimaryContactPhone").await, "");
}

#[tokio::test]
async fn an_edit_that_commits_late_is_not_seen_before() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    app.edit("C-1", json!({"name": "old"})).await;
    set(&app, json!({"commits_late_ms": 300})).await;
    let edit = app.edit("C-1", json!({"name": "new"}));
    tokio::pin!(edit);
    tokio::select! {
        _ = &mut edit => panic!("Tandem has not been asked"),
        _ = tandem.calls(2) => {}
    }
    assert_eq!(app.get("/records/C-1").await["fields"]["name"], "old");
    assert_eq!(edit.await.0, 200);
    assert_eq!(app.get("/records/C-1").await["fields"]["name"], "new");
}

#[tokio::test]
async fn an_app_that_has_no_image_of_what_was_before_does_not_say_that_there_was_none() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    app.edit("C-1", json!({"name": "new"})).await;
    set(&app, json!({"tells_before": false})).await;
    app.edit("C-1", json!({"name": "edited"})).await;
    app.patch_name("C-1", "patched").await;
    let calls = tandem.calls(3).await;
    let before: Vec<_> = calls.iter().map(|call| call.get("before")).collect();
    assert_eq!(before, [Some(&Value::Null), None, None]);
}
