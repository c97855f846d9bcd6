//! Entries that wait or were refused, the archive, and conflicts.

use app::{
    admin::archive::MAX_LISTED,
    ports::{Commit, JournalOp, LaneKey, Lanes},
};
use domain::{
    ContentHash, EntryId, ErrorClass, Failure, SideIx, Timestamp, WriteId,
    failure::CallEffect,
    lane::{Conflict, Entry, Head, MarkerState, Mode, ParkReason, StepFailure, Winner, Work, Write},
    record::Image,
};
use serde_json::{Value, json};
use testkit::StoredItem;

use super::{
    harness::{Api, map_config},
    pause::map,
};

pub(super) fn lane(key: &str) -> LaneKey {
    LaneKey { map: "customers".parse().unwrap(), key: key.parse().unwrap() }
}

pub(super) fn entry(seq: u64, name: &str) -> Entry {
    let record = json!({"Name": name, "Limit": 5, "Group": "10"});
    let write = Write {
        id: WriteId::made(u128::from(seq) + 1),
        body: ContentHash(seq),
        origin: Some(SideIx::First),
        shape: SideIx::First,
        mode: Mode::Committed,
        image: Image::Present(record.as_object().unwrap().clone()),
    };
    Entry::new(seq, EntryId(u128::from(seq)), Work::Write(write), Timestamp(1_000))
}

/// A lane with entries of these names; the first is parked, if wanted.
pub(super) async fn with_lane(api: &Api, key: &str, names: &[&str], parked: bool) {
    let uid = map(api).await.uid;
    for (seq, name) in (1..).zip(names) {
        let mut entry = entry(seq, name);
        if parked && seq == 1 {
            entry.attempts = 1;
            entry.parked = Some(ParkReason::Refused);
            let failure = Failure::new(ErrorClass::Application, CallEffect::Refused, None, "Limit too high");
            entry.last_failure = Some(StepFailure { to: SideIx::Second, at: Timestamp(2_000), failure });
        }
        let marker = entry.marker(&lane(key).key, MarkerState::Open).map(|mut marker| {
            let of_key = key.bytes().fold(7, |sum: u128, byte| sum.wrapping_mul(257) + u128::from(byte));
            marker.id = WriteId::made(u128::from(seq) + (of_key << 16));
            marker
        });
        let head = Head { version: seq, next_seq: seq + 1, parked, ..Head::new(uid, Timestamp(1_000)) };
        let ops = vec![JournalOp::Append(entry, marker)];
        api.world.lanes.commit(&lane(key), Commit { head, expected: seq - 1, ops }).await.unwrap();
    }
}

pub(super) fn command(name: &str, key: &str, seq: u64) -> Value {
    json!({"command": name, "entries": [{"key": key, "seq": seq}], "reason": "to see"})
}

pub(super) async fn done(api: &Api, body: &Value) -> Value {
    let told = api.post("/maps/customers/entries", body).await;
    assert_eq!(told.status, 200, "{told:?}");
    told.json()["results"][0].clone()
}

#[tokio::test]
async fn a_refused_entry_is_listed_with_what_the_app_said_and_found_by_filters() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["Ada", "Eve"], true).await;
    with_lane(&api, "C-waits", &["Kim"], false).await;
    let listed = api.get("/maps/customers/errors").await.json();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1, "{listed}");
    let error = &listed["entries"][0];
    assert_eq!((&error["key"], &error["seq"], &error["parked"]), (&json!("C-1"), &json!(1), &json!("refused")));
    assert_eq!(
        (&error["last_failure"]["to"], &error["last_failure"]["message"]),
        (&json!("crm"), &json!("Limit too high"))
    );
    for (query, count) in [
        ("class=application", 1),
        ("class=timeout", 0),
        ("to=crm", 1),
        ("to=finance", 0),
        ("key_prefix=C-", 1),
        ("key_prefix=D", 0),
        ("acknowledged=true", 0),
        ("acknowledged=false", 1),
        ("assigned_to=ann", 0),
    ] {
        let found = api.get(&format!("/maps/customers/errors?{query}")).await.json();
        assert_eq!(found["entries"].as_array().unwrap().len(), count, "{query}");
    }
    for (query, says) in [
        ("class=bad", "class: unknown variant"),
        ("colour=red", "colour: is not known here"),
        ("limit=0", "limit: must be"),
        ("limit=201", "limit: must be"),
        ("after=x", "after: is not a cursor"),
    ] {
        api.get(&format!("/maps/customers/errors?{query}")).await.is_problem(400, "invalid_request", says);
    }
}

