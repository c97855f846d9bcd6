//! The journal in DynamoDB keeps the contract that the one in memory keeps.

use app::ports::{Commit, CommitError, ConfigStore, LaneKey, Lanes};
use aws::{DynamoConfig, DynamoLanes, Key};
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::{
    Map, Timestamp,
    id::MapUid,
    lane::{Echoes, Head},
    log::{Activity, ActivityKind},
};
use testkit::{StoredItem, contract};

use crate::emulator::{journal, run, table};

#[test]
fn a_first_commit_makes_the_head() {
    run(async { contract::a_first_commit_makes_the_head(&journal().await).await });
}

#[test]
fn a_commit_from_another_version_stores_nothing() {
    run(async { contract::a_commit_from_another_version_stores_nothing(&journal().await).await });
}

#[test]
fn a_known_marker_stores_nothing() {
    run(async { contract::a_known_marker_stores_nothing(&journal().await).await });
}

#[test]
fn an_updated_entry_keeps_an_open_marker() {
    run(async { contract::an_updated_entry_keeps_an_open_marker(&journal().await).await });
}

#[test]
fn a_finished_entry_leaves_its_marker() {
    run(async { contract::a_finished_entry_leaves_its_marker(&journal().await).await });
}

#[test]
fn everything_is_read_back_as_it_was_stored() {
    run(async { contract::everything_is_read_back_as_it_was_stored(&journal().await).await });
}

#[test]
fn large_records_are_kept() {
    run(async { contract::large_records_are_kept(&journal().await).await });
}

#[test]
fn numbers_are_kept_to_the_last_digit() {
    run(async { contract::numbers_are_kept_to_the_last_digit(&journal().await).await });
}

#[test]
fn echoes_and_head_change_independently() {
    run(async { contract::echoes_and_head_change_independently(&journal().await).await });
}

/// The stream tells of every change of the item: with the attribute still there, old errors would be logged and judged anew.
#[test]
fn an_echo_logs_nothing_again() {
    run(async {
        let (db, table) = table().await;
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = db.put_item().table_name(&table).item("pk", text("L#customers#C-1")).item("sk", text("H"));
        put.item("outbox", text("[]")).send().await.expect("it is put");
        let lane = LaneKey { map: "customers".parse().expect("a name"), key: "C-1".parse().expect("a key") };
        let journal = DynamoLanes::new(db.clone(), &table);
        assert_eq!(journal.note_echo(&lane, &Echoes::default(), &Echoes::default()).await, Ok(()));
        let read = db.get_item().table_name(&table).key("pk", text("L#customers#C-1")).key("sk", text("H"));
        let item = read.consistent_read(true).send().await.expect("it is read").item.expect("it is there");
        assert!(item.contains_key("echoes") && !item.contains_key("outbox"), "{item:?}");
    });
}

#[test]
fn only_open_lanes_of_the_map_are_due_and_the_oldest_come_first() {
    run(async { contract::only_open_lanes_of_the_map_are_due_and_the_oldest_come_first(&journal().await).await });
}

#[test]
fn open_lanes_come_page_by_page() {
    run(async { contract::open_lanes_come_page_by_page(&journal().await).await });
}

#[test]
fn an_archived_entry_leaves_the_journal_for_the_archive() {
    run(async { contract::an_archived_entry_leaves_the_journal_for_the_archive(&journal().await).await });
}

#[test]
fn a_conflict_keeps_both_values_and_is_reversed_once() {
    run(async { contract::a_conflict_keeps_both_values_and_is_reversed_once(&journal().await).await });
}

#[test]
fn the_health_of_a_side_is_noted() {
    run(async { contract::the_health_of_a_side_is_noted(&journal().await).await });
}

#[test]
fn one_run_at_a_time_says_that_it_drains_a_map() {
    run(async { contract::one_run_at_a_time_says_that_it_drains_a_map(&journal().await).await });
}

#[test]
fn figures_are_kept_for_people() {
    run(async { contract::figures_are_kept_for_people(&journal().await).await });
}

#[test]
fn of_many_commits_from_one_version_one_wins() {
    run(async { contract::of_many_commits_from_one_version_one_wins(&journal().await).await });
}

