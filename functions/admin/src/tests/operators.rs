//! Operators of a bad night: many errors at once, lost answers, drains that are faster, and what must not be done.

use app::ports::{Commit, JournalOp, Lanes, Pointer, Ports, Queues};
use domain::{
    EntryId, SideIx, Timestamp,
    lane::{Archived, Entry, Head, JournalEffect, Work},
    record::Image,
};
use serde_json::{Value, json};
use testkit::CommitMishap;

use super::{
    entries::{command, done, entry, lane, with_lane},
    harness::{Api, map_config},
    pause::map,
};

async fn head(api: &Api, key: &str) -> Head {
    api.world.lanes.head(&lane(key)).await.unwrap().unwrap().0
}

async fn stored(api: &Api, key: &str, seq: u64) -> Entry {
    api.world.lanes.entry(&lane(key), seq).await.unwrap().unwrap()
}

/// The drain's commit of an entry that was written.
async fn written(api: &Api, key: &str, seq: u64) -> Commit {
    let read = head(api, key).await;
    let head = Head { version: read.version + 1, done_seq: seq, parked: false, ..read.clone() };
    Commit::of(Some(&read), head, vec![JournalEffect::Finish(seq, None)])
}

/// It is tried, refused again, and waits anew.
async fn refused_again(api: &Api, key: &str) {
    let read = head(api, key).await;
    let mut entry = stored(api, key, read.done_seq + 1).await;
    entry.attempts += 1;
    let head = Head { version: read.version + 1, parked: true, not_before: api.world.now(), ..read.clone() };
    let commit = Commit::of(Some(&read), head, vec![JournalEffect::Update(entry, None)]);
    api.world.lanes.commit(&lane(key), commit).await.unwrap();
}

#[tokio::test]
async fn a_retry_of_all_ends_though_everything_is_refused_again() {
    let api = Api::with_map().await;
    for n in 0..230 {
        with_lane(&api, &format!("C-{n:03}"), &["x"], true).await;
    }
    let (mut tried, mut pages, mut after) = (0, 0, None);
    loop {
        let mut body = json!({"reason": "fixed"});
        if let Some(after) = after {
            body["after"] = after;
        }
        let told = api.post("/maps/customers/errors/retry-all", &body).await.json();
        api.world.pass_ms(1_000);
        for result in told["results"].as_array().unwrap() {
            assert_eq!(result["done"], true, "{result}");
            refused_again(&api, result["key"].as_str().unwrap()).await;
            tried += 1;
        }
        pages += 1;
        after = told.get("next").cloned();
        if after.is_none() || pages > 5 {
            break;
        }
    }
    assert_eq!((tried, pages), (230, 2), "each once");
    api.post("/maps/customers/errors/retry-all", &json!({"reason": "x", "after": "17"})).await.is_problem(
        400,
        "invalid_request",
        "after: is not a cursor",
    );
}

#[tokio::test]
async fn a_retry_of_all_can_be_seen_before_and_called_off_after() {
    let api = Api::with_map().await;
    for key in ["A", "BB", "CCC"] {
        with_lane(&api, key, &["x"], true).await;
    }
    assert_eq!(done(&api, &command("acknowledge", "BB", 1)).await["done"], true);
    let seen = json!({"reason": "fixed", "acknowledged": false});
    let mut dry = seen.clone();
    dry["dry_run"] = json!(true);
    let told = api.post("/maps/customers/errors/retry-all", &dry).await.json();
    let results = told["results"].as_array().unwrap();
    assert_eq!((results.len(), &results[0]["done"]), (2, &json!(false)), "{told}");
    assert_eq!((&results[1]["key"], &results[1]["sends"][0]["record"]["name"]), (&json!("CCC"), &json!("x")));
    assert_eq!(
        api.get("/maps/customers/errors").await.json()["entries"].as_array().unwrap().len(),
        3,
        "nothing was done"
    );
    let mut one = command("retry", "A", 1);
    one["dry_run"] = json!(true);
    assert_eq!(done(&api, &one).await["sends"][0]["to"], "crm");
    one["command"] = json!("skip");
    api.post("/maps/customers/entries", &one).await.is_problem(400, "invalid_request", "dry_run: goes with retry");
    // On a map that is paused nothing is sent, and the answer says so.
    api.post("/maps/customers/run", &seen_reason()).await;
    api.post("/maps/customers/pause", &seen_reason()).await;
    let told = api.post("/maps/customers/errors/retry-all", &seen).await.json();
    assert_eq!(told["results"].as_array().unwrap().len(), 2);
    assert_eq!(told["note"], "the map is Paused: Tandem sends nothing before the map is resumed");
    assert_eq!(api.get("/maps/customers/errors").await.json()["entries"].as_array().unwrap().len(), 1);
    let told =
        api.post("/maps/customers/errors/hold-all", &json!({"reason": "not yet", "key_prefix": "C"})).await.json();
    assert_eq!((told["results"].as_array().unwrap().len(), &told["results"][0]["done"]), (1, &json!(true)), "{told}");
    let told = api.post("/maps/customers/errors/hold-all", &json!({"reason": "not yet"})).await.json();
    assert_eq!(told["results"][0]["key"], "A", "what is held already is left out: {told}");
    assert_eq!(api.get("/maps/customers/errors").await.json()["entries"].as_array().unwrap().len(), 3);
}

