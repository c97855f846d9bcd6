//! Maps, sides, tokens, and what operators see of the journal.

use app::ports::{Commit, ConfigStore, JournalOp, LaneKey, Lanes};
use aws::{DynamoConfig, DynamoLanes, DynamoTokens, ReadConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Map, Timestamp,
    id::{EntryId, MapUid},
    lane::{Entry, Head, RestoreCause, Work},
    log::{Activity, ActivityKind},
    map::SideIx,
};

use crate::emulator::{run, table};

#[test]
fn maps_sides_and_tokens_keep_the_contract() {
    run(async {
        let (db, table) = table().await;
        testkit::config::config_store_contract(&DynamoConfig::new(db.clone(), &table)).await;
        testkit::config::tokens_contract(&DynamoTokens::new(db, &table)).await;
    });
}

#[test]
fn a_map_that_cannot_be_read_keeps_the_sweep_from_no_other() {
    run(async {
        let (db, table) = table().await;
        let config = DynamoConfig::new(db.clone(), &table);
        let broken = Map { id: "broken".parse().expect("a good name"), ..customers(8) };
        for map in [customers(7), broken] {
            let line = Activity::of_map(&map, "test", Timestamp(5), "", ActivityKind::MapCreated);
            assert_eq!(config.save_map(&map, 0, &line).await, Ok(()));
        }
        let update = db.update_item().table_name(&table).update_expression("SET body = :body");
        let update = update.key("pk", AttributeValue::S("MAPS".to_owned()));
        let update = update.key("sk", AttributeValue::S("broken".to_owned()));
        let update = update.expression_attribute_values(":body", AttributeValue::S("{".to_owned()));
        update.send().await.expect("it is damaged");
        assert_eq!(config.all_maps().await, Ok(vec![customers(7)]));
    });
}

#[test]
fn operators_see_open_lanes_with_the_entry_each_stands_at() {
    run(async {
        let (db, table) = table().await;
        let (lanes, config) = (DynamoLanes::new(db.clone(), &table), DynamoConfig::new(db, &table));
        let map = customers(7);
        let waiting = Head { version: 1, next_seq: 4, done_seq: 2, ..Head::new(map.uid, Timestamp(5)) };
        let parked = Head { parked: true, ..waiting.clone() };
        let mut direct = waiting.clone();
        direct.inflight = Some(domain::lane::ActiveEntry {
            seq: 3,
            entry: EntryId(30),
            owner: None,
            lease_end: Timestamp(50),
            writing: domain::map::PerSide::default(),
            direct: Some(Box::new(entry(3))),
        });
        let idle = Head { next_seq: 3, ..waiting.clone() };
        for (key, head, ops) in [
            ("waiting", &waiting, vec![JournalOp::Append(entry(3), None)]),
            ("parked", &parked, vec![JournalOp::Append(entry(3), None)]),
            ("direct", &direct, Vec::new()),
            ("idle", &idle, Vec::new()),
        ] {
            let commit = Commit { head: head.clone(), expected: 0, ops };
            assert_eq!(lanes.commit(&lane(key), commit).await, Ok(()), "{key}");
        }
        let open = config.open_lanes(&map, 10).await.expect("they can be read");
        let wanted = [("waiting", waiting), ("direct", direct), ("parked", parked)];
        assert_eq!(open, wanted.map(|(key, head)| (lane(key), head, Some(entry(3)))));
        assert_eq!(config.open_lanes(&map, 1).await.map(|open| open.len()), Ok(1));
        // A map that is made anew under the same name knows nothing of the lanes before.
        assert_eq!(config.open_lanes(&customers(8), 10).await, Ok(Vec::new()));
    });
}

#[test]
fn skipped_writes_are_counted_for_each_map_of_a_name() {
    run(async {
        let (db, table) = table().await;
        let lanes = DynamoLanes::new(db, &table);
        let (map, anew) = (customers(7), customers(8));
        let counted = futures::future::join_all((0..20).map(|_| lanes.count_skipped(&map))).await;
        assert!(counted.iter().all(Result::is_ok), "{counted:?}");
        assert_eq!((lanes.skipped(&map).await, lanes.skipped(&anew).await), (Ok(20), Ok(0)));
    });
}

fn customers(uid: u128) -> Map {
    Map::new("customers".parse().expect("a good name"), MapUid(uid), testkit::sample::customers(), "test", Timestamp(5))
}

fn lane(key: &str) -> LaneKey {
    LaneKey { map: "customers".parse().expect("a good name"), key: key.parse().expect("a good key") }
}

fn entry(seq: u64) -> Entry {
    let work = Work::Restore { from: SideIx::First, to: SideIx::Second, cause: RestoreCause::CallerRollsBack };
    Entry::new(seq, EntryId(30), work, Timestamp(9))
}
