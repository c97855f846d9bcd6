//! Answers that are not the app's, or not what they seem.

use futures::future::join_all;
use serde_json::json;

use super::{
    Trial,
    stub::{Asked, Reply},
};
use crate::{
    stack::together,
    until::until,
    values::{id, key},
};

pub(super) const PAGE: &str = "<!DOCTYPE html><html><title>Sign in</title></html>";

fn is_write(asked: &Asked) -> bool {
    asked.method != "GET"
}

/// Status, media type, body.
type Answer = (u16, &'static str, &'static str);

/// A write of the record of a case is answered as the case says; reads are answered as usual.
fn writes_get(answers: Vec<Answer>) -> impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static {
    move |asked| {
        let case = asked.key.strip_prefix("CASE-")?.split_once('-')?.0.parse::<usize>().ok()?;
        let (status, kind, body) = answers[case];
        is_write(asked).then(|| Reply::Http(status, kind, body.to_owned()))
    }
}

/// A record of each case.
fn records(cases: usize) -> Vec<String> {
    (0..cases).map(|case| key(&format!("CASE-{case}"))).collect()
}

impl Trial<'_> {
    /// The app takes a record: it is not in trouble.
    async fn takes_another(&self) {
        assert_eq!(self.report("LIVE", json!({"name": id()})).await.text("status"), "written");
    }
}

