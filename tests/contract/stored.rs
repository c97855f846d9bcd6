//! Items that an earlier release stored are read as they were meant.
//!
//! `stored/10959b6.json` was written by the adapters of commit `10959b6`, into a table that was then dumped: every kind of
//! item, with every variant of what it may hold. Beside the items it has the values that were stored, in that release's JSON.

use std::collections::HashMap;

use app::ports::{Alerts, Archive, ConfigStore, Gauges, LaneKey, Lanes, Log, LogRange, Tokens};
use aws::{DynamoAlerts, DynamoConfig, DynamoLanes, DynamoLog, DynamoTokens};
use aws_sdk_dynamodb::{Client, primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    EntryId, ErrorClass, Map, SideIx, Timestamp,
    id::MapUid,
    lane::{Echoes, Head},
};
use serde::Serialize;
use serde_json::{Value, json};
use testkit::sample;

use crate::emulator::{run, table};

const RELEASE: &str = include_str!("stored/10959b6.json");
const DAYS: u64 = 90;
const MAP: &str = "customers0";
const LIMIT: usize = 100;

/// What the fields of a head were called in the JSON of that release. A head is stored by position: names do not matter
/// there. The filter stood apart, in `evicted`.
const HEAD_NAMES: [(&str, &str); 7] = [
    ("\"target_seq\":", "\"last_write_seq\":"),
    ("\"target_at\":", "\"last_write_at\":"),
    ("\"own\":", "\"last_reported\":"),
    ("\"own_after\":", "\"echoes_at_report\":"),
    ("\"written\":[", "\"recent_writes\":["),
    (
        "\"forgotten_seq\":",
        "\"bounces\":0,\"last_reported_seq\":0,\"last_reported_at\":0,\"evicted_filter\":0,\"evicted_seq\":",
    ),
    ("\"copy_seq\":", "\"resync_seq\":"),
];

/// A table with that release's items, and what it meant by them.
async fn release() -> (Client, String, Value) {
    let (db, table) = table().await;
    let stored: Value = serde_json::from_str(RELEASE).expect("JSON");
    for item in stored["items"].as_array().expect("items") {
        let put = db.put_item().table_name(&table).set_item(Some(parse_item(item)));
        put.send().await.expect("the item is put");
    }
    (db, table, stored["expect"].clone())
}

fn parse_item(item: &Value) -> HashMap<String, AttributeValue> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let parse = |value: &Value| {
        let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("a typed value");
        match kind.as_str() {
            "S" => AttributeValue::S(text(value)),
            "N" => AttributeValue::N(text(value)),
            "B" => AttributeValue::B(Blob::new(STANDARD.decode(text(value)).expect("base64"))),
            "BOOL" => AttributeValue::Bool(value.as_bool().expect("a bool")),
            other => panic!("no adapter writes {other}"),
        }
    };
    item.as_object().expect("an item").iter().map(|(name, value)| (name.clone(), parse(value))).collect()
}

/// As that release's JSON: what is read must also be written so that functions of that release can read it.
fn as_json<T: Serialize>(values: impl IntoIterator<Item = T>) -> Value {
    values.into_iter().map(|value| serde_json::to_value(value).expect("JSON")).collect()
}

fn sorted(mut values: Value) -> Value {
    values.as_array_mut().expect("a list").sort_by_key(Value::to_string);
    values
}

fn customers() -> Map {
    Map::new(MAP.parse().expect("a name"), MapUid(70), sample::customers(), "kim", Timestamp(0))
}

fn lane(key: &str) -> LaneKey {
    LaneKey { map: MAP.parse().expect("a name"), key: key.parse().expect("a key") }
}

#[test]
fn maps_sides_tokens_and_rules_are_read() {
    run(async {
        let (db, table, expect) = release().await;
        let config = DynamoConfig::new(db.clone(), &table);
        assert_eq!(as_json(config.list_maps().await.expect("maps")), expect["maps"]);
        assert_eq!(sorted(as_json(config.list_sides().await.expect("sides"))), sorted(expect["sides"].clone()));
        assert_eq!(
            as_json(DynamoLanes::new(db.clone(), &table).skipped(&customers()).await),
            json!([expect["skipped"]])
        );
        let tokens = DynamoTokens::new(db.clone(), &table);
        assert_eq!(as_json(tokens.list_tokens().await.expect("tokens")), expect["tokens"]);
        let alerts = DynamoAlerts::new(db, &table, DAYS);
        assert_eq!(as_json(alerts.rules().await.expect("rules")), expect["rules"]);
        assert_eq!(as_json(alerts.groups().await.expect("groups")), expect["groups"]);
        assert_eq!(as_json(alerts.flagged().await.expect("flagged addresses")), expect["flagged"]);
    });
}

