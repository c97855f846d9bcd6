//! The logs and what follows from them: every failure can be found and downloaded, a rule pauses the map, people are told.

use local::SyncWrite;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    pause::{caught_up, path, pause, resume},
    stack::{World, alone, together},
    until::until,
    values::{customer, from_finance, id, key},
};

const RULE: &str = "/rules/end-to-end";
async fn get(world: &World, path: &str) -> Value {
    world.admin.get(path).await.expect("admin answers")
}

/// The errors of a record, as many as are wanted, newest first.
async fn errors(world: &World, key: &str, wanted: usize) -> Vec<Value> {
    until("the errors in the log", async || {
        let told = get(world, &format!("/log/errors?map={}&key={key}", local::MAP)).await;
        told["errors"].as_array().cloned().filter(|errors| errors.len() >= wanted)
    })
    .await
}

async fn refuse(world: &World, key: &str) {
    let told = world.finance().edit(key, customer("Contoso", 1)).await.expect("finance answers");
    assert_eq!(told.status, 422, "{told:?}");
}

#[test]
fn every_failure_is_in_the_log_with_what_it_is_about_and_can_be_downloaded() {
    alone(async |world| {
        let (refused, parked, retried, unmapped) = (key("LOG"), key("LOG"), key("LOG"), key("LOG"));
        world.crm().switch(json!({"mode": "reject"})).await.expect("crm is switched");
        refuse(world, &refused).await;
        let committed = |key: &str, record: Value| from_finance(&id(), key, &record, "committed");
        world.sync_write.send(&committed(&parked, customer("Contoso", 1))).await.expect("sync-write answers");
        let strange = json!({"OrganizationName": "Contoso", "CustomerGroupId": "99"});
        world.sync_write.send(&committed(&unmapped, strange)).await.expect("sync-write answers");
        world.crm().switch(json!({"mode": "503", "remaining": 1})).await.expect("crm is switched");
        world.sync_write.send(&committed(&retried, customer("Contoso", 1))).await.expect("sync-write answers");
        for (key, class, fate, attempt) in [
            (&refused, "application", "refused", 1),
            (&parked, "application", "parked", 1),
            (&unmapped, "mapping", "parked", 1),
            (&retried, "unavailable", "retried", 1),
        ] {
            let errors = errors(world, key, 1).await;
            let error = errors.last().expect("there is one");
            assert_eq!(
                (&error["class"], &error["fate"], &error["attempt"]),
                (&json!(class), &json!(fate), &json!(attempt))
            );
            assert_eq!((&error["from"], &error["to"], &error["seq"]), (&json!("finance"), &json!("crm"), &json!(1)));
            assert!(error["message"].as_str().is_some_and(|says| !says.is_empty()), "{error}");
            assert_eq!(error["payload"]["OrganizationName"], "Contoso", "{error}");
        }
        // What is written in the end is resolved by itself.
        world.quiet(&retried).await;
        until("the error to be resolved", async || {
            errors(world, &retried, 1).await[0]["resolved_at"].as_str().map(drop)
        })
        .await;
        let open = get(world, &format!("/log/errors?resolved=false&key={parked}")).await;
        assert_eq!(open["errors"].as_array().map(Vec::len), Some(1), "an operator must look at it");
        // All of it is in the file.
        let format = async |format: &str| {
            let path = format!("/log/errors/download?map={}&format={format}", local::MAP);
            let told = world.admin.call(Method::GET, &path, None).await.expect("admin answers");
            assert_eq!(told.status, 200);
            told.body.as_str().map_or_else(|| told.body.to_string(), str::to_owned)
        };
        for file in [format("csv").await, format("jsonl").await] {
            for key in [&refused, &parked, &unmapped, &retried] {
                assert!(file.contains(key.as_str()), "{key} is not in the file");
            }
        }
        for key in [&parked, &unmapped] {
            let skip = json!({"command": "skip", "entries": [{"key": key, "seq": 1}], "reason": "it was a test"});
            world.admin.post(&path("entries"), &skip).await.expect("admin answers");
            until("the error to be resolved", async || {
                errors(world, key, 1).await[0]["resolved_at"].as_str().map(drop)
            })
            .await;
        }
    });
}

