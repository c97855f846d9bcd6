//! Writes under a precondition.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use app::ports::{Applied, Apps, Call};
use domain::{
    failure::{CallEffect, ErrorClass},
    side::Side,
};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Seen, Server, answer, no_such_record, tagged},
    setup::{delete, local, side, sort, upsert, was_gone},
};

/// An app that keeps one record and honours preconditions.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<(u64, Option<Value>)>>);

impl Record {
    fn at(version: u64, value: Value) -> Self {
        Self(Arc::new(Mutex::new((version, Some(value)))))
    }

    fn now(&self) -> Option<Value> {
        self.0.lock().unwrap().1.clone()
    }

    fn set(&self, value: Option<Value>) {
        let mut state = self.0.lock().unwrap();
        *state = (state.0 + 1, value);
    }

    fn handle(&self, seen: &Seen) -> Reply {
        let (version, value) = self.0.lock().unwrap().clone();
        let etag = format!("\"{version}\"");
        let wrong = match (seen.header("if-match"), seen.header("if-none-match")) {
            (Some(wanted), _) => value.is_none() || wanted != etag,
            (_, Some(_)) => value.is_some(),
            _ => false,
        };
        match (seen.method.as_str(), value) {
            ("GET", Some(value)) => tagged(200, etag, represented(value)),
            ("GET" | "DELETE", None) if !wrong => no_such_record(404),
            _ if wrong => answer(412, ""),
            ("DELETE", Some(_)) => {
                self.set(None);
                answer(204, "")
            }
            _ => {
                self.set(Some(seen.json()));
                tagged(200, format!("\"{}\"", version + 1), represented(seen.json()))
            }
        }
    }

    async fn serve(&self) -> Server {
        let record = self.clone();
        Server::start(move |seen| record.handle(seen)).await
    }
}

/// A record as an `OData` app answers it.
fn represented(mut record: Value) -> Value {
    record["@odata.context"] = json!("$metadata#accounts/$entity");
    record["accountnumber"] = json!("C-1");
    record
}

fn versioned(server: &Server) -> Side {
    side("odata", &server.url(), json!({"capability": "versioned"}))
}

fn knowing(etag: &str, call: Call) -> Call {
    Call { etag: Some(etag.to_owned()), ..call }
}

fn applied(etag: &str) -> Result<Applied, domain::Failure> {
    Ok(Applied { etag: Some(etag.to_owned()), stored: None, unchanged: false })
}

fn was_so(etag: &str) -> Result<Applied, domain::Failure> {
    applied(etag).map(|applied| Applied { unchanged: true, ..applied })
}

#[tokio::test]
async fn a_known_etag_is_sent_and_the_new_one_returned() {
    let record = Record::at(4, json!({"n": 1}));
    let server = record.serve().await;
    let call = knowing("\"4\"", upsert(json!({"n": 2})));
    assert_eq!(local().write(&versioned(&server), &call).await, applied("\"5\""));
    assert_eq!(server.only().header("if-match"), Some("\"4\""));
    assert_eq!(server.only().header("prefer"), Some("return=representation"), "its ETag is needed next time");
}

#[tokio::test]
async fn an_etag_is_found_in_the_representation_too() {
    let server = Server::start(|_| answer(200, json!({"@odata.etag": "W/\"8\"", "n": 2}))).await;
    let call = knowing("W/\"7\"", upsert(json!({"n": 2})));
    assert_eq!(local().write(&versioned(&server), &call).await, applied("W/\"8\""));
}

