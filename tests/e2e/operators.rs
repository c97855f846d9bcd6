//! What operators do about changes that wait, were refused, were given up, or crossed.

use serde_json::{Value, json};

use crate::{
    pause::{caught_up, path, pause, resume},
    settled::applied,
    stack::{World, alone},
    until::until,
    values::{customer, from_finance, id, key},
};

#[test]
fn a_refused_change_is_looked_at_and_a_later_one_takes_its_place() {
    alone(async |world| {
        let key = key("ERROR");
        world.crm().switch(json!({"mode": "reject"})).await.expect("crm is switched");
        for (name, status) in [("First", "parked"), ("Second", "queued"), ("Third", "queued")] {
            let request = from_finance(&id(), &key, &customer(name, 1), "committed");
            let told = world.sync_write.send(&request).await.expect("sync-write answers");
            assert_eq!((told.status, told.text("status")), (202, status), "{told:?}");
        }
        let error = error(world, &key).await.expect("it is listed");
        assert_eq!((&error["seq"], &error["parked"], &error["attempts"]), (&json!(1), &json!("refused"), &json!(1)));
        assert_eq!(error["last_failure"]["class"], "application");
        for (command, more) in [("acknowledge", json!({})), ("assign", json!({"to": "ann"})), ("note", json!({}))] {
            told(world, command, &key, 1, more).await;
        }
        let seen = self::error(world, &key).await.expect("it is listed");
        assert_eq!(
            (&seen["assigned_to"], &seen["acknowledged"]["actor"]),
            (&json!("ann"), &json!("first-admin")),
            "{seen}"
        );
        let filtered = world.admin.get(&path(&format!("errors?acknowledged=false&key_prefix={key}"))).await;
        assert_eq!(filtered.expect("admin answers")["entries"], json!([]));
        let preview = json!({"key": key, "seq": 1});
        let preview = world.admin.post(&path("errors/preview"), &preview).await.expect("admin answers");
        assert_eq!(preview["sends"][0]["to"], "crm");
        assert_eq!(preview["sends"][0]["record"]["name"], "First", "in crm's own words: {preview}");

        // Tried again while crm refuses still: parked again, not lost.
        told(world, "retry", &key, 1, json!({})).await;
        until("it to be parked again", async || {
            // Whoever the retry woke may still hold the lane: then the sweep leaves it alone.
            let _refused_while_others_run = world.stack.sweep().await;
            self::error(world, &key).await.filter(|again| again["attempts"].as_u64() > Some(1))
        })
        .await;
        world.crm().switch(json!({"mode": "normal"})).await.expect("crm is switched");
        told(world, "supersede", &key, 1, json!({})).await;
        world.quiet(&key).await;
        assert_eq!(world.record(&key).await.crm.expect("crm has it")["name"], "Third");
        assert_eq!(applied(world.crm(), &key).await, 1, "the two before it were never written");
        assert_eq!(archived(world, &key, "superseded").await.len(), 2);
    });
}

#[test]
fn a_backlog_that_was_skipped_is_among_the_errors_and_comes_back() {
    alone(async |world| {
        let (skipped, live) = (key("SKIP"), key("SKIP"));
        pause(world, "crm is being upgraded").await;
        for limit in [1, 2] {
            let saved = world.finance().edit(&skipped, customer("Contoso", limit)).await.expect("finance answers");
            assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("queued")), "{saved:?}");
        }
        resume(world, json!({"reason": "too much", "backlog": "skip_to_live"})).await;
        assert_eq!(world.finance().edit(&live, customer("Live", 1)).await.expect("finance answers").status, 200);
        caught_up(world).await;
        world.quiet(&skipped).await;
        assert_eq!(applied(world.crm(), &skipped).await, 0);
        assert_eq!(applied(world.crm(), &live).await, 1);
        let found = archived(world, &skipped, "skipped_to_live").await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0]["by"]["reason"], "too much");
        let archive_id = found[0]["archive_id"].as_str().expect("an id");
        let recover = path(&format!("archive/{archive_id}/recover"));
        let back = world.admin.post(&recover, &json!({"reason": "it is needed"})).await.expect("admin answers");
        assert_eq!(back["recovered"]["reason"], "it is needed");
        let settled = world.settled(&skipped).await;
        assert_eq!(settled.crm.expect("crm has it")["creditlimit"], json!(2), "as finance has it now");
        let twice = world.admin.call(reqwest::Method::POST, &recover, Some(&json!({"reason": "again"}))).await;
        assert_eq!(twice.expect("admin answers").status, 409);
    });
}