#[tokio::test]
async fn an_entry_is_shown_with_its_record_but_for_what_is_redacted() {
    let api = Api::with_map().await;
    let mut config = map_config();
    config["redact"] = json!(["name"]);
    assert_eq!(api.put_if("/maps/customers", "*", &config).await.status, 200);
    with_lane(&api, "C-1", &["Ada"], true).await;
    let shown = api.get("/maps/customers/queue/entry?key=C-1&seq=1").await.json();
    assert_eq!((&shown["record"]["Name"], &shown["record"]["Limit"]), (&json!("•••"), &json!(5)), "{shown}");
    let preview = api.post("/maps/customers/errors/preview", &json!({"key": "C-1", "seq": 1})).await.json();
    assert_eq!(preview["sends"][0]["record"]["name"], "•••", "by its name on the other side, too: {preview}");
    api.get("/maps/customers/queue/entry?key=C-1").await.is_problem(400, "invalid_request", "seq: must be given");
    let none = api.get("/maps/customers/queue/entry?key=C-1&seq=9").await;
    none.is_problem(404, "entry_not_found", "");
    assert_eq!(none.json()["about"], json!({"map": "customers", "key": "C-1", "seq": 9}));
    let mut wrong = config.clone();
    wrong["redact"] = json!(["colour"]);
    api.put_if("/maps/customers", "*", &wrong).await.is_problem(
        400,
        "invalid_request",
        "redact[0]: colour is not a mapped field",
    );
    let hidden =
        json!({"command": "edit", "record": {"Name": "•••"}, "entries": [{"key": "C-1", "seq": 1}], "reason": "x"});
    assert_eq!(done(&api, &hidden).await["problem"]["code"], "invalid_request", "the sign for a hidden value is none");
}