#[test]
fn what_is_not_the_apps_own_success_is_tried_again_and_told() {
    let both = [
        (200, "text/html", PAGE),
        (200, "application/json", PAGE),
        (201, "text/html", PAGE),
        (200, "application/json", r#"{"success": false}"#),
        (200, "application/json", r#"{"Success": false, "Message": "no"}"#),
        (200, "application/json", r#"{"error": {"message": "no"}}"#),
        (200, "application/json", r#"{"errors": ["no"]}"#),
        (202, "application/json", "{}"),
        (203, "application/json", "{}"),
        (206, "application/json", "{}"),
        (207, "application/json", "{}"),
        (302, "text/html", PAGE), // to a sign-in page
        (303, "text/html", ""),
    ];
    let odata = [
        (200, "text/plain", ""),
        (200, "application/json", "{}"),
        (200, "application/json", "[]"),
        (200, "application/json", r#"{"success": true}"#),
    ];
    together(async |world| {
        let sides = [("doubt", "odata", [&both[..], &odata].concat()), ("doubt-rest", "rest", both.to_vec())];
        join_all(sides.into_iter().map(async |(name, kind, answers)| {
            let trial = Trial::start(world, name, json!({"connector": {"kind": kind}}), json!({})).await;
            let keys = records(answers.len());
            trial.b.answers(writes_get(answers.clone()));
            for (key, (status, _, body)) in keys.iter().zip(&answers) {
                let told = trial.report(key, json!({"name": "Ada"})).await;
                assert_eq!((told.status, told.text("status")), (202, "queued"), "{kind} {status} {body}: {told:?}");
                assert_eq!(told.body["failure"]["class"], "other_http", "{kind} {status} {body}: {told:?}");
                let says = told.body["failure"]["message"].as_str().unwrap_or_default();
                assert!(says.starts_with(&format!("HTTP {status}")), "{told:?}");
                trial.takes_another().await;
            }
            trial.b.is_well();
            for key in &keys {
                trial.settled(key).await;
                assert_eq!(trial.b.record(key), Some(json!({"name": "Ada"})));
            }
            // Nor is a record deleted by such an answer, or by a router's 404.
            let mut answers = answers;
            answers.push((404, "text/html", PAGE));
            let keys = [keys, vec![key(&format!("CASE-{}", answers.len() - 1))]].concat();
            trial.b.put(&keys[answers.len() - 1], json!({"name": "Ada"}));
            trial.b.answers(writes_get(answers.clone()));
            for (key, (status, _, body)) in keys.iter().zip(&answers) {
                let told = trial.send(key, json!({"op": "delete", "mode": "committed"})).await;
                assert_eq!(told.status, 202, "this deletes nothing: {kind} {status} {body}: {told:?}");
                trial.takes_another().await;
            }
            trial.b.is_well();
            for key in &keys {
                trial.settled(key).await;
                assert_eq!(trial.b.record(key), None);
            }
            trial.end().await;
        }))
        .await;
    });
}

/// What becomes of a change that met an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// It is tried again, and no user is rolled back.
    Again,
    /// A user is rolled back; a change that stands already waits for an operator.
    Final,
}

#[test]
fn each_refusal_has_its_class_and_only_the_apps_last_word_rolls_a_user_back() {
    use Next::{Again, Final};
    const ERROR: &str = r#"{"error": {"code": "E1", "message": "the app says why"}}"#;
    let cases = [
        (300, "text/html", PAGE, "other_http", Again),
        (301, "text/html", PAGE, "other_http", Again),
        (302, "text/html", PAGE, "other_http", Again),
        (307, "text/html", PAGE, "other_http", Again),
        (308, "text/html", PAGE, "other_http", Again),
        (400, "application/json", ERROR, "application", Final),
        (400, "application/json", "", "bad_request", Final),
        (
            400,
            "application/json",
            r#"[{"message": "unable to lock", "errorCode": "UNABLE_TO_LOCK_ROW", "fields": []}]"#,
            "conflict",
            Again,
        ),
        (400, "application/json", r#"{"error": {"code": "E-BUSY", "message": "try later"}}"#, "conflict", Again),
        (401, "application/json", ERROR, "auth", Again),
        (403, "application/json", ERROR, "auth", Again),
        (404, "text/html", PAGE, "other_http", Again),
        (404, "text/plain", "404 page not found\n", "other_http", Again),
        (404, "text/plain", "default backend - 404", "other_http", Again),
        (404, "application/json", r#"{"message": "no Route matched with those values"}"#, "other_http", Again),
        (404, "application/json", "", "other_http", Again),
        (405, "text/html", PAGE, "other_http", Again),
        (405, "application/json", ERROR, "other_http", Final),
        (407, "text/html", PAGE, "other_http", Again),
        (407, "text/plain", "", "other_http", Again),
        (408, "text/plain", "", "timeout", Again),
        (409, "application/json", ERROR, "conflict", Again),
        (409, "text/plain", "", "conflict", Again),
        (412, "application/json", ERROR, "conflict", Again),
        (413, "text/plain", "", "other_http", Final),
        (421, "text/html", PAGE, "other_http", Again),
        (422, "application/json", ERROR, "application", Final),
        (423, "application/json", ERROR, "conflict", Again),
        (425, "text/plain", "", "other_http", Again),
        (428, "text/plain", "", "other_http", Again),
        (429, "application/json", ERROR, "throttled", Again),
        (500, "application/json", ERROR, "other_http", Again),
        (500, "application/json", r#"{"error": {"code": "E-NEVER", "message": "no"}}"#, "application", Final),
        (502, "text/html", PAGE, "unavailable", Again),
        (503, "text/plain", "", "unavailable", Again),
        (504, "text/plain", "", "unavailable", Again),
    ];
    together(async |world| {
        let of_b = json!({"transient_codes": ["E-BUSY"], "final_codes": ["E-NEVER"]});
        let trial = Trial::start(world, "refusals", of_b, json!({})).await;
        trial.b.answers(writes_get(cases.iter().map(|(status, media, body, ..)| (*status, *media, *body)).collect()));
        let modes = ["sync", "committed"].map(|mode| (mode, records(cases.len())));
        for (at, (status, _, body, class, next)) in cases.iter().enumerate() {
            let case = format!("{status} {body}");
            for (mode, keys) in &modes {
                let told = trial.send(&keys[at], json!({"record": {"name": "Ada"}, "mode": mode})).await;
                match (next, *mode) {
                    (Again, _) => {
                        assert_eq!((told.status, told.text("status")), (202, "queued"), "{case}: {told:?}");
                        assert_eq!(told.body["failure"]["class"], *class, "{case}: {told:?}");
                    }
                    (Final, "sync") => {
                        assert_eq!((told.status, &told.body["class"]), (422, &json!(class)), "{case}: {told:?}");
                    }
                    (Final, _) => {
                        assert_eq!((told.status, told.text("status")), (202, "parked"), "{case}: {told:?}");
                        let errors = trial.get(&format!("/errors?key_prefix={}", keys[at])).await;
                        assert_eq!(errors["entries"][0]["last_failure"]["class"], *class, "{case}: {errors}");
                    }
                }
            }
            trial.takes_another().await;
        }
        trial.b.is_well();
        for (at, (status, _, body, _, next)) in cases.iter().enumerate() {
            for (mode, keys) in &modes {
                if (*next, *mode) == (Final, "committed") {
                    trial.of_each("skip", &keys[at..=at], 1).await;
                }
                trial.settled(&keys[at]).await;
                let wanted = (*next == Again).then(|| json!({"name": "Ada"}));
                assert_eq!(trial.b.record(&keys[at]), wanted, "{status} {body} {mode}");
            }
        }
        trial.end().await;
    });
}

#[test]
fn a_conflict_that_lasts_waits_for_an_operator_after_some_tries() {
    together(async |world| {
        let trial = Trial::start(world, "conflicts", json!({}), json!({})).await;
        let key = key("TAKEN");
        let taken = json!({"error": {"code": "Duplicate", "message": "another record has that name"}}).to_string();
        let of_key = key.clone();
        trial.b.answers(move |asked| {
            let is_it = is_write(asked) && asked.key == of_key;
            is_it.then(|| Reply::Http(409, "application/json", taken.clone()))
        });
        assert_eq!(trial.report(&key, json!({"name": "Ada"})).await.text("status"), "queued");
        // An operator tries it again at once: the backoffs of five attempts take half a minute.
        let retry = json!({"command": "retry", "entries": [{"key": key, "seq": 1}], "reason": "once more"});
        let parked = until("it to be parked", async || {
            trial.takes_another().await;
            let side = world.admin.get("/sides/conflicts-b").await.expect("admin answers");
            let entry = trial.get(&format!("/queue/entries?key={key}")).await["entries"][0].clone();
            let taken_since = side["health"]["taken_at"].as_str() > entry["last_failure"]["at"].as_str();
            if entry["parked"].is_null() && (entry["attempts"].as_u64() < Some(4) || taken_since) {
                // Refused while an attempt is under way.
                world.admin.post(&trial.path("/entries"), &retry).await.expect("admin answers");
            }
            entry["parked"].is_string().then_some(entry)
        })
        .await;
        assert_eq!(
            (&parked["parked"], &parked["last_failure"]["class"]),
            (&json!("keeps_failing"), &json!("conflict"))
        );
        assert_eq!(parked["last_failure"]["message"], "another record has that name");
        assert!(parked["attempts"].as_u64() >= Some(5), "{parked}");
        trial.of_each("skip", &[key], 1).await;
        trial.end().await;
    });
}