#[test]
fn a_rule_made_while_errors_arrive_pauses_the_map_at_its_threshold_and_tells_people() {
    alone(async |world| {
        // Errors count since the last resume.
        pause(world, "a new beginning").await;
        resume(world, json!({"reason": "a new beginning"})).await;
        caught_up(world).await;
        let keys: Vec<_> = (0..4).map(|_| key("RULE")).collect();
        world.crm().switch(json!({"mode": "reject"})).await.expect("crm is switched");
        refuse(world, &keys[0]).await;
        errors(world, &keys[0], 1).await;
        let to = format!("{}@example.com", keys[0].to_lowercase());
        let rule = json!({
            "title": "crm refuses", "maps": [local::MAP], "classes": ["application"], "threshold": 4,
            "window_minutes": 15, "action": "pause", "recipients": [to],
        });
        world.admin.put(RULE, &rule).await.expect("it is made");
        // A write that its caller repeats is a new one; three errors are one too few.
        refuse(world, &keys[1]).await;
        refuse(world, &keys[1]).await;
        errors(world, &keys[1], 2).await;
        world.stack.evaluate().await.expect("it is evaluated");
        assert_eq!(get(world, &format!("/maps/{}", local::MAP)).await["state"], "Running");
        refuse(world, &keys[2]).await;
        let map = until("the map to be paused", async || {
            let map = get(world, &format!("/maps/{}", local::MAP)).await;
            (map["state"] == "Paused").then_some(map)
        })
        .await;
        assert_eq!((&map["actor"], &map["cause"]), (&json!("tandem"), &json!("rule")), "{map}");
        let incident = format!("/incidents/{}", map["incident"].as_str().expect("it names its incident"));
        // The map is paused first; that the incident says so follows.
        let opened = until("the incident to say what was done", async || {
            let opened = get(world, &incident).await;
            (!opened["acted"].is_null()).then_some(opened)
        })
        .await;
        assert_eq!((&opened["count"], &opened["acted"]["state"]), (&json!(4), &json!("Paused")), "{opened}");
        // Functions remember a map for a second; then nothing is refused any more: it is kept.
        pause(world, "to wait until it is quiet").await;
        let told = world.finance().edit(&keys[3], customer("Contoso", 1)).await.expect("finance answers");
        assert_eq!((told.status, &told.body["tandem"]["status"]), (200, &json!("queued")), "{told:?}");
        let mails = async |count: usize| {
            let mails = async || {
                let mails = world.stack.mails_to(&to).await.expect("mails are told");
                (mails.len() >= count).then_some(mails)
            };
            until("the mail", mails).await
        };
        let first = &mails(1).await[0];
        assert!(first.subject.contains("customers paused") && first.html.contains("<h1"), "{first:?}");
        assert!(
            first.text.contains(opened["top"][0]["message"].as_str().expect("it names a message")),
            "{}",
            first.text
        );
        // The other evaluator finds nothing to do.
        world.stack.evaluate().await.expect("it is evaluated");
        assert_eq!(mails(1).await.len(), 1);
        let explained = get(world, &format!("{RULE}/explain?map={}", local::MAP)).await;
        assert_eq!((&explained["verdict"], &explained["threshold"]), (&json!("open"), &json!(4)), "{explained}");
        // Repaired, resumed, caught up: it is over, and people are told.
        world.crm().switch(json!({"mode": "normal"})).await.expect("crm is switched");
        resume(world, json!({"reason": "crm is repaired"})).await;
        caught_up(world).await;
        assert!(mails(2).await[1].subject.contains("recovered"));
        world.settled(&keys[3]).await;
        world.admin.call(Method::DELETE, RULE, None).await.expect("it is deleted");
        assert_eq!(logged_steps(world, &opened["id"]).await, ["opened", "acted", "recovered"]);
    });
}