#[tokio::test]
async fn entries_are_listed_page_by_page_and_by_record() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["a", "b", "c"], false).await;
    with_lane(&api, "C-22", &["d", "e"], false).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = api.get(&format!("/maps/customers/queue/entries?limit=2{after}")).await.json();
        for entry in page["entries"].as_array().unwrap() {
            seen.push(format!("{} {}", entry["key"].as_str().unwrap(), entry["seq"]));
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["C-1 1", "C-1 2", "C-1 3", "C-22 1", "C-22 2"]);
    let one = api.get("/maps/customers/queue/entries?key=C-22").await.json();
    assert_eq!(one["entries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_done_to_an_entry_is_noted_with_who_and_why() {
    let admin = Api::with_map().await;
    let api = admin.as_role(app::ports::Role::Operator).await;
    with_lane(&api, "C-1", &["Ada", "Eve"], true).await;
    assert_eq!(done(&api, &command("acknowledge", "C-1", 1)).await["done"], true);
    let mut assign = command("assign", "C-1", 1);
    assign["to"] = json!("ann");
    assert_eq!(done(&api, &assign).await["done"], true);
    let error = api.get("/maps/customers/errors?assigned_to=ann&acknowledged=true").await.json()["entries"][0].clone();
    assert_eq!(
        (&error["acknowledged"]["actor"], &error["acknowledged"]["reason"]),
        (&json!("the operator"), &json!("to see"))
    );
    // A later entry is not the next: nothing is done to it but cancelling.
    assert_eq!(done(&api, &command("retry", "C-1", 2)).await["problem"]["code"], "entry_not_next");
    assert_eq!(done(&api, &command("cancel", "C-1", 2)).await["done"], true);
    assert_eq!(done(&api, &command("cancel", "C-1", 2)).await["problem"]["code"], "already");
    assert_eq!(done(&api, &command("restore", "C-1", 2)).await["done"], true);
    let mut edit = command("edit", "C-1", 1);
    edit["record"] = json!({"Limit": 1});
    assert_eq!(done(&api, &edit).await["done"], true);
    assert_eq!(api.get("/maps/customers/errors").await.json()["entries"], json!([]), "it is tried again");
    let kept = api.get("/maps/customers/archive?cause=edited").await.json();
    assert_eq!(
        (&kept["archived"][0]["record"]["Limit"], &kept["archived"][0]["by"]["actor"]),
        (&json!(5), &json!("the operator"))
    );
    let edited = api.get("/maps/customers/queue/entry?key=C-1&seq=1").await.json();
    assert_eq!((&edited["record"]["Limit"], &edited["record"]["Name"]), (&json!(1), &json!("Ada")));
}

#[tokio::test]
async fn a_command_that_is_wrong_names_what_is_wrong() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["Ada"], true).await;
    let with = |field: &str, value: Value| {
        let mut body = command("retry", "C-1", 1);
        body[field] = value;
        body
    };
    for (body, says) in [
        (with("command", json!("explode")), "command: unknown variant"),
        (with("entries", json!([])), "entries: must be 1 to 200"),
        (with("entries", json!([{"key": "", "seq": 1}])), "entries[0].key: must not be empty"),
        (with("to", json!("ann")), "to: goes with assign"),
        (with("record", json!({})), "record: goes with edit"),
        (with("reason", json!("")), "reason: must say why"),
        (with("colour", json!("red")), "colour: unknown field"),
    ] {
        api.post("/maps/customers/entries", &body).await.is_problem(400, "invalid_request", says);
    }
    let edit = |record: Value| json!({"command": "edit", "record": record, "entries": [{"key": "C-1", "seq": 1}], "reason": "x"});
    api.post("/maps/customers/entries", &edit(json!({}))).await.is_problem(
        400,
        "invalid_request",
        "record: must contain the fields",
    );
    let unknown = done(&api, &edit(json!({"Colour": "red"}))).await;
    assert_eq!(unknown["problem"]["errors"][0]["field"], "record.Colour");
    let unmapped = done(&api, &edit(json!({"Limit": "much"}))).await;
    assert_eq!(unmapped["problem"]["code"], "mapping");
    let none = done(&api, &command("skip", "C-9", 1)).await;
    assert_eq!(none["problem"]["code"], "entry_not_found");
    assert_eq!(none["problem"]["about"], json!({"map": "customers", "key": "C-9", "seq": 1}));
    assert_eq!(done(&api, &command("supersede", "C-1", 1)).await["problem"]["code"], "nothing_behind");
}

