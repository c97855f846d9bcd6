//! The index of lanes that have something to do.

use std::time::Duration;

use app::ports::{Commit, FirstDue, LaneKey, Lanes, OpenRange};
use domain::{Map, Timestamp, id::MapUid, lane::Head};
use serde_json::json;

use super::values::{AT, entry, full_head, head, lane};
use crate::sample;

/// An index may lag; it is asked again, so often and after so long.
const LOOKS_MAX: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Found are lanes with something to do by now, of this map alone, oldest first, at most as many as were asked for.
///
/// # Panics
/// The journal breaks the contract.
pub async fn only_open_lanes_of_the_map_are_due_and_the_oldest_come_first<L: Lanes>(lanes: &L) {
    let customers = Map::new("customers".parse().expect("a good name"), MapUid(7), sample::customers(), "test", AT);
    let waiting = |since: u64| Head { next_seq: 2, not_before: AT.plus_ms(since), ..head(1) };
    let in_flight = |until: u64| {
        let mut head = full_head(1, entry(1, 1, json!({})));
        if let Some(inflight) = &mut head.inflight {
            inflight.lease_end = AT.plus_ms(until);
        }
        head
    };
    for (map, key, head) in [
        ("customers", "late", waiting(60)),
        ("customers", "early", waiting(10)),
        ("customers", "# /'\"", waiting(20)),
        ("customers", "crashed", in_flight(30)),
        ("customers", "held", in_flight(900)),
        ("customers", "not-yet", waiting(901)),
        ("customers", "idle", head(1)),
        ("customers", "parked", Head { parked: true, ..waiting(0) }),
        ("customers-2", "other-map", waiting(5)),
    ] {
        store(lanes, &lane(map, key), head, 0).await;
    }
    let now = AT.plus_ms(100);
    found(lanes, &customers, now, 10, &["early", "# /'\"", "crashed", "late"]).await;
    found(lanes, &customers, now, 2, &["early", "# /'\""]).await;
    found(lanes, &customers, AT.plus_ms(9), 10, &[]).await;
    found(lanes, &customers, AT.plus_ms(10), 10, &["early"]).await; // "by now" includes now
    // What happens to a lane happens to its place in the index.
    store(lanes, &lane("customers", "early"), Head { next_seq: 2, done_seq: 1, ..head(2) }, 1).await;
    store(lanes, &lane("customers", "late"), Head { version: 2, parked: true, ..waiting(0) }, 1).await;
    store(lanes, &lane("customers", "idle"), Head { version: 2, ..waiting(1) }, 1).await;
    found(lanes, &customers, now, 10, &["idle", "# /'\"", "crashed"]).await;
}

/// Pages of the index fit together, however many lanes are due at the same millisecond, and parked lanes are apart.
///
/// # Panics
/// The journal breaks the contract.
pub async fn open_lanes_come_page_by_page<L: Lanes>(lanes: &L) {
    const MANY: usize = 25;
    let customers = Map::new("customers".parse().expect("a good name"), MapUid(7), sample::customers(), "test", AT);
    for n in 0..MANY {
        let waits = Head { next_seq: 2, not_before: AT.plus_ms((n / 10) as u64), ..head(1) };
        store(lanes, &lane("customers", &format!("C-{n}")), waits, 0).await;
    }
    for (key, since) in [("P-late", 20), ("P-early", 10)] {
        let parked = Head { next_seq: 2, parked: true, not_before: AT.plus_ms(since), ..head(1) };
        store(lanes, &lane("customers", key), parked, 0).await;
    }
    let everything = async |range: OpenRange, limit: usize| {
        let (mut range, mut all) = (range, Vec::new());
        loop {
            let page = lanes.open(&customers, range.clone(), limit).await.expect("the index can be read");
            assert!(page.len() <= limit, "{page:?}");
            let last = page.len() < limit;
            range.after = page.last().cloned();
            all.extend(page);
            if last {
                return all;
            }
        }
    };
    for look in 0..LOOKS_MAX {
        let whole = everything(OpenRange::all(), 1_000).await;
        if whole.len() == MANY + 2 {
            break;
        }
        assert!(look + 1 < LOOKS_MAX, "the index has {} lanes", whole.len());
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    let whole = everything(OpenRange::all(), 1_000).await;
    assert!(whole.is_sorted(), "{whole:?}");
    for limit in [1, 3, 10] {
        assert_eq!(everything(OpenRange::all(), limit).await, whole, "pages of {limit}");
    }
    assert_eq!(everything(OpenRange::unparked(), 1_000).await, whole[..MANY]);
    let newest_first = OpenRange { first: FirstDue::Newest, ..OpenRange::unparked() };
    let reversed: Vec<_> = whole[..MANY].iter().rev().cloned().collect();
    for limit in [1, 3, 1_000] {
        assert_eq!(everything(newest_first.clone(), limit).await, reversed, "pages of {limit}, newest first");
    }
    let parked: Vec<_> =
        everything(OpenRange::parked(), 1).await.into_iter().map(|open| open.lane.key.to_string()).collect();
    assert_eq!(parked, ["P-early", "P-late"]);
}

async fn store<L: Lanes>(lanes: &L, lane: &LaneKey, head: Head, expected: u64) {
    assert_eq!(lanes.commit(lane, Commit { head, expected, ops: Vec::new() }).await, Ok(()));
}

async fn found<L: Lanes>(lanes: &L, map: &Map, now: Timestamp, limit: usize, wanted: &[&str]) {
    let mut seen = Vec::new();
    for look in 0..LOOKS_MAX {
        if look > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        let due = lanes.open(map, OpenRange::due(now), limit).await.expect("the index can be read");
        assert!(due.iter().all(|open| open.lane.map == map.id), "{due:?}");
        seen = due.into_iter().map(|open| open.lane.key.to_string()).collect();
        if seen == wanted {
            return;
        }
    }
    assert_eq!(seen, wanted, "by {now}, at most {limit}");
}