#[test]
fn incidents_and_logs_are_read() {
    run(async {
        let (db, table, expect) = release().await;
        let alerts = DynamoAlerts::new(db.clone(), &table, DAYS);
        let incidents = alerts.incidents(None, LIMIT).await.expect("incidents");
        assert_eq!(sorted(as_json(&incidents)), sorted(expect["incidents"].clone()));
        assert_eq!(alerts.open_incidents().await.expect("open incidents").len(), 6, "each has a mail to send");
        let watch = alerts.watch(&incidents[0].rule, &incidents[0].map).await.expect("a watch");
        assert_eq!(as_json(watch), json!([expect["watch"]]));
        let log = DynamoLog::new(db, &table, DAYS);
        let map = MAP.parse().expect("a name");
        let range = LogRange::since(Timestamp(0));
        let lines = log.activities(Some(&map), range, LIMIT).await.expect("activities");
        assert_eq!(sorted(as_json(lines)), sorted(expect["activities"].clone()));
        let mut errors = Vec::new();
        for class in ErrorClass::ALL {
            errors.extend(log.errors(&map, class, range, LIMIT).await.expect("errors"));
        }
        assert_eq!(sorted(as_json(errors)), sorted(expect["errors"].clone()));
        assert_eq!(as_json(log.failed(None, LIMIT).await.expect("failed events")), expect["failed"]);
        assert_eq!(as_json(log.noisy(Timestamp(0)).await.expect("noisy maps")), expect["noisy"]);
    });
}

#[test]
fn heads_are_read_and_written_anew() {
    run(async {
        let (db, table, expect) = release().await;
        let lanes = DynamoLanes::new(db, &table);
        let heads = expect["heads"].as_object().expect("heads");
        assert!(!heads.is_empty());
        for (key, expected) in heads {
            let (lane, expected) = (lane(key), parse_head(expected));
            let (head, echoes) = lanes.head(&lane).await.expect("it can be read").expect("it is there");
            assert_eq!((&head, &echoes), (&expected.0, &expected.1), "{key}");
            let next = Head { version: head.version + 1, ..head.clone() };
            let commit = app::ports::Commit { head: next.clone(), expected: head.version, ops: Vec::new() };
            assert_eq!(lanes.commit(&lane, commit).await, Ok(()), "{key}");
            assert_eq!(lanes.head(&lane).await, Ok(Some((next, echoes))), "{key}: in today's schema");
        }
    });
}

/// A head in the JSON of that release. (`serde_json::Value` has no room for 128 bits: hence text.)
fn parse_head(expected: &Value) -> (Head, Echoes) {
    let text = expected["head"].as_str().expect("JSON as text").to_owned();
    let renamed = HEAD_NAMES.iter().fold(text, |text, (was, is)| text.replace(was, is));
    let mut head: Head = serde_json::from_str(&renamed).expect("a head");
    for side in SideIx::BOTH {
        head.sides[side].evicted_filter = expected["evicted"][side.at()].as_u64().expect("a filter");
    }
    (head, serde_json::from_str(expected["echoes"].as_str().expect("JSON as text")).expect("echoes"))
}

#[test]
fn entries_markers_and_the_archive_are_read() {
    run(async {
        let (db, table, expect) = release().await;
        let lanes = DynamoLanes::new(db, &table);
        for (key, entries) in expect["entries"].as_object().expect("entries") {
            assert_eq!(&as_json(lanes.entries(&lane(key), 1, LIMIT).await.expect("entries")), entries, "{key}");
        }
        for marker in expect["markers"].as_array().expect("markers") {
            let id = marker["id"].as_str().expect("text").parse().expect("an id");
            let read = lanes.marker(&customers().id, id).await.expect("it can be read");
            assert_eq!(as_json(read), json!([marker]));
        }
        let archived = lanes.archived(&customers(), None, LIMIT).await.expect("the archive");
        assert_eq!(sorted(as_json(archived)), sorted(expect["archived"].clone()));
        let conflicts = lanes.conflicts(&customers(), None, LIMIT).await.expect("conflicts");
        assert_eq!(sorted(as_json(conflicts)), sorted(expect["conflicts"].clone()));
        assert_eq!(
            lanes.one_archived(&customers(), EntryId(300)).await.expect("it can be read").map(|one| one.id),
            Some(EntryId(300))
        );
        assert_eq!(as_json(lanes.catch_up(&customers()).await.expect("a catch-up")), json!([expect["catch_up"]]));
        assert_eq!(as_json(lanes.depths(&customers()).await.expect("depths")), expect["depths"]);
    });
}