/// Each item is overwritten in the table as a fault of the disk, or of a release, would leave it.
#[test]
fn what_cannot_be_read_is_there_and_says_so() {
    run(async {
        let (db, table) = table().await;
        let damage = async |item: StoredItem| {
            let (key, attribute) = match item {
                StoredItem::Head(lane) => (Key::Head(lane), "lane"),
                StoredItem::Entry(lane, seq) => (Key::Entry(lane, seq), "body"),
                StoredItem::Archived(id) => (Key::Archived(MapUid(7), id), "body"),
                StoredItem::Conflict(entry) => (Key::Conflict(MapUid(7), entry), "body"),
            };
            let update = db.update_item().table_name(&table).set_key(Some(key.item()));
            let expression = "SET #it = :damaged, image = :damaged";
            let update = update.update_expression(expression).expression_attribute_names("#it", attribute);
            let bytes = AttributeValue::B(Blob::new(*b"\x00\xff\x00"));
            update.expression_attribute_values(":damaged", bytes).send().await.expect("it is damaged");
        };
        contract::what_cannot_be_read_is_there_and_says_so(&DynamoLanes::new(db.clone(), &table), damage).await;
        let lane = LaneKey { map: "customers".parse().expect("a name"), key: "C-1".parse().expect("a key") };
        let read = db.get_item().table_name(&table).set_key(Some(Key::Head(lane).item())).consistent_read(true);
        let head = read.send().await.expect("it is read").item.expect("it is there");
        let kept = head["damaged"].as_s().expect("a text");
        assert_eq!(kept, "image:AP8A lane:AP8A", "all that nobody could read, the record in flight too");
    });
}

/// A head is changed by its version, and counts only for its own map: without either, its lane would be closed for ever.
#[test]
fn a_head_without_its_version_or_its_map_is_rebuilt_and_changed_once() {
    run(async {
        let (db, table) = table().await;
        let map = Map::new(
            "customers".parse().expect("a name"),
            MapUid(7),
            testkit::sample::customers(),
            "test",
            Timestamp(5),
        );
        let line = Activity::of_map(&map, "test", Timestamp(5), "", ActivityKind::MapCreated);
        assert_eq!(DynamoConfig::new(db.clone(), &table).save_map(&map, 0, &line).await, Ok(()));
        let lanes = DynamoLanes::new(db.clone(), &table);
        for (key, damage) in [
            ("C-1", "SET version = :text"),
            ("C-2", "REMOVE version"),
            ("C-3", "REMOVE map_uid"),
            ("C-4", "REMOVE map_uid, version"),
        ] {
            let lane = LaneKey { map: map.id.clone(), key: key.parse().expect("a key") };
            let stored = Head { version: 1, ..Head::new(map.uid, Timestamp(5)) };
            let commit = |head: &Head, expected| Commit { head: head.clone(), expected, ops: Vec::new() };
            assert_eq!(lanes.commit(&lane, commit(&stored, 0)).await, Ok(()));
            let update = db.update_item().table_name(&table).set_key(Some(Key::Head(lane.clone()).item()));
            let update = update.update_expression(damage);
            let text = damage.contains(":text").then(|| AttributeValue::S("text".to_owned()));
            let update =
                text.into_iter().fold(update, |update, text| update.expression_attribute_values(":text", text));
            update.send().await.expect("it is damaged");

            let (rebuilt, _) = lanes.head(&lane).await.expect("it is rebuilt").expect("it is there");
            assert!(rebuilt.unreadable.is_some() && rebuilt.map == map.uid, "{damage}: {rebuilt:?}");
            let next = Head { version: rebuilt.version + 1, parked: true, ..rebuilt.clone() };
            assert_eq!(lanes.commit(&lane, commit(&next, rebuilt.version)).await, Ok(()), "{damage}");
            let again = lanes.commit(&lane, commit(&next, rebuilt.version)).await;
            assert_eq!(again, Err(CommitError::Stale), "{damage}: whoever read it, too, is late");
            let (read, _) = lanes.head(&lane).await.expect("it is read").expect("it is there");
            assert_eq!(read, Head { unreadable: None, ..next }, "{damage}");
        }
    });
}
