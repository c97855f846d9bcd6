//! Items of the journal that nobody can read any more, whatever damaged them: each is a line that says so, stops its own record
//! and nothing else, and can be taken out. They are damaged in the table itself, behind the functions' backs.

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::AttributeValue::{self, B, S},
};
use reqwest::Method;
use serde_json::{Value, json};
use ulid::Ulid;

use super::Trial;
use crate::{
    stack::together,
    until::until,
    values::{id, key},
};

/// How an item is damaged: an update expression, with what it names `:x`.
type Damage = (&'static str, fn() -> Option<AttributeValue>);

fn junk() -> Option<AttributeValue> {
    Some(B(Blob::new(*b"\xff\x00 damaged")))
}

const ENTRIES: [Damage; 5] = [
    ("SET body = :x", junk),
    ("SET body = :x", || Some(B(Blob::new(*b"")))),
    ("SET body = :x", || Some(S("text".to_owned()))),
    ("REMOVE body", || None),
    ("REMOVE v", || None),
];
const HEADS: [Damage; 7] = [
    ("SET lane = :x", junk),
    ("SET lane = :x", || Some(S("text".to_owned()))),
    ("SET image = :x", junk),
    ("REMOVE lane", || None),
    ("REMOVE v", || None),
    ("SET version = :x", || Some(S("text".to_owned()))),
    ("REMOVE map_uid", || None),
];
/// Lists of a map, and of all maps.
const LISTS: [&str; 9] = [
    "/queue",
    "/queue/entries?limit=200",
    "/open?limit=200",
    "/errors?limit=200",
    "/archive?limit=200",
    "/conflicts?limit=200",
    "/syncs",
    "",
    "/syncs?limit=1",
];

struct Table<'a> {
    db: &'a Client,
    name: &'a str,
}

impl Table<'_> {
    async fn damage(&self, pk: &str, sk: &str, (expression, value): Damage) {
        let update = self.db.update_item().table_name(self.name).update_expression(expression);
        let update = update.key("pk", S(pk.to_owned())).key("sk", S(sk.to_owned()));
        let update = update.condition_expression("attribute_exists(pk)");
        let update = value().into_iter().fold(update, |update, value| update.expression_attribute_values(":x", value));
        update.send().await.unwrap_or_else(|error| panic!("{pk} {sk} {expression}: {error:?}"));
    }

    /// The partition of the archive, or of the conflicts, that has an item.
    async fn partition(&self, kind: &str, sk: &str) -> String {
        let scan = self.db.scan().table_name(self.name).filter_expression("sk = :sk AND begins_with(pk, :kind)");
        let scan = scan.expression_attribute_values(":sk", S(sk.to_owned()));
        let scan = scan.expression_attribute_values(":kind", S(kind.to_owned()));
        // One page of a scan is a megabyte of the table, whatever of it the filter lets pass.
        let found =
            scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("the table answers");
        found[0]["pk"].as_s().expect("text").clone()
    }
}

/// The sort key of what has this id.
fn by_id(id: &Value) -> String {
    let id: Ulid = id.as_str().and_then(|id| id.parse().ok()).expect("an id");
    format!("{:032x}", id.0)
}

impl Trial<'_> {
    fn table(&self) -> Table<'_> {
        Table { db: &self.world.db, name: &self.world.stack.endpoints().table }
    }

    fn lane(&self, key: &str) -> String {
        format!("L#{}#{key}", self.map)
    }

    async fn all_lists_are_there(&self) {
        for list in LISTS {
            self.get(list).await;
        }
        for list in ["/maps", "/queues", "/log/errors?limit=10", "/log/activity?limit=10"] {
            self.world.admin.get(list).await.unwrap_or_else(|error| panic!("{list}: {error:#}"));
        }
    }

    /// Two changes of each of some records.
    async fn changes(&self, keys: &[String]) {
        for name in ["v1", "v2"] {
            for key in keys {
                assert_eq!(self.report(key, json!({ "name": name })).await.status, 202);
            }
        }
    }
}

fn keys(count: usize) -> Vec<String> {
    (0..count).map(|_| key("DAMAGED")).collect()
}