/// The steps of an incident in the activity log, when its last one is there.
async fn logged_steps(world: &World, incident: &Value) -> Vec<String> {
    until("the last step in the log", async || {
        let lines = get(world, "/log/activity?limit=1000").await;
        let ours = |line: &&Value| line["what"]["incident"] == *incident;
        let ours = lines["lines"].as_array().into_iter().flatten().filter(ours).rev();
        let steps: Vec<_> = ours.map(|line| line["what"]["step"].as_str().unwrap_or_default().to_owned()).collect();
        steps.last().is_some_and(|step| step == "recovered").then_some(steps)
    })
    .await
}

#[test]
fn every_change_of_state_is_a_line_that_says_who_and_why() {
    alone(async |world| {
        let reason = key("WHY");
        pause(world, &reason).await;
        resume(world, json!({"reason": reason})).await;
        caught_up(world).await;
        let lines = until("the lines in the log", async || {
            let told = get(world, &format!("/log/activity?map={}&limit=1000", local::MAP)).await;
            let lines = told["lines"].as_array().cloned().unwrap_or_default();
            let changes: Vec<_> = lines.into_iter().filter(|line| line["what"]["kind"] == "state_changed").collect();
            let resumed =
                changes.iter().position(|line| line["what"]["to"] == "CatchingUp" && line["reason"] == reason)?;
            (resumed > 0).then(|| changes[resumed - 1..].to_vec())
        })
        .await;
        let said: Vec<_> = lines
            .iter()
            .take(3)
            .map(|line| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                [text(&line["what"]["to"]), text(&line["actor"]), text(&line["cause"]), text(&line["reason"])]
            })
            .collect();
        assert_eq!(said[0], ["Running", "tandem", "caught_up", "nothing is left of the backlog"]);
        assert_eq!(said[1], ["CatchingUp", "first-admin", "operator", reason.as_str()]);
        assert_eq!(said[2], ["Paused", "first-admin", "operator", reason.as_str()]);
        let first = lines.last().expect("there is a first one");
        assert_eq!((&first["what"]["from"], &first["reason"]), (&json!("NotRunning"), &json!("first start")));
        assert!(lines.is_sorted_by(|newer, older| newer["what"]["epoch"].as_u64() > older["what"]["epoch"].as_u64()));
    });
}

#[test]
fn apps_report_errors_of_their_own_and_each_line_is_answered() {
    together(async |world| {
        let endpoints = world.stack.endpoints();
        let log = SyncWrite::new(endpoints.log_ingest.clone(), endpoints.hmac_secret.clone()).expect("a client");
        let (key, event) = (key("REPORT"), id());
        let line =
            json!({"id": event, "map": local::MAP, "side": "crm", "key": key, "message": "The nightly batch failed"});
        let body = format!("{line}\n{{\"id\": 7}}\n{line}");
        let told = log.post("errors", &id(), &body).await.expect("log-ingest answers");
        let lines: Vec<_> = told.body["results"].as_array().into_iter().flatten().map(|line| &line["status"]).collect();
        assert_eq!(
            (told.status, lines),
            (207, vec![&json!("logged"), &json!("refused"), &json!("duplicate")]),
            "{told:?}"
        );
        let errors = errors(world, &key, 1).await;
        assert_eq!((&errors[0]["fate"], &errors[0]["to"]), (&json!("reported"), &json!("crm")));
        let wrong =
            SyncWrite::new(endpoints.log_ingest.clone(), format!("whsec_{}", "A".repeat(32))).expect("a client");
        let told = wrong.post("errors", &id(), &body).await.expect("log-ingest answers");
        assert_eq!((told.status, told.text("code")), (401, "unauthenticated"));
    });
}
