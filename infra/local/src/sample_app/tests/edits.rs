//! A person's edits, with every answer that Tandem may give, and without one.

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::super::flavor::FlavorName::{Crm, Finance};
use super::super::outbox;
use super::super::record::Row;
use super::super::store;
use super::super::tandem::Mode;
use super::support::{FakeTandem, Order, TestApp};

fn fields(name: &str) -> Value {
    json!({
        "OrganizationName": name, "CreditLimit": 0, "CustomerGroupId": "10", "PrimaryContactPhone": "", "OnHold": "No",
        "ContactPersonId": "", "CreditLimitExpirationDate": "1900-01-01T00:00:00Z"
    })
}

#[tokio::test]
async fn an_edit_asks_tandem_with_the_whole_record_and_commits() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    let (status, body) = app.edit("C-1", json!({"OrganizationName": "Contoso"})).await;
    let calls = tandem.calls(1).await;
    assert_eq!(status, 200);
    assert_eq!(body["message"], "Saved; crm has it too.");
    assert_eq!(body["tandem"]["status"], "written");
    assert_eq!(body["id"], calls[0]["id"]);
    let mut call = calls[0].clone();
    let id = call.as_object_mut().unwrap().remove("id").unwrap();
    assert_eq!(id.as_str().unwrap().parse::<ulid::Ulid>().unwrap().to_string(), id.as_str().unwrap());
    let expected = json!({
        "map": "customers", "key": "C-1", "op": "upsert", "origin": "finance", "mode": "sync",
        "record": fields("Contoso"), "before": null, "version": 1
    });
    assert_eq!(call, expected);
    assert_eq!(app.get("/records/C-1").await, json!({"key": "C-1", "fields": fields("Contoso"), "version": 1}));

    let (status, _) = app.post("/delete", json!({"key": "C-1"})).await;
    assert_eq!(status, 200);
    let call = &tandem.calls(2).await[1];
    assert_eq!((&call["op"], &call["before"], &call["version"]), (&json!("delete"), &fields("Contoso"), &json!(2)));
    assert_eq!(call.get("record"), None);
    assert_eq!(app.get("/records").await, json!([]));
    assert_eq!(app.get("/outbox").await, json!([]));
}

#[tokio::test]
async fn a_refused_edit_is_rolled_back_and_says_why() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    app.edit("C-1", fields("Contoso")).await;
    let says = json!({"side": "crm", "class": "application", "code": "CreditLimitExceeded",
        "message": "Credit limit above 1,000,000"});
    let problem = json!({"code": "refused", "title": "Refused", "detail": "See app.", "app": says});
    tandem.next([Order::Say(422, problem.clone())]);
    let (status, body) = app.edit("C-1", json!({"CreditLimit": 2_000_000})).await;
    assert_eq!(status, 422);
    assert_eq!(body["error"], "Not saved: crm refused: Credit limit above 1,000,000.");
    assert_eq!(body["problem"], problem);
    assert_eq!(app.get("/records/C-1").await["fields"], fields("Contoso"));
    tandem.next([Order::Say(422, problem)]);
    assert_eq!(app.post("/delete", json!({"key": "C-1"})).await.0, 422);
    assert_eq!(app.get("/records/C-1").await["fields"], fields("Contoso"));
    assert_eq!(app.get("/outbox").await, json!([]));
    assert_eq!(tandem.call_count(), 3);
}

#[tokio::test]
async fn what_the_app_itself_refuses_never_reaches_tandem() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let (status, body) = app.edit("C-1", json!({"name": "x", "creditlimit": 2_000_000})).await;
    assert_eq!((status, &body["error"]), (422, &json!("Not saved: Credit limit above 1,000,000")));
    assert_eq!(app.post("/delete", json!({"key": "C-1"})).await.0, 422);
    assert_eq!(tandem.call_count(), 0);
}

#[tokio::test]
async fn an_edit_is_repeated_under_the_same_id_until_it_is_answered() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    let busy = json!({"code": "write_in_progress"});
    let queued = json!({"id": "x", "status": "queued"});
    tandem.next([Order::Cut, Order::Say(409, busy), Order::Say(503, json!({})), Order::Say(202, queued)]);
    let (status, body) = app.edit("C-1", fields("Contoso")).await;
    assert_eq!(
        (status, &body["message"]),
        (200, &json!("Saved; crm gets it as soon as possible, Tandem has queued it."))
    );
    let calls = tandem.calls(4).await;
    assert!(calls.iter().all(|call| *call == calls[0]));
    assert_eq!(app.get("/records/C-1").await["version"], 1);
    assert_eq!(app.get("/outbox").await, json!([]));
}