#[test]
fn what_cannot_be_read_is_listed_stops_its_own_record_and_is_taken_out() {
    together(async |world| {
        let trial = Trial::start(world, "damaged", json!({}), json!({})).await;
        let (entries, heads, healthy) = (keys(ENTRIES.len()), keys(HEADS.len()), keys(2));
        trial.command("pause", json!({})).await;
        trial.changes(&[&entries[..], &heads, &healthy].concat()).await;
        let first = format!("E#{:020}", 1);
        for (key, damage) in entries.iter().zip(ENTRIES) {
            trial.table().damage(&trial.lane(key), &first, damage).await;
        }
        for (key, damage) in heads.iter().zip(HEADS) {
            trial.table().damage(&trial.lane(key), "H", damage).await;
        }

        // Each has its line, beside those that can be read.
        trial.all_lists_are_there().await;
        let listed = trial.get("/queue/entries?limit=200").await;
        let line = |key: &str, seq: u64| {
            let lines = listed["entries"].as_array().expect("a list");
            lines.iter().find(|line| line["key"] == key && line["seq"] == seq).unwrap_or_else(|| panic!("{key} {seq}"))
        };
        for key in &entries {
            assert_eq!((&line(key, 1)["op"], &line(key, 2)["op"]), (&json!("unknown"), &json!("upsert")));
            assert!(line(key, 1)["unreadable"].is_string(), "{listed}");
            assert!(trial.get(&format!("/queue/entry?key={key}&seq=1")).await["unreadable"].is_string());
        }
        for key in heads.iter().chain(&healthy) {
            assert_eq!((&line(key, 1)["op"], &line(key, 2)["op"]), (&json!("upsert"), &json!("upsert")));
        }

        // The others are written, and the catch-up comes to its end.
        trial.command("resume", json!({})).await;
        for key in &healthy {
            trial.settled(key).await;
            assert_eq!(trial.b.record(key), Some(json!({"name": "v2"})));
        }
        until("each to be parked", async || {
            let _swept = world.stack.sweep().await;
            let errors = trial.get("/errors?limit=200").await;
            let parked = errors["entries"].as_array().expect("a list");
            let unreadable = parked.iter().filter(|entry| entry["parked"] == "unreadable").count();
            ((unreadable, parked.len()) == (entries.len(), entries.len() + heads.len())).then_some(())
        })
        .await;
        until("the catch-up to be over", async || (trial.get("").await["state"] == "Running").then_some(())).await;
        for key in entries.iter().chain(&heads) {
            assert!(trial.b.writes_of(key).is_empty(), "nobody knows what came before");
            // What comes now waits behind it, and is not lost.
            let told = trial.report(key, json!({"name": "v3"})).await;
            assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
        }
        trial.of_each("skip", &entries, 1).await;
        trial.of_each("retry", &heads, 1).await;
        for key in entries.iter().chain(&heads) {
            trial.settled(key).await;
            assert_eq!(trial.b.record(key), Some(json!({"name": "v3"})), "{key}");
        }
        let archived = trial.get("/archive?limit=200").await;
        let archived = archived["archived"].as_array().expect("a list");
        assert_eq!(archived.len(), entries.len());
        assert!(archived.iter().all(|one| one["entry"]["unreadable"].is_string()), "{archived:?}");
        trial.all_lists_are_there().await;
        trial.end().await;
    });
}

