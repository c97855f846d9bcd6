//! The archive, conflicts, and figures.

use app::ports::{Archive, CatchUp, Commit, CommitError, Gauges, JournalOp, LaneKey, Lanes, OpenLane, Resent, Sample};
use domain::{
    EntryId, ErrorClass, Map, Owner, SideId, SideIx, Timestamp,
    id::MapUid,
    lane::{ArchiveCause, Archived, Attribution, Conflict, Handling, LaneVersion, MarkerState, Outcome, Winner},
    record::Image,
    side::{Health, Reports, Trouble},
};
use serde_json::json;

use super::values::{AT, entry, full_entry, head, lane, marker, write_id};
use crate::sample;

pub(super) fn map() -> Map {
    Map::new("customers".parse().expect("a good name"), MapUid(7), sample::customers(), "test", AT)
}

fn by(at: u64) -> Attribution {
    Attribution { actor: "kim".to_owned(), at: AT.plus_ms(at), reason: "for a reason ☹".to_owned() }
}

pub(super) fn archived(id: u128, seq: u64, cause: ArchiveCause) -> Archived {
    let handling = Handling { notes: vec![by(1)], assigned_to: Some("ann".to_owned()), ..Handling::default() };
    let mut entry = full_entry(seq, seq);
    (entry.epoch, entry.cancelled, entry.conflict_noted) = (3, Some(by(2)), true);
    entry.handling = Some(Box::new(handling));
    let (key, version) = (lane("customers", "C-1").key, LaneVersion { generation: 5, seq });
    Archived { id: EntryId(id), key, entry, version, cause, by: by(3), recovered: None }
}

pub(super) fn conflict(lane: &LaneKey, entry: u128) -> Conflict {
    let image = |name: &str| Image::Present(json!({"name": name}).as_object().cloned().unwrap_or_default());
    Conflict {
        entry: EntryId(entry),
        key: lane.key.clone(),
        version: LaneVersion { generation: 5, seq: 1 },
        at: AT,
        origin: SideIx::Second,
        winner: Winner::TheOther,
        kept: image("kept"),
        kept_on: SideIx::First,
        lost: if entry == 1 { Image::Absent } else { image("lost") },
        reversed: None,
        unreadable: None,
    }
}