#[tokio::test]
async fn without_a_known_etag_the_record_is_read_first() {
    let record = Record::at(4, json!({"n": 1, "accountnumber": "C-1"}));
    let server = record.serve().await;
    assert_eq!(local().write(&versioned(&server), &upsert(json!({"n": 2}))).await, applied("\"5\""));
    assert_eq!(server.methods(), ["GET", "PATCH"]);
    assert_eq!(server.seen()[1].header("if-match"), Some("\"4\""));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_created_only_if_it_is_still_not_there() {
    let record = Record::default();
    let server = record.serve().await;
    assert_eq!(local().write(&versioned(&server), &upsert(json!({"n": 2}))).await, applied("\"1\""));
    assert_eq!(server.methods(), ["GET", "PATCH"]);
    assert_eq!(server.seen()[1].header("if-none-match"), Some("*"));
    assert_eq!(server.seen()[1].header("if-match"), None);
}

#[tokio::test]
async fn a_write_that_had_arrived_before_is_a_success_and_not_repeated() {
    // An earlier attempt was applied and its answer lost. The app has a field of its own and writes numbers its way.
    let record = Record::at(5, json!({"n": 2.0, "own": "x", "accountnumber": "C-1"}));
    let server = record.serve().await;
    let call = upsert(json!({"n": 2, "gone": null}));
    assert_eq!(local().write(&versioned(&server), &knowing("\"4\"", call.clone())).await, was_so("\"5\""));
    assert_eq!(local().write(&versioned(&server), &call).await, was_so("\"5\""));
    assert_eq!(server.methods(), ["PATCH", "GET", "GET"]);
    assert_eq!(record.now().unwrap()["own"], "x");
}

#[tokio::test]
async fn a_record_changed_meanwhile_is_written_with_its_fresh_etag() {
    let record = Record::at(6, json!({"n": 9}));
    let server = record.serve().await;
    let call = knowing("\"4\"", upsert(json!({"n": 2})));
    assert_eq!(local().write(&versioned(&server), &call).await, applied("\"7\""));
    assert_eq!(server.methods(), ["PATCH", "GET", "PATCH"]);
}

#[tokio::test]
async fn a_record_deleted_meanwhile_is_created_whether_the_app_says_412_or_404() {
    for status in [412, 404] {
        let record = Record::default();
        let app = record.clone();
        let server = Server::start(move |seen| match seen.header("if-match") {
            Some(_) => no_such_record(status),
            None => app.handle(seen),
        })
        .await;
        let call = knowing("\"4\"", upsert(json!({"n": 2})));
        assert_eq!(local().write(&versioned(&server), &call).await, applied("\"1\""));
        assert_eq!(server.methods(), ["PATCH", "GET", "PATCH"]);
    }
}

#[tokio::test]
async fn an_entity_that_does_not_exist_is_no_loop() {
    for (reply, methods, effect) in [
        (no_such_record(404), &["PATCH", "GET", "PATCH"][..], CallEffect::Refused),
        (answer(404, ""), &["PATCH"], CallEffect::NotApplied), // a router: nobody refused the record
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let call = knowing("\"4\"", upsert(json!({"n": 2})));
        let failure = local().write(&versioned(&server), &call).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::OtherHttp, effect));
        assert_eq!(server.methods(), methods);
    }
}

#[tokio::test]
async fn a_record_that_keeps_changing_is_given_back_after_three_writes() {
    let record = Record::at(5, json!({"n": 0}));
    let app = record.clone();
    let server = Server::start(move |seen| {
        if seen.method == "PATCH" {
            app.set(Some(json!({"n": 100})));
        }
        app.handle(seen)
    })
    .await;
    let call = knowing("\"4\"", upsert(json!({"n": 2})));
    let failure = local().write(&versioned(&server), &call).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Conflict, CallEffect::NotApplied));
    assert!(failure.message.contains("kept changing"), "{failure:?}");
    assert_eq!(server.methods().iter().filter(|method| *method == "PATCH").count(), 3);
}

#[tokio::test]
async fn a_deletion_is_conditional_too_and_content_with_absence() {
    let record = Record::at(6, json!({"n": 9}));
    let server = record.serve().await;
    assert_eq!(local().write(&versioned(&server), &knowing("\"4\"", delete())).await, Ok(Applied::default()));
    assert_eq!(server.methods(), ["DELETE", "GET", "DELETE"]);
    assert_eq!(record.now(), None);
    assert_eq!(local().write(&versioned(&server), &delete()).await, Ok(was_gone()));
    assert_eq!(server.methods()[3..], ["GET"], "it is not there: nothing to delete");
    assert_eq!(local().write(&versioned(&server), &knowing("\"6\"", delete())).await, Ok(was_gone()));
}

#[tokio::test]
async fn looking_has_no_effect_so_its_failure_leaves_nothing_unknown() {
    for (reply, class) in [(answer(503, ""), ErrorClass::Unavailable), (Reply::Reset, ErrorClass::Network)] {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "GET" => reply.clone(),
            _ => answer(412, ""),
        })
        .await;
        for call in [upsert(json!({})), knowing("\"4\"", upsert(json!({})))] {
            let failure = local().write(&versioned(&server), &call).await.unwrap_err();
            assert_eq!(sort(&failure), (class, CallEffect::NotApplied));
        }
    }
}

#[tokio::test]
async fn a_write_without_an_answer_stays_unknown() {
    let server = Server::start(|_| Reply::Close).await;
    let failure = local().write(&versioned(&server), &knowing("\"4\"", upsert(json!({})))).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Network, CallEffect::Unknown));
    assert_eq!(server.methods(), ["PATCH"]);
}