#[tokio::test]
async fn an_edit_without_an_answer_is_rolled_back_and_tandem_is_told_what_stands() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    app.edit("C-1", fields("old")).await;
    tandem.next([Order::Cut, Order::Cut, Order::Cut]);
    let (status, body) = app.edit("C-1", fields("new")).await;
    assert_eq!(status, 409);
    assert!(body["error"].as_str().unwrap().starts_with("Not saved: Tandem broke the connection off."), "{body}");
    let calls = tandem.calls(5).await;
    let told = &calls[4];
    assert_ne!(told["id"], calls[3]["id"]);
    assert_eq!((&told["mode"], &told["record"]), (&json!("committed"), &fields("old")));
    assert_eq!((&told["before"], &told["version"]), (&fields("new"), &json!(3)));
    app.until("/outbox", |left| *left == json!([])).await;
    assert_eq!(app.get("/records/C-1").await, json!({"key": "C-1", "fields": fields("old"), "version": 3}));
    app.edit("C-1", fields("newer")).await;
    assert_eq!(tandem.calls(6).await[5]["version"], 4);
}

#[tokio::test]
async fn an_edit_cut_off_by_the_end_of_the_process_is_settled_at_the_next_start() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    app.edit("C-1", fields("old")).await;
    let before = app.app.store.run(|db| store::load(db, "C-1")).unwrap();
    let tried = Row { fields: fields("new").as_object().cloned(), version: 2 };
    let restored = Row { version: 3, ..before };
    let write = app.app.write("C-1", &tried, &restored, Mode::Committed);
    app.app.store.run(|db| outbox::begin_doubt(db, &write)).unwrap();
    let restarted = TestApp::open(app.config.clone()).await;
    let told = &tandem.calls(2).await[1];
    assert_eq!((&told["record"], &told["version"]), (&fields("old"), &json!(3)));
    restarted.until("/outbox", |left| *left == json!([])).await;
    assert_eq!(restarted.get("/records/C-1").await["version"], 3);
}

#[tokio::test]
async fn an_id_that_is_too_old_is_replaced_once() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    let too_old = || Order::Say(409, json!({"code": "write_id_too_old", "title": "too old"}));
    tandem.next([too_old()]);
    assert_eq!(app.edit("C-1", fields("a")).await.0, 200);
    let calls = tandem.calls(2).await;
    assert!(calls[0]["id"].as_str() < calls[1]["id"].as_str());
    tandem.next([too_old(), too_old()]);
    let (status, body) = app.edit("C-1", fields("b")).await;
    assert_eq!((status, &body["error"]), (409, &json!("Not saved: too old.")));
    assert_eq!(tandem.call_count(), 4);
    assert_eq!(app.get("/records/C-1").await["fields"], fields("a"));
}

#[tokio::test]
async fn a_patch_waits_for_the_edit_that_holds_the_record_and_other_records_do_not() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Crm, &tandem).await;
    let (release, held) = oneshot::channel();
    tandem.next([Order::Hold(held)]);
    let edit = app.edit("C-1", json!({"name": "edited"}));
    let patch = async {
        tandem.calls(1).await;
        let patch = app.patch_name("C-1", "patched");
        tokio::pin!(patch);
        let other = tokio::select! {
            other = app.patch_name("C-2", "other") => other,
            _ = &mut patch => panic!("the record is locked"),
        };
        assert_eq!(other.status(), 204);
        assert_eq!(app.get("/records/C-1").await["ok"], false);
        release.send(()).unwrap();
        patch.await
    };
    let ((status, _), patched) = tokio::join!(edit, patch);
    assert_eq!((status, patched.status().as_u16()), (200, 204));
    assert_eq!(app.get("/records/C-1").await["fields"]["name"], "patched");
    let reported = &tandem.calls(3).await[2];
    assert_eq!((&reported["before"]["name"], &reported["version"]), (&json!("edited"), &json!(2)));
}

#[tokio::test]
async fn an_edit_goes_on_when_its_page_is_closed() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    let (release, held) = oneshot::channel();
    tandem.next([Order::Hold(held)]);
    tokio::select! {
        _ = app.edit("C-1", fields("edited")) => panic!("Tandem has not answered"),
        _ = tandem.calls(1) => {}
    }
    release.send(()).unwrap();
    app.until("/records", |rows| rows[0]["fields"] == fields("edited")).await;
}

#[tokio::test]
async fn without_tandem_an_edit_is_saved_here_only() {
    let app = TestApp::alone(Finance).await;
    let (status, body) = app.edit("C-1", fields("a")).await;
    assert_eq!((status, &body["id"], &body["tandem"]), (200, &Value::Null, &Value::Null));
    assert_eq!(body["message"], "Saved here only; not connected to Tandem yet.");
}

#[tokio::test]
async fn an_edit_that_tandem_does_not_keep_is_rolled_back_at_once() {
    let tandem = FakeTandem::start().await;
    let app = TestApp::with(Finance, &tandem).await;
    let says = json!({"side": "crm", "class": "network", "message": "the connection was reset"});
    tandem.next([Order::Say(503, json!({"code": "app_unavailable", "app": says, "outcome_unknown": true}))]);
    let (status, body) = app.edit("C-1", fields("a")).await;
    assert_eq!((status, &body["error"]), (409, &json!("Not saved: crm is not available: the connection was reset.")));
    assert_eq!(app.get("/records").await, json!([]));
    assert_eq!((app.get("/outbox").await, tandem.call_count()), (json!([]), 1));
}