fn seen_reason() -> Value {
    json!({"reason": "to see"})
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_done_and_one_that_came_too_late_is_not() {
    let api = Api::with_map().await;
    for (key, name) in [("B1", "skip"), ("B2", "cancel"), ("B3", "retry"), ("B4", "note")] {
        with_lane(&api, key, &["x"], true).await;
        api.world.lanes.next_commit(CommitMishap::AnswerLost);
        let told = done(&api, &command(name, key, 1)).await;
        assert_eq!(told["done"], true, "our own {name}, whose answer was lost: {told}");
    }
    with_lane(&api, "B5", &["x"], false).await;
    api.world.lanes.next_commit(CommitMishap::AnswerLost);
    assert_eq!(done(&api, &command("hold", "B5", 1)).await["done"], true);
    // The drain was faster: what it has written was neither skipped nor cancelled.
    for (key, name) in [("C1", "skip"), ("C2", "cancel"), ("C3", "hold")] {
        with_lane(&api, key, &["x"], false).await;
        let first = Box::new(written(&api, key, 1).await);
        api.world.lanes.next_commit(CommitMishap::Overtaken(lane(key), first));
        let told = done(&api, &command(name, key, 1)).await;
        assert_eq!(
            (&told["done"], &told["problem"]["code"]),
            (&json!(false), &json!("entry_not_found")),
            "{name}: {told}"
        );
    }
}

#[tokio::test]
async fn a_recovery_whose_answer_was_lost_is_done_even_when_the_entry_is_written_since() {
    let api = Api::with_map().await;
    with_lane(&api, "A", &["x"], true).await;
    assert_eq!(done(&api, &command("skip", "A", 1)).await["done"], true);
    let id = api.get("/maps/customers/archive").await.json()["archived"][0]["archive_id"].clone();
    let read = head(&api, "A").await;
    let appended = Head { version: read.version + 1, next_seq: read.next_seq + 1, ..read };
    let gone = Head { version: appended.version + 1, done_seq: 2, ..appended.clone() };
    let then = Commit::of(Some(&appended), gone, vec![JournalEffect::Finish(2, None)]);
    api.world.lanes.next_commit(CommitMishap::AnswerLostAndFollowed(lane("A"), Box::new(then)));
    let path = format!("/maps/customers/archive/{}/recover", id.as_str().unwrap());
    let told = api.post(&path, &seen_reason()).await;
    assert_eq!((told.status, &told.json()["recovered"]["reason"]), (200, &json!("to see")), "{told:?}");
    api.post(&path, &seen_reason()).await.is_problem(409, "already", "");
}

#[tokio::test]
async fn what_would_not_be_readable_any_more_is_refused_with_its_field() {
    let api = Api::with_map().await;
    with_lane(&api, "A", &["x"], true).await;
    for to in ["", " ", "a\nb", &"n".repeat(101)] {
        let mut assign = command("assign", "A", 1);
        assign["to"] = json!(to);
        let told = done(&api, &assign).await;
        assert_eq!(told["problem"]["errors"][0]["field"], "to", "{told}");
    }
    let mut edit = command("edit", "A", 1);
    edit["record"] = json!({"Name": "n".repeat(256 * 1024)});
    let told = done(&api, &edit).await;
    assert_eq!(told["problem"]["errors"][0]["field"], "record", "{told}");
}

#[tokio::test]
async fn changes_behind_one_that_waits_for_an_operator_are_listed_too() {
    let api = Api::with_map().await;
    with_lane(&api, "A", &["x", "y"], true).await;
    with_lane(&api, "BB", &["z"], false).await;
    let told = api.get("/maps/customers/queue/entries").await.json();
    let seen: Vec<_> =
        told["entries"].as_array().unwrap().iter().map(|e| format!("{} {}", e["key"], e["seq"])).collect();
    assert_eq!(seen, ["\"BB\" 1", "\"A\" 1", "\"A\" 2"]);
}

/// A lane with one entry that neither app has, skipped.
async fn skipped_without_origin(api: &Api, key: &str, finance_has_it: bool) -> String {
    let mut entry = entry(1, "old");
    if let Work::Write(write) = &mut entry.work {
        write.origin = None;
    }
    entry.done.0[0] = finance_has_it;
    let head = Head { version: 1, next_seq: 2, parked: true, ..Head::new(map(api).await.uid, Timestamp(1_000)) };
    let commit = Commit { head, expected: 0, ops: vec![JournalOp::Append(entry, None)] };
    api.world.lanes.commit(&lane(key), commit).await.unwrap();
    assert_eq!(done(api, &command("skip", key, 1)).await["done"], true);
    let listed = api.get(&format!("/maps/customers/archive?key={key}")).await.json();
    assert_eq!(listed["archived"].as_array().unwrap().len(), 1, "of this record alone: {listed}");
    format!("/maps/customers/archive/{}/recover", listed["archived"][0]["archive_id"].as_str().unwrap())
}

#[tokio::test]
async fn what_neither_app_has_comes_back_unless_something_newer_was_accepted() {
    let api = Api::with_map().await;
    let newest = skipped_without_origin(&api, "A", false).await;
    assert_eq!(api.post(&newest, &seen_reason()).await.status, 200);
    let back = stored(&api, "A", 2).await;
    assert!(back.write().is_some_and(|write| write.origin.is_none() && matches!(&write.image, Image::Present(_))));
    let older = skipped_without_origin(&api, "B", false).await;
    let read = head(&api, "B").await;
    let newer = Head { version: read.version + 1, next_seq: 3, ..read.clone() };
    let newer = Commit::of(Some(&read), newer, vec![JournalEffect::Append(entry(2, "new"), None)]);
    api.world.lanes.commit(&lane("B"), newer).await.unwrap();
    api.post(&older, &seen_reason()).await.is_problem(409, "newer_accepted", "");
    let all =
        api.post("/maps/customers/archive/recover-all", &json!({"cause": "skipped", "reason": "all"})).await.json();
    assert_eq!(
        (&all["results"][0]["done"], &all["results"][0]["problem"]["code"]),
        (&json!(false), &json!("newer_accepted"))
    );
    assert_eq!(api.post(&older, &json!({"reason": "I know", "force": true})).await.status, 200);
    // What one of them has is copied from there.
    let half = skipped_without_origin(&api, "C", true).await;
    assert_eq!(api.post(&half, &seen_reason()).await.status, 200);
    assert!(matches!(stored(&api, "C", 2).await.work, Work::Restore { .. }));
}

#[tokio::test]
async fn what_the_first_app_may_have_taken_is_reverted_there() {
    let api = Api::with_map().await;
    for (key, ambiguous) in [("A", true), ("B", false)] {
        let mut entry = entry(1, "lost");
        entry.outcome_unknown = ambiguous;
        if let Work::Write(write) = &mut entry.work {
            write.origin = None;
        }
        let head = Head { version: 1, next_seq: 2, parked: true, ..Head::new(map(&api).await.uid, Timestamp(1_000)) };
        let commit = Commit { head, expected: 0, ops: vec![JournalOp::Append(entry, None)] };
        api.world.lanes.commit(&lane(key), commit).await.unwrap();
        assert_eq!(done(&api, &command("revert", key, 1)).await["done"], true);
        let next = api.world.lanes.entry(&lane(key), 2).await.unwrap();
        let restores =
            next.is_some_and(|next| matches!(next.work, Work::Restore { from: SideIx::Second, to: SideIx::First, .. }));
        assert_eq!(restores, ambiguous, "{key}");
    }
}

#[tokio::test]
async fn a_map_is_not_left_behind_while_its_archive_waits() {
    let api = Api::with_map().await;
    with_lane(&api, "A", &["x"], true).await;
    assert_eq!(done(&api, &command("skip", "A", 1)).await["done"], true);
    let one = api.world.lanes.archive().remove(0);
    let cut = Archived { id: EntryId(999), cause: domain::lane::ArchiveCause::SkippedToLive, ..one };
    let read = head(&api, "A").await;
    let commit = Commit::of(
        Some(&read),
        Head { version: read.version + 1, ..read.clone() },
        vec![JournalEffect::Keep(Box::new(cut))],
    );
    api.world.lanes.commit(&lane("A"), commit).await.unwrap();
    let says = format!("archive: has {} of A", EntryId(999));
    let mut other = map_config();
    other["sides"][0]["entity"] = json!("VendorsV2");
    api.delete("/maps/customers").await.is_problem(409, "archive_waits", &says);
    api.put_if("/maps/customers", "*", &other).await.is_problem(409, "archive_waits", &says);
    let document = json!({"sides": {}, "maps": {"customers": other}});
    let plan = api.post("/config/plan", &document).await.json();
    assert!(plan["items"][0]["blocked_by"].as_str().is_some_and(|why| why.contains("archive")), "{plan}");
    // Another place for other records has another queue; the old one goes.
    let before = map(&api).await;
    assert_eq!(api.put_if("/maps/customers?give_up_archive=true", "*", &other).await.status, 200);
    assert_ne!(map(&api).await.uid, before.uid);
    let pointer = [Pointer { key: "A".parse().unwrap(), seq: 1, entry: EntryId(1) }];
    assert!(api.world.queues.send(&before, &pointer).await.is_err(), "its queue is gone");
    assert_eq!(api.world.queues.send(&map(&api).await, &pointer).await, Ok(()));
    assert_eq!(api.delete("/maps/customers?give_up_archive=true").await.status, 204);
}

#[tokio::test]
async fn a_long_backlog_and_a_large_one_are_superseded_in_parts() {
    let api = Api::with_map().await;
    let names: Vec<_> = (0..70).map(|n| format!("v{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    with_lane(&api, "LONG", &names, true).await;
    let large = "n".repeat(250_000);
    with_lane(&api, "LARGE-ONES", &[&*large; 25], true).await;
    for (key, count) in [("LONG", 70), ("LARGE-ONES", 25)] {
        let told = done(&api, &command("supersede", key, 1)).await;
        assert_eq!(told["done"], true, "{key}: {told}");
        let head = head(&api, key).await;
        assert_eq!((head.done_seq, head.parked, head.next_seq), (count - 1, false, count + 1), "the last one is left");
    }
    assert_eq!(api.world.lanes.archive().len(), 69 + 24);
}

#[tokio::test]
async fn fields_that_the_map_does_not_carry_are_shown_nowhere() {
    let api = Api::with_map().await;
    let mut entry = entry(1, "Ada");
    if let Work::Write(write) = &mut entry.work
        && let Image::Present(record) = &mut write.image
    {
        record.insert("TaxId".to_owned(), json!("hunter2"));
        record.insert("CustomerAccount".to_owned(), json!("C-1"));
    }
    let head = Head { version: 1, next_seq: 2, parked: true, ..Head::new(map(&api).await.uid, Timestamp(1_000)) };
    let commit = Commit { head, expected: 0, ops: vec![JournalOp::Append(entry, None)] };
    api.world.lanes.commit(&lane("C-1"), commit).await.unwrap();
    let shown = api.get("/maps/customers/queue/entry?key=C-1&seq=1").await;
    assert_eq!(shown.json()["record"], json!({"Name": "Ada", "Limit": 5, "Group": "10", "CustomerAccount": "C-1"}));
    assert_eq!(done(&api, &command("skip", "C-1", 1)).await["done"], true);
    let archived = api.get("/maps/customers/archive").await;
    assert_eq!(archived.json()["archived"][0]["record"]["Name"], "Ada");
    assert!(!archived.text.contains("hunter2") && !shown.text.contains("hunter2"));
}