#[test]
fn changes_of_both_apps_during_a_pause_converge_and_the_one_that_lost_can_be_brought_back() {
    alone(async |world| {
        let key = key("CROSS");
        assert_eq!(world.finance().edit(&key, customer("Before", 1)).await.expect("finance answers").status, 200);
        world.settled(&key).await;
        pause(world, "to see").await;
        world.finance().edit(&key, json!({"OrganizationName": "Finance's"})).await.expect("finance answers");
        world.crm().edit(&key, json!({"name": "Crm's"})).await.expect("crm answers");
        resume(world, json!({"reason": "seen"})).await;
        let settled = world.settled(&key).await;
        assert_eq!(settled.finance.expect("there")["OrganizationName"], "Crm's", "the last in the lane");
        let listed = world.admin.get(&path("conflicts")).await.expect("admin answers");
        let conflicts = listed["conflicts"].as_array().expect("a list");
        let conflict = conflicts.iter().find(|conflict| conflict["key"] == key).expect("it is listed");
        assert_eq!((&conflict["origin"], &conflict["winner"]), (&json!("crm"), &json!("this_write")), "{conflict}");
        assert_eq!(conflict["kept"]["record"]["name"], "Crm's", "{conflict}");
        assert_eq!(conflict["lost"]["record"]["OrganizationName"], "Finance's", "{conflict}");
        let entry = conflict["entry"].as_str().expect("an id");
        let reverse = path(&format!("conflicts/{entry}/reverse"));
        world.admin.post(&reverse, &json!({"reason": "finance was right"})).await.expect("admin answers");
        let settled = world.settled(&key).await;
        assert_eq!(settled.crm.expect("there")["name"], "Finance's");
        caught_up(world).await;
    });
}

#[test]
fn a_kept_change_is_seen_and_cancelled_and_maps_are_commanded_together() {
    alone(async |world| {
        let key = key("CANCEL");
        let many = json!({"maps": [local::MAP, "no-such-map"], "reason": "both at once"});
        let told = world.admin.post("/commands/pause", &many).await.expect("admin answers");
        assert_eq!(told["results"][0]["map"]["state"], "Paused", "{told}");
        assert_eq!(told["results"][1]["problem"]["code"], "map_not_found", "{told}");
        pause(world, "wait for it").await;
        for name in ["First", "Second", "Third"] {
            let request = from_finance(&id(), &key, &customer(name, 1), "committed");
            assert_eq!(world.sync_write.send(&request).await.expect("sync-write answers").status, 202);
        }
        let entries = world.admin.get(&path(&format!("queue/entries?key={key}"))).await.expect("admin answers");
        let seqs: Vec<_> = entries["entries"].as_array().expect("a list").iter().map(|e| e["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2, 3]);
        let second = world.admin.get(&path(&format!("queue/entry?key={key}&seq=2"))).await.expect("admin answers");
        assert_eq!((&second["record"]["OrganizationName"], &second["behind"]), (&json!("Second"), &json!(1)));
        self::told(world, "cancel", &key, 2, json!({})).await;
        resume(world, json!({"reason": "go on"})).await;
        world.quiet(&key).await;
        caught_up(world).await;
        let calls = world.crm().calls(&key).await.expect("crm answers");
        let applied = calls.iter().filter(|call| call["applied"] == true).count();
        assert_eq!(applied, 2, "the second was not written: {calls:?}");
        assert_eq!(archived(world, &key, "cancelled").await.len(), 1);
    });
}

/// Has something done to an entry.
async fn told(world: &World, command: &str, key: &str, seq: u64, more: Value) {
    let mut body = json!({"command": command, "entries": [{"key": key, "seq": seq}], "reason": "to see"});
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    let told = world.admin.post(&path("entries"), &body).await.expect("admin answers");
    assert_eq!(told["results"][0]["done"], json!(true), "{command}: {told}");
}

/// The catch-up error of a record.
async fn error(world: &World, key: &str) -> Option<Value> {
    let listed = world.admin.get(&path("errors?limit=200")).await.expect("admin answers");
    listed["entries"].as_array().expect("a list").iter().find(|entry| entry["key"] == key).cloned()
}

/// Archived entries of a record, newest first.
async fn archived(world: &World, key: &str, cause: &str) -> Vec<Value> {
    let listed = world.admin.get(&path(&format!("archive?cause={cause}"))).await.expect("admin answers");
    let all = listed["archived"].as_array().expect("a list").iter();
    all.filter(|archived| archived["entry"]["key"] == key).cloned().collect()
}