/// An archived entry leaves the journal, is found in the archive, newest first, and its marker tells what became of it.
///
/// # Panics
/// The journal breaks the contract.
pub async fn an_archived_entry_leaves_the_journal_for_the_archive<L: Lanes + Archive>(lanes: &L) {
    let (map, lane) = (map(), lane("customers", "C-1"));
    let appended: Vec<_> = (1..=3).map(|seq| entry(seq, seq, json!({"n": seq}))).collect();
    for (version, entry) in (1..).zip(&appended) {
        let op = JournalOp::Append(entry.clone(), Some(marker(&lane, entry, MarkerState::Open)));
        let commit = Commit { head: head(version), expected: version - 1, ops: vec![op] };
        assert_eq!(lanes.commit(&lane, commit).await, Ok(()));
    }
    assert_eq!(lanes.entries(&lane, 1, 10).await, Ok(appended.clone()));
    assert_eq!(lanes.entries(&lane, 2, 1).await, Ok(vec![appended[1].clone()]));
    assert_eq!(lanes.entries(&lane, 4, 10).await, Ok(Vec::new()));
    let outcome = Outcome::Archived { cause: ArchiveCause::Discarded };
    let closed = |at: usize| marker(&lane, &appended[at], MarkerState::Final { outcome: outcome.clone(), at: AT });
    let (one, two) = (archived(1, 1, ArchiveCause::Discarded), archived(2, 2, ArchiveCause::SkippedToLive));
    let kept = archived(3, 3, ArchiveCause::Edited);
    let ops = vec![
        JournalOp::Archive(Box::new(one.clone()), Some(closed(0))),
        JournalOp::Archive(Box::new(two.clone()), None),
        JournalOp::Keep(Box::new(kept.clone())),
    ];
    assert_eq!(lanes.commit(&lane, Commit { head: head(4), expected: 3, ops }).await, Ok(()));
    assert_eq!(lanes.entries(&lane, 1, 10).await, Ok(vec![appended[2].clone()]), "what is kept stays in the journal");
    assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(Some(closed(0))));
    let all = [kept.clone(), two.clone(), one.clone()];
    assert_eq!(lanes.archived(&map, None, 10).await.as_deref(), Ok(&all[..]));
    assert_eq!(lanes.archived(&map, None, 2).await.as_deref(), Ok(&all[..2]));
    assert_eq!(lanes.archived(&map, Some(EntryId(2)), 10).await.as_deref(), Ok(&all[2..]));
    let turned: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(lanes.archived_first(&map, None, 10).await.as_deref(), Ok(&turned[..]));
    assert_eq!(lanes.archived_first(&map, None, 2).await.as_deref(), Ok(&turned[..2]));
    assert_eq!(lanes.archived_first(&map, Some(EntryId(2)), 10).await.as_deref(), Ok(&turned[2..]));
    assert_eq!(lanes.one_archived(&map, EntryId(2)).await, Ok(Some(two.clone())));
    assert_eq!(lanes.one_archived(&map, EntryId(9)).await, Ok(None));
    // It is brought back once; whoever comes second stores nothing at all.
    let back = |version: u64, seq: u64| Commit {
        head: head(version),
        expected: version - 1,
        ops: vec![
            JournalOp::Append(entry(seq, 100 + seq, json!({})), None),
            JournalOp::Recover(Box::new(Archived { recovered: Some((by(4), EntryId(77))), ..two.clone() })),
        ],
    };
    assert_eq!(lanes.commit(&lane, back(5, 4)).await, Ok(()));
    assert_eq!(lanes.commit(&lane, back(6, 5)).await, Err(CommitError::Duplicate));
    assert_eq!(lanes.entry(&lane, 5).await, Ok(None));
    let found = lanes.one_archived(&map, EntryId(2)).await.map(|one| one.map(|one| one.recovered));
    assert_eq!(found, Ok(Some(Some((by(4), EntryId(77))))));
}

/// A conflict is noted with both values, and reversed once.
///
/// # Panics
/// The journal breaks the contract.
pub async fn a_conflict_keeps_both_values_and_is_reversed_once<L: Lanes + Archive>(lanes: &L) {
    let (map, lane) = (map(), lane("customers", "C-1"));
    let conflict = |entry| conflict(&lane, entry);
    for (version, entry) in [(1, 1), (2, 2)] {
        let ops = vec![JournalOp::Conflict(Box::new(conflict(entry)))];
        assert_eq!(lanes.commit(&lane, Commit { head: head(version), expected: version - 1, ops }).await, Ok(()));
    }
    assert_eq!(lanes.conflicts(&map, None, 10).await, Ok(vec![conflict(2), conflict(1)]));
    assert_eq!(lanes.conflicts(&map, Some(EntryId(2)), 10).await, Ok(vec![conflict(1)]));
    assert_eq!(lanes.conflict(&map, EntryId(1)).await, Ok(Some(conflict(1))));
    assert_eq!(lanes.conflict(&map, EntryId(3)).await, Ok(None));
    let reverse = |version: u64| Commit {
        head: head(version),
        expected: version - 1,
        ops: vec![JournalOp::Reverse(Box::new(Conflict { reversed: Some((by(1), EntryId(9))), ..conflict(1) }))],
    };
    assert_eq!(lanes.commit(&lane, reverse(3)).await, Ok(()));
    assert_eq!(lanes.commit(&lane, reverse(4)).await, Err(CommitError::Duplicate));
}