#[tokio::test]
async fn what_was_given_up_is_in_the_archive_and_comes_back_once() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["Ada", "Eve", "Kim"], true).await;
    assert_eq!(done(&api, &command("skip", "C-1", 1)).await["done"], true);
    let listed = api.get("/maps/customers/archive").await.json();
    let one = &listed["archived"][0];
    assert_eq!(
        (&one["cause"], &one["entry"]["seq"], &one["record"]["Name"]),
        (&json!("skipped"), &json!(1), &json!("Ada"))
    );
    let path = format!("/maps/customers/archive/{}", one["archive_id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.json(), *one);
    let back = api.post(&format!("{path}/recover"), &json!({"reason": "after all"})).await.json();
    assert_eq!(back["recovered"]["reason"], "after all");
    api.post(&format!("{path}/recover"), &json!({"reason": "again"})).await.is_problem(409, "already", "");
    let entries = api.get("/maps/customers/queue/entries?key=C-1").await.json();
    assert_eq!(entries["entries"][2]["op"], "copy", "it comes back at the end, as its app has it by then: {entries}");
    api.get("/maps/customers/archive/x").await.is_problem(400, "invalid_request", "id: is not an id");
    let none = api.get("/maps/customers/archive/01KAQZDE4R8XYZABCDEFGHJKMN").await;
    none.is_problem(404, "archived_not_found", "");
    assert_eq!(none.json()["about"], json!({"map": "customers", "id": "01KAQZDE4R8XYZABCDEFGHJKMN"}));
    // The rest: the last takes the place of the one before it.
    assert_eq!(done(&api, &command("supersede", "C-1", 2)).await["done"], true);
    assert_eq!(
        api.get("/maps/customers/archive?cause=superseded").await.json()["archived"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn all_that_was_archived_for_a_cause_comes_back_page_by_page() {
    let api = Api::with_map().await;
    for key in ["A", "BB"] {
        with_lane(&api, key, &["x"], true).await;
        assert_eq!(done(&api, &command("skip", key, 1)).await["done"], true);
    }
    let all = json!({"cause": "skipped", "reason": "after all"});
    let told = api.post("/maps/customers/archive/recover-all", &all).await.json();
    assert_eq!(told["results"].as_array().unwrap().len(), 2, "{told}");
    assert!(told["results"].as_array().unwrap().iter().all(|result| result["done"] == true), "{told}");
    let again = api.post("/maps/customers/archive/recover-all", &all).await.json();
    assert_eq!(again["results"], json!([]), "what came back is left out");
    let wrong = json!({"cause": "lost", "reason": "x"});
    api.post("/maps/customers/archive/recover-all", &wrong).await.is_problem(400, "invalid_request", "cause: unknown");
    let wrong = json!({"cause": "skipped", "reason": "x", "after": "y"});
    api.post("/maps/customers/archive/recover-all", &wrong).await.is_problem(400, "invalid_request", "after: is not");
}

#[tokio::test]
async fn what_comes_back_comes_back_oldest_first_over_all_pages() {
    let api = Api::with_map().await;
    for n in 0..MAX_LISTED + 5 {
        with_lane(&api, &format!("C-{n:03}"), &["x"], true).await;
        assert_eq!(done(&api, &command("skip", &format!("C-{n:03}"), 1)).await["done"], true);
    }
    let first =
        api.post("/maps/customers/archive/recover-all", &json!({"cause": "skipped", "reason": "x"})).await.json();
    let rest = json!({"cause": "skipped", "reason": "x", "after": first["next"]});
    let rest = api.post("/maps/customers/archive/recover-all", &rest).await.json();
    assert_eq!(rest.get("next"), None, "{rest}");
    let back: Vec<_> = [&first, &rest]
        .into_iter()
        .flat_map(|page| page["results"].as_array().unwrap())
        .map(|one| one["archive_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((back.len(), first["results"].as_array().unwrap().len()), (MAX_LISTED + 5, MAX_LISTED));
    assert!(back.is_sorted(), "the oldest has the lowest id");
    assert_eq!(head_of(&api, "C-204").await.next_seq, 3, "the last one is back, too");
}

async fn head_of(api: &Api, key: &str) -> Head {
    api.world.lanes.head(&lane(key)).await.unwrap().unwrap().0
}

#[tokio::test]
async fn all_errors_are_tried_again_page_by_page() {
    let api = Api::with_map().await;
    for key in ["A", "BB", "CCC"] {
        with_lane(&api, key, &["x"], true).await;
    }
    let told =
        api.post("/maps/customers/errors/retry-all", &json!({"reason": "fixed", "key_prefix": "B"})).await.json();
    assert_eq!((told["results"].as_array().unwrap().len(), &told["results"][0]["key"]), (1, &json!("BB")));
    let told =
        api.post("/maps/customers/errors/retry-all", &json!({"reason": "fixed", "class": "application"})).await.json();
    assert_eq!(told["results"].as_array().unwrap().len(), 2);
    assert!(told["results"].as_array().unwrap().iter().all(|result| result["done"] == true), "{told}");
    // What was not tried yet can be held again: a bulk retry is called off so.
    assert_eq!(done(&api, &command("hold", "CCC", 1)).await["done"], true);
    assert_eq!(api.get("/maps/customers/errors").await.json()["entries"][0]["parked"], "held");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_line_that_says_why() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["Ada", "Bob"], true).await;
    api.world.lanes.damage(&StoredItem::Entry(lane("C-1"), 1), Timestamp(3_000));
    let listed = api.get("/maps/customers/errors").await.json();
    let one = &listed["entries"][0];
    assert_eq!(
        (&one["op"], &one["parked"], &one["seq"]),
        (&json!("unknown"), &json!("unreadable"), &json!(1)),
        "{listed}"
    );
    assert!(one["unreadable"].as_str().unwrap().contains("cannot be read"), "{one}");
    assert!(one.get("accepted_at").is_none() && !listed.to_string().contains("1970"), "{listed}");
    assert_eq!(done(&api, &command("skip", "C-1", 1)).await["done"], true);
    let archived = api.get("/maps/customers/archive").await.json();
    let id = archived["archived"][0]["archive_id"].as_str().unwrap().to_owned();
    let recover = format!("/maps/customers/archive/{id}/recover");
    let refused = api.post(&recover, &json!({"reason": "to see"})).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("unreadable")));
}

#[tokio::test]
async fn a_conflict_shows_both_values_and_is_reversed_once() {
    let api = Api::with_map().await;
    with_lane(&api, "C-1", &["Ada"], false).await;
    let image = |field: &str, name: &str| Image::Present(json!({field: name}).as_object().unwrap().clone());
    let conflict = Conflict {
        entry: EntryId(77),
        key: "C-1".parse().unwrap(),
        version: "5.1".parse().unwrap(),
        at: Timestamp(3_000),
        origin: SideIx::Second,
        winner: Winner::ThisWrite,
        kept: image("name", "crm's"),
        kept_on: SideIx::Second,
        lost: image("Name", "finance's"),
        reversed: None,
        unreadable: None,
    };
    let uid = map(&api).await.uid;
    let head = Head { version: 2, next_seq: 2, ..Head::new(uid, Timestamp(1_000)) };
    let ops = vec![JournalOp::Conflict(Box::new(conflict))];
    api.world.lanes.commit(&lane("C-1"), Commit { head, expected: 1, ops }).await.unwrap();
    let listed = api.get("/maps/customers/conflicts").await.json();
    let one = &listed["conflicts"][0];
    assert_eq!((&one["kept"]["side"], &one["kept"]["record"]["name"]), (&json!("crm"), &json!("crm's")));
    assert_eq!((&one["lost"]["side"], &one["lost"]["record"]["Name"]), (&json!("finance"), &json!("finance's")));
    let path = format!("/maps/customers/conflicts/{}", one["entry"].as_str().unwrap());
    assert_eq!(api.get(&path).await.json(), *one);
    let found = async |filter: &str| {
        let listed = api.get(&format!("/maps/customers/conflicts?{filter}")).await.json();
        listed["conflicts"].as_array().unwrap().len()
    };
    for (filter, count) in [("key=C-1", 1), ("key=C-2", 0), ("reversed=false", 1), ("reversed=true", 0)] {
        assert_eq!(found(filter).await, count, "{filter}");
    }
    let reversed = api.post(&format!("{path}/reverse"), &json!({"reason": "finance was right"})).await.json();
    assert_eq!(reversed["reversed"]["reason"], "finance was right");
    assert_eq!((found("reversed=false").await, found("reversed=true&key=C-1").await), (0, 1));
    api.post(&format!("{path}/reverse"), &json!({"reason": "again"})).await.is_problem(409, "already", "");
    let entries = api.get("/maps/customers/queue/entries?key=C-1").await.json();
    assert_eq!((entries["entries"].as_array().unwrap().len(), &entries["entries"][1]["op"]), (2, &json!("upsert")));
}