#[tokio::test]
async fn all_requests_of_a_write_together_last_three_request_timeouts_at_most() {
    let record = Record::at(5, json!({"n": 0}));
    let server = Server::start(move |seen| {
        let reply = if seen.method == "PATCH" { answer(412, "") } else { record.handle(seen) };
        Reply::Late(Duration::from_millis(160), Box::new(reply))
    })
    .await;
    let side = side("odata", &server.url(), json!({"capability": "versioned", "request_timeout_ms": 200}));
    let failure = local().write(&side, &upsert(json!({"n": 2}))).await.unwrap_err();
    assert_eq!(failure.class, ErrorClass::Timeout, "{failure:?}");
    assert!(server.seen().len() <= 4, "seven requests would take longer than 600 ms");
}

#[tokio::test]
async fn an_app_without_etags_cannot_be_versioned() {
    let server = Server::start(|_| answer(200, represented(json!({"n": 1})))).await;
    let failure = local().write(&versioned(&server), &upsert(json!({"n": 2}))).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::OtherHttp, CallEffect::NotApplied));
    assert!(failure.message.contains("no ETag"), "{failure:?}");
    assert_eq!(server.methods(), ["GET"]);
}

/// Business Central answers a stale tag with 409. A conflict about something else is told in the app's own words.
#[tokio::test]
async fn a_conflict_means_to_look_again_unless_the_record_is_as_it_was() {
    let record = Record::at(6, json!({"n": 9}));
    let app = record.clone();
    let server = Server::start(move |seen| match app.handle(seen) {
        Reply::Answer(412, ..) => answer(409, ""),
        other => other,
    })
    .await;
    let call = knowing("\"4\"", upsert(json!({"n": 2})));
    assert_eq!(local().write(&versioned(&server), &call).await, applied("\"7\""));
    assert_eq!(server.methods(), ["PATCH", "GET", "PATCH"]);
    let taken = json!({"error": {"code": "Duplicate", "message": "The name is taken."}});
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => tagged(200, "\"4\"", represented(json!({"n": 9}))),
        _ => answer(409, &taken),
    })
    .await;
    let failure = local().write(&versioned(&server), &call).await.unwrap_err();
    assert_eq!(
        (sort(&failure), &*failure.message),
        ((ErrorClass::Conflict, CallEffect::NotApplied), "The name is taken.")
    );
    assert_eq!(server.methods(), ["PATCH", "GET"]);
}

#[tokio::test]
async fn a_late_call_of_ours_is_refused_by_the_app() {
    // The first attempt got no answer and is still on its way; the second one overtakes it.
    let record = Record::at(4, json!({"n": 1}));
    let server = record.serve().await;
    local().write(&versioned(&server), &upsert(json!({"n": 2}))).await.unwrap();
    let overtaken = server.seen().pop().unwrap();
    record.set(Some(json!({"n": 3})));
    assert!(matches!(record.handle(&overtaken), Reply::Answer(412, ..)));
    assert_eq!(record.now().unwrap()["n"], 3);
}

#[tokio::test]
async fn a_reference_to_a_record_that_is_not_there_is_refused_at_once() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => tagged(200, "W/\"1\"", represented(json!({"name": "old"}))),
        _ => no_such_record(404),
    })
    .await;
    let side = side("dataverse", &server.url(), json!({"capability": "versioned"}));
    let bound = json!({"primarycontactid@odata.bind": "/contacts(0f8fad5b-d9cb-469f-a165-70867728950e)"});
    let failure = local().write(&side, &knowing("W/\"1\"", upsert(bound))).await.unwrap_err();
    assert_eq!(sort(&failure).1, CallEffect::Refused);
    assert_eq!(
        server.methods(),
        ["PATCH", "GET"],
        "the account is there and unchanged: another try would meet the same"
    );
}

#[tokio::test]
async fn a_record_that_somebody_else_makes_meanwhile_is_looked_at_and_changed() {
    let made = Record::default();
    let app = made.clone();
    let server = Server::start(move |seen| match seen.method.as_str() {
        "POST" => {
            made.set(Some(json!({"name": "theirs"})));
            let inner =
                json!({"message": "Infolog: Info: Cannot create a record in Customers.\nThe record already exists.."});
            answer(400, json!({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}}))
        }
        _ => made.handle(seen),
    })
    .await;
    let side = side("finance_operations", &server.url(), json!({"capability": "versioned"}));
    assert!(local().write(&side, &upsert(json!({"name": "ours"}))).await.is_ok());
    assert_eq!(server.methods(), ["GET", "POST", "GET", "PATCH"]);
    assert_eq!(app.now().unwrap()["name"], "ours");
}