/// Figures are added up for an epoch, and the last two samples are kept.
///
/// # Panics
/// The journal breaks the contract.
pub async fn figures_are_kept_for_people<L: Gauges>(lanes: &L) {
    let map = map();
    assert_eq!(lanes.catch_up(&map).await, Ok(None));
    let more = |epoch: u64, done: u64| {
        let began = AT.plus_ms(epoch);
        CatchUp { epoch, began, done, archived: 1, parked: 2, failed: 3, ..CatchUp::default() }
    };
    for (epoch, done, at) in [(9, 1, 0), (10, 5, 10), (10, 6, 20)] {
        assert_eq!(lanes.count_catch_up(&map, &more(epoch, done), AT.plus_ms(at)).await, Ok(()));
    }
    let (began, last) = (AT.plus_ms(10), AT.plus_ms(20));
    let sum = CatchUp { epoch: 10, began, last, done: 11, archived: 2, parked: 4, failed: 6 };
    assert_eq!(lanes.catch_up(&map).await, Ok(Some(sum)), "of the last epoch");
    assert_eq!(lanes.depths(&map).await, Ok(Vec::new()));
    let sample = |n: u64| Sample { at: AT.plus_ms(n), depth: n };
    for n in 1..=3 {
        assert_eq!(lanes.note_depth(&map, sample(n)).await, Ok(()));
    }
    assert_eq!(lanes.depths(&map).await, Ok(vec![sample(3), sample(2)]));
    assert_eq!(lanes.resent(&map).await, Ok(Resent::default()));
    let lane = LaneKey { map: map.id.clone(), key: "北京 #/'".parse().expect("a good key") };
    let going = Resent { at: Timestamp(7), round: Some((AT, OpenLane { at: AT.plus_ms(1), lane })) };
    for resent in [going, Resent { at: AT, round: None }] {
        assert_eq!(lanes.note_resent(&map, &resent).await, Ok(()));
        assert_eq!(lanes.resent(&map).await, Ok(resent));
    }
}

/// How a side answers is one story, whichever process notes it.
///
/// # Panics
/// The journal breaks the contract.
pub async fn the_health_of_a_side_is_noted<L: Gauges>(lanes: &L) {
    let (crm, erp): (SideId, SideId) = ("crm".parse().expect("a name"), "erp".parse().expect("a name"));
    assert_eq!(lanes.noted_health(&crm).await, Ok(Health::default()));
    let taken = |entity: &str, at| (entity.to_owned(), AT.plus_ms(at));
    let answered =
        |at| Health { taken: [taken("accounts", at)].into(), answered_at: Some(AT.plus_ms(at)), ..Health::default() };
    let troubled = |at| {
        let trouble = Trouble { since: AT.plus_ms(at), class: ErrorClass::Unavailable, calls: 4 };
        Health { trouble: Some(trouble), ..answered(0) }
    };
    for (noted, taken_at, trouble) in [
        (troubled(1), None, Some(1)), // before anything was taken
        (answered(2), Some(2), None),
        (troubled(5), Some(2), Some(5)),
        (troubled(7), Some(2), Some(5)), // another process noticed it later
        (answered(4), Some(4), Some(5)), // it was taken before
        (answered(9), Some(9), None),
        (answered(8), Some(9), None),
        (troubled(10), Some(9), Some(10)),
    ] {
        assert_eq!(lanes.note_health(&crm, &noted).await, Ok(()));
        let health = lanes.noted_health(&crm).await.expect("it can be read");
        assert_eq!(health.taken_at(), taken_at.map(|ms| AT.plus_ms(ms)), "{noted:?}");
        let since = health.current_trouble().map(|trouble| (trouble.since, trouble.class));
        assert_eq!(since, trouble.map(|ms| (AT.plus_ms(ms), ErrorClass::Unavailable)), "{noted:?}");
    }
    // Of another entity, by a process that was answered last before others were; and by one that was refused since.
    for (entity, at, answered_at) in [("data/Orders", 3, 3), ("data/Orders", 2, 2), ("#1", 11, 12)] {
        let other = Health {
            taken: [taken(entity, at)].into(),
            answered_at: Some(AT.plus_ms(answered_at)),
            ..Health::default()
        };
        assert_eq!(lanes.note_health(&crm, &other).await, Ok(()));
    }
    let health = lanes.noted_health(&crm).await.expect("it can be read");
    assert_eq!(health.taken, [taken("accounts", 9), taken("data/Orders", 3), taken("#1", 11)].into());
    assert_eq!(health.answered_at, Some(AT.plus_ms(12)));
    assert_eq!(
        (health.reports.unreported, health.reports.unreported_from),
        (3, Some(AT.plus_ms(2))),
        "the late ones do not count"
    );
    for (is_own, at) in [(false, 20), (true, 21)] {
        let mut report = Health::default();
        report.reports.note(is_own, AT.plus_ms(at));
        assert_eq!(lanes.note_health(&crm, &report).await, Ok(()));
    }
    assert_eq!(lanes.note_health(&crm, &answered(30)).await, Ok(()));
    let reports = lanes.noted_health(&crm).await.expect("it can be read").reports;
    let (echoed_at, changed_at) = (Some(AT.plus_ms(21)), Some(AT.plus_ms(20)));
    assert_eq!(reports, Reports { echoed_at, changed_at, unreported: 1, unreported_from: Some(AT.plus_ms(30)) });
    assert_eq!(lanes.noted_health(&erp).await, Ok(Health::default()), "of another side");
}

