//! Answers that are not the app's, or not what they seem.

use serde_json::{Value, json};

use super::{
    Trial,
    stub::{Asked, Reply},
};
use crate::{stack::together, until::until, values::key};

const PAGE: &str = "<!DOCTYPE html><html><title>Sign in</title></html>";

fn is_write(asked: &Asked) -> bool {
    asked.method != "GET"
}

/// A write answers so, whatever it is; reads answer as usual.
fn writes_get(status: u16, kind: &'static str, body: &str) -> impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static {
    let body = body.to_owned();
    move |asked| is_write(asked).then(|| Reply::Http(status, kind, body.clone()))
}

#[test]
fn what_is_not_the_apps_own_success_is_tried_again_and_told() {
    together(async |world| {
        let trial = Trial::start(world, "doubt", json!({}), json!({})).await;
        for (status, kind, body) in [
            (200, "text/html", PAGE),
            (200, "text/plain", ""),
            (200, "application/json", r#"{"success": false}"#),
            (200, "application/json", r#"{"error": {"message": "no"}}"#),
            (202, "application/json", "{}"),
            (203, "application/json", "{}"),
            (206, "application/json", "{}"),
        ] {
            trial.b.answers(writes_get(status, kind, body));
            let key = key("DOUBT");
            let told = trial.report(&key, json!({"name": "Ada"})).await;
            assert_eq!((told.status, told.text("status")), (202, "queued"), "{status} {body}: {told:?}");
            assert_eq!(told.body["failure"]["class"], "other_http", "{status} {body}: {told:?}");
            trial.b.is_well();
            trial.settled(&key).await;
            assert_eq!(trial.b.record(&key), Some(json!({"name": "Ada"})));
            trial.b.answers(writes_get(404, "text/html", PAGE));
            let told = trial.send(&key, json!({"op": "delete", "mode": "committed"})).await;
            assert_eq!(told.status, 202, "a router's 404 deletes nothing: {told:?}");
            trial.b.is_well();
            trial.settled(&key).await;
            assert_eq!(trial.b.record(&key), None);
        }
        trial.end().await;
    });
}

#[test]
fn locks_redirects_and_routers_roll_nobody_back() {
    together(async |world| {
        let of_b = json!({"transient_codes": ["E-BUSY"]});
        let trial = Trial::start(world, "locks", of_b, json!({})).await;
        for (status, kind, body) in [
            (423, "application/json", r#"{"error": {"code": "locked", "message": "somebody edits it"}}"#),
            (
                400,
                "application/json",
                r#"[{"message": "unable to lock", "errorCode": "UNABLE_TO_LOCK_ROW", "fields": []}]"#,
            ),
            (400, "application/json", r#"{"error": {"code": "E-BUSY", "message": "try later"}}"#),
            (302, "text/html", PAGE),
            (404, "text/html", PAGE),
            (405, "text/html", PAGE),
            (421, "text/html", PAGE),
        ] {
            trial.b.answers(writes_get(status, kind, body));
            let key = key("LOCK");
            let told = trial.send(&key, json!({"record": {"name": "Ada"}})).await;
            assert_eq!((told.status, told.text("status")), (202, "queued"), "{status} {body}: {told:?}");
            trial.b.is_well();
            trial.settled(&key).await;
            assert_eq!(trial.b.record(&key), Some(json!({"name": "Ada"})), "{status} {body}");
        }
        trial.end().await;
    });
}

#[test]
fn a_copy_is_made_of_the_record_and_of_nothing_else() {
    together(async |world| {
        let trial = Trial::start(world, "copies", json!({}), json!({})).await;
        let key = key("COPY");
        let stands = json!({"name": "Ada", "colour": "red"});
        trial.b.put(&key, stands.clone());
        trial.a.put(&key, json!({"name": "Bob"}));
        trial.command("pause", json!({})).await;
        assert_eq!(trial.report(&key, json!({"name": "Bob"})).await.status, 202);
        trial.command("resume", json!({"backlog": "discard"})).await;
        let archived = until("the discarded change", async || {
            let listed = world.admin.get(&trial.path(&format!("/archive?key={key}"))).await.expect("admin answers");
            listed["archived"].as_array().and_then(|archived| archived.first().cloned())
        })
        .await;
        let recover = trial.path(&format!("/archive/{}/recover", archived["archive_id"].as_str().expect("an id")));
        let bad: [(u16, &str, &str); 6] = [
            (404, "text/html", PAGE),
            (410, "text/html", PAGE),
            (204, "", ""),
            (200, "application/json", "{}"),
            (200, "application/json", r#"{"success": false}"#),
            (200, "application/json", r#"{"value": []}"#),
        ];
        let at = std::sync::atomic::AtomicUsize::new(0);
        trial.a.answers(move |asked| {
            let (status, kind, body) = bad[at.fetch_add(1, std::sync::atomic::Ordering::SeqCst) % bad.len()];
            (asked.method == "GET").then(|| Reply::Http(status, kind, body.to_owned()))
        });
        world.admin.post(&recover, &json!({"reason": "bring it back"})).await.expect("it is brought back");
        until("some attempts", async || {
            let _swept = world.stack.sweep().await;
            let open = world.admin.get(&trial.path("/open")).await.expect("admin answers");
            let lane = open["lanes"].as_array().and_then(|lanes| lanes.first().cloned())?;
            (lane["attempts"].as_u64() >= Some(3)).then_some(())
        })
        .await;
        assert_eq!((trial.b.record(&key), trial.b.writes().len()), (Some(stands), 0), "nothing was copied");
        trial.a.is_well();
        trial.settled(&key).await;
        assert_eq!(trial.b.record(&key), Some(json!({"name": "Bob", "colour": "red"})));
        assert!(Value::is_object(&archived));
        trial.end().await;
    });
}