#[test]
fn a_map_with_items_that_cannot_be_read_is_emptied_stopped_and_deleted() {
    together(async |world| {
        let trial = Trial::start(world, "emptied", json!({}), json!({})).await;
        let discarded = keys(2);
        trial.command("pause", json!({})).await;
        trial.changes(&discarded).await;
        trial.table().damage(&trial.lane(&discarded[0]), &format!("E#{:020}", 1), ENTRIES[0]).await;
        trial.table().damage(&trial.lane(&discarded[1]), "H", HEADS[0]).await;
        trial.command("resume", json!({"backlog": "discard"})).await;
        let archived = until("all to be archived", async || {
            let _swept = world.stack.sweep().await;
            let archived = trial.get("/archive?cause=discarded&limit=200").await["archived"].clone();
            (archived.as_array().expect("a list").len() == 4).then_some(archived)
        })
        .await;
        let is_damaged = |one: &&Value| one["entry"]["unreadable"].is_string();
        let damaged = archived.as_array().expect("a list").iter().find(is_damaged).expect("it is there");
        let path = trial.path(&format!("/archive/{}", damaged["archive_id"].as_str().expect("an id")));
        world.admin.get(&path).await.expect("admin answers");
        let reason = json!({"reason": "again"});
        let told = world.admin.call(Method::POST, &format!("{path}/recover"), Some(&reason)).await;
        let told = told.expect("admin answers");
        assert_eq!((told.status, told.text("code")), (409, "unreadable"), "{told:?}");

        // In the archive, too, and among the conflicts.
        let healthy = archived.as_array().expect("a list").iter().find(|one| !is_damaged(one)).expect("it is there");
        let sk = by_id(&healthy["archive_id"]);
        let table = trial.table();
        table.damage(&table.partition("A#", &sk).await, &sk, ENTRIES[0]).await;
        let listed = trial.get("/archive?limit=200").await;
        assert_eq!(listed["archived"].as_array().expect("a list").iter().filter(is_damaged).count(), 2, "{listed}");
        let crossed = key("DAMAGED");
        trial.command("pause", json!({})).await;
        assert_eq!(trial.report(&crossed, json!({"name": "Bob"})).await.status, 202);
        assert_eq!(trial.report_by_b(&crossed, json!({"name": "Ada"})).await.status, 202);
        trial.command("resume", json!({})).await;
        trial.a.put(&crossed, json!({"name": "Bob"}));
        trial.settled(&crossed).await;
        let conflict = trial.get("/conflicts").await["conflicts"][0]["entry"].clone();
        let sk = by_id(&conflict);
        table.damage(&table.partition("X#", &sk).await, &sk, ENTRIES[3]).await;
        let listed = trial.get("/conflicts").await;
        assert!(listed["conflicts"][0]["unreadable"].is_string(), "{listed}");
        let reverse = trial.path(&format!("/conflicts/{}/reverse", conflict.as_str().expect("an id")));
        let told = world.admin.call(Method::POST, &reverse, Some(&reason)).await.expect("admin answers");
        assert_eq!((told.status, told.text("code")), (409, "unreadable"), "{told:?}");

        // What a write's id is remembered by: its change is written all the same, and is not taken twice.
        let marked = key("DAMAGED");
        trial.command("pause", json!({})).await;
        let write = json!({"id": id(), "record": {"name": "once"}, "mode": "committed"});
        assert_eq!(trial.send(&marked, write.clone()).await.status, 202);
        let id: Ulid = write["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        table.damage(&format!("W#{}#{:032x}", trial.map, id.0), "W", ENTRIES[0]).await;
        let again = trial.send(&marked, write.clone()).await;
        assert!(again.status >= 400, "{again:?}");
        trial.all_lists_are_there().await;
        trial.command("resume", json!({})).await;
        trial.settled(&marked).await;
        assert_eq!(trial.b.writes_of(&marked).len(), 1);
        let again = trial.send(&marked, write.clone()).await;
        assert_eq!((again.status, again.text("status")), (200, "written"), "{again:?}");

        let left = keys(2);
        trial.command("pause", json!({})).await;
        trial.changes(&left).await;
        trial.table().damage(&trial.lane(&left[0]), &format!("E#{:020}", 1), ENTRIES[0]).await;
        trial.table().damage(&trial.lane(&left[1]), "H", HEADS[0]).await;
        trial.command("stop", json!({})).await;
        let delete = async || world.admin.call(Method::DELETE, &trial.path(""), None).await.expect("admin answers");
        let told = delete().await;
        assert_eq!(told.status, 409, "{told:?}");
        for seq in [1, 2] {
            trial.of_each("skip", &left, seq).await;
        }
        let told = until("the map to be deleted", async || {
            let told = delete().await;
            (told.text("code") != "map_settling").then_some(told)
        })
        .await;
        assert_eq!(told.status, 204, "{told:?}");
    });
}