/// One run drains a map; another one does when it says so no more, or when the map has another epoch.
///
/// # Panics
/// The journal breaks the contract.
pub async fn one_run_at_a_time_says_that_it_drains_a_map<L: Gauges>(lanes: &L) {
    let (map, one, two) = (map(), Owner(1), Owner(u128::MAX));
    let (soon, later) = (AT.plus_ms(20), AT.plus_ms(40));
    assert_eq!(lanes.drain_holder(&map, AT).await, Ok(None));
    assert_eq!(lanes.release_drain(&map, one).await, Ok(()), "letting go of nothing is no error");
    assert_eq!(lanes.acquire_drain(&map, one, AT, soon).await, Ok(true));
    assert_eq!(lanes.acquire_drain(&map, two, AT, soon).await, Ok(false));
    assert_eq!(lanes.acquire_drain(&map, one, AT.plus_ms(10), later).await, Ok(true), "it goes on");
    assert_eq!(lanes.drain_holder(&map, soon).await, Ok(Some(one)));
    assert_eq!(lanes.release_drain(&map, two).await, Ok(()), "nobody lets go of what is another one's");
    assert_eq!(lanes.drain_holder(&map, soon).await, Ok(Some(one)));
    assert_eq!(
        (lanes.drain_holder(&map, later).await, lanes.acquire_drain(&map, two, later, later.plus_ms(20)).await),
        (Ok(None), Ok(true)),
        "it told nothing for too long"
    );
    assert_eq!(lanes.release_drain(&map, two).await, Ok(()));
    assert_eq!(lanes.drain_holder(&map, later).await, Ok(None));
    assert_eq!(lanes.acquire_drain(&map, one, later, later.plus_ms(20)).await, Ok(true));
    let resumed = Map { epoch: map.epoch + 1, ..map.clone() };
    assert_eq!(lanes.drain_holder(&resumed, later).await, Ok(None), "of an earlier epoch");
    assert_eq!(lanes.acquire_drain(&resumed, two, later, later.plus_ms(20)).await, Ok(true));
    assert_eq!(lanes.drain_holder(&map, later).await, Ok(Some(two)));
    assert_eq!(lanes.acquire_drain(&map, one, later, later.plus_ms(20)).await, Ok(false), "an earlier epoch gives way");
}
