//! Initial syncs while people edit both apps: nothing that a lane has accepted is overwritten by what was there before, every
//! count adds up at every moment, and both apps are equal in the end.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

mod bad_input;
mod check;
mod deletions;
pub(crate) mod in_order;
mod legs;
pub(crate) mod lines;
mod merged;
mod overlaps;
mod reruns;
mod schedule;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use app::admin::syncs::{StartSync, start};
use domain::{
    MapState, RecordKey, SideIx,
    record::Image,
    side::Capability,
    sync::{Selection, SyncKind, SyncRun},
};
use serde_json::json;
use testkit::{JournalFaults, SimWorld, apps::CallFaults, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 120;
const RECORDS: u64 = 24;
const PEOPLE: u64 = 3;
const EDITS: u64 = 4;
const STEPS: u64 = 3_000_000;
/// The limits of each app's records, where crm wins them.
const OWN_LIMITS: [u64; 2] = [1, 2];
/// A `sync` caller commits within this time of its answer.
const COMMITS_WITHIN_MS: u64 = 100_000;

/// What a world is like.
#[derive(Clone, Copy, Debug)]
struct Kind {
    capability: Capability,
    faults: bool,
    edits: bool,
    /// Crm wins the limit, and has another one of each record.
    crm_wins_limits: bool,
}

struct Played {
    kind: Kind,
    world: Arc<SimWorld>,
    users: Arc<Users>,
    over: bool,
    /// The records that each app had before.
    finance_had: BTreeSet<RecordKey>,
    crm_had: BTreeSet<RecordKey>,
}

fn key(n: u64) -> RecordKey {
    format!("C-{n}").parse().unwrap()
}

fn image(side: SideIx, name: &str, limit: u64, refused: bool) -> Image {
    let record = match side {
        SideIx::First => json!({"Name": name, "Limit": limit, "OnHold": "No", "refused": refused}),
        SideIx::Second => json!({"name": name, "limit": limit, "hold": false, "refused": refused}),
    };
    Image::Present(record.as_object().unwrap().clone())
}

/// Both apps have records of before: the same, different ones, and some that only one has. Some are refused. The limits of both are
/// these.
fn fill(world: &SimWorld, limits: [u64; 2]) {
    let names = world.map().sides.map(|side| side.id);
    for n in 0..RECORDS {
        let roll = world.executor.chance(|rng| rng.below(10));
        let refused = world.executor.chance(|rng| rng.below(12)) == 0;
        let put = |side: SideIx, name: &str| {
            world.apps.with(&names[side.at()], |app| {
                app.change(&key(n), image(side, name, limits[side.at()], refused), world.executor.now())
            });
        };
        let (first, second) = (format!("old-first-{n}"), format!("old-second-{n}"));
        match roll {
            0..4 => put(SideIx::First, &first),
            4..6 => put(SideIx::Second, &second),
            6..8 => {
                put(SideIx::First, &first);
                put(SideIx::Second, &second);
            }
            _ => {
                put(SideIx::First, &first);
                put(SideIx::Second, &first);
            }
        }
    }
    for (at, name) in names.iter().enumerate() {
        let (most_rows, by_offset) = world.executor.chance(|rng| (3 + rng.below(6), rng.below(2) == 0));
        world.apps.with(name, |app| {
            app.pages.most_rows = u32::try_from(most_rows).unwrap();
            app.pages.by_offset = by_offset;
            app.pages.tells_total = at == 0;
        });
    }
}

fn play(seed: u64, kind: Kind) -> Played {
    let mut map = sample::running(kind.capability);
    map.map.state = MapState::NotRunning;
    let world = SimWorld::new(seed, map);
    fill(&world, if kind.crm_wins_limits { OWN_LIMITS } else { [1, 1] });
    let [finance_had, crm_had] = world.map().sides.map(|side| {
        let has = |n: &u64| world.apps.with(&side.id, |app| app.image(&key(*n))) != Image::Absent;
        (0..RECORDS).filter(has).map(key).collect()
    });
    let users = Users::new(Arc::clone(&world));
    users.set_commits_within_ms(COMMITS_WITHIN_MS);
    if kind.faults {
        faults(&world, true);
    }
    let started = Arc::new(AtomicBool::new(false));
    {
        let (world, started) = (Arc::clone(&world), Arc::clone(&started));
        Arc::clone(&world).executor.spawn(async move {
            world.executor.sleep(world.executor.chance(|rng| rng.below(40_000))).await;
            starts(&world, kind).await;
            started.store(true, Ordering::SeqCst);
        });
    }
    for person in (0..PEOPLE).filter(|_| kind.edits) {
        let (world, users) = (Arc::clone(&world), Arc::clone(&users));
        Arc::clone(&world).executor.spawn(async move { edits(&world, &users, person).await });
    }
    let closed = Arc::new(AtomicBool::new(false));
    keep_going(&world, &users, &closed);
    {
        let (world, closed) = (Arc::clone(&world), Arc::clone(&closed));
        Arc::clone(&world).executor.spawn(async move {
            for minute in 0..45 {
                if minute == 12 {
                    faults(&world, false);
                }
                world.executor.sleep(60_000).await;
                world.sweep().await;
                world.sweep_syncs().await;
            }
            closed.store(true, Ordering::SeqCst);
        });
    }
    let over = world.executor.run(STEPS);
    assert!(started.load(Ordering::SeqCst), "nobody started the run");
    Played { kind, world, users, over, finance_had, crm_had }
}

/// An operator starts the run, and starts it again if there was no answer.
async fn starts(world: &Arc<SimWorld>, kind: Kind) {
    let (map, crm) = (world.map().map.id, world.map().sides[1].id.clone());
    let of_field = kind.crm_wins_limits.then(|| BTreeMap::from([("limit".to_owned(), crm)]));
    let wanted = StartSync {
        kind: SyncKind::InitialSync,
        winner: None,
        winner_of_field: of_field,
        legs: Vec::new(),
        selection: Selection::All,
        parent: None,
        // The fake apps keep the keys apart from the records.
        despite: vec!["key_field".to_owned()],
        reason: "to test".to_owned(),
    };
    for _ in 0..100 {
        let answer = world.invoke(start(&**world, &kim(), &map, &wanted)).await;
        if matches!(answer, Some(Ok(_))) {
            return;
        }
        // A run of before that did not get to start the map is steered by hand.
        for run in world.sync_runs.all_runs() {
            let state = world.map().map.state;
            if !run.is_over() && state == MapState::NotRunning {
                let command = domain::map::MapCommand::Initialize;
                let _ = app::admin::map_commands::switch(&**world, &kim(), &map, command, "to test").await;
            }
        }
        if world.map().map.state != MapState::NotRunning && world.sync_runs.all_runs().iter().any(|run| !run.is_over())
        {
            return;
        }
        world.executor.sleep(1_000).await;
    }
}

fn faults(world: &SimWorld, on: bool) {
    if !on {
        world.set_crashes(0);
        world.lanes.set_faults(JournalFaults::default());
        world.apps.set_faults(CallFaults::default());
        world.sync_runs.set_failing(0);
        return;
    }
    world.set_crashes(world.executor.chance(|rng| rng.below(10)));
    let some = |most: u64| world.executor.chance(|rng| rng.below(most));
    world.lanes.set_faults(JournalFaults {
        transient: some(40),
        lost_answer: some(40),
        index_lag: some(500),
        freeze: 0,
    });
    world.sync_runs.set_failing(some(40));
    world.apps.set_faults(CallFaults {
        not_applied: some(100),
        unknown_without_effect: some(60),
        unknown_with_effect: some(60),
        unknown_late: some(60),
        slow_ms: some(1_000),
    });
}

/// Both apps report, and two workers work on runs and lanes, until the world is closed.
fn keep_going(world: &Arc<SimWorld>, users: &Arc<Users>, closed: &Arc<AtomicBool>) {
    for side in SideIx::BOTH {
        let (world, users, closed) = (Arc::clone(world), Arc::clone(users), Arc::clone(closed));
        Arc::clone(&world).executor.spawn(async move {
            while !closed.load(Ordering::SeqCst) {
                if !users.report(side).await {
                    world.executor.sleep(world.executor.chance(|rng| rng.below(1_500))).await;
                }
            }
        });
    }
    for _ in 0..2 {
        let (world, closed) = (Arc::clone(world), Arc::clone(closed));
        Arc::clone(&world).executor.spawn(async move {
            while !closed.load(Ordering::SeqCst) {
                world.work_on_syncs().await;
                world.run_woken().await;
                world.executor.sleep(500).await;
            }
        });
    }
}

async fn edits(world: &SimWorld, users: &Users, person: u64) {
    for edit in 0..EDITS {
        let chance = |n: u64| world.executor.chance(|rng| rng.below(n));
        world.executor.sleep(chance(if chance(2) == 0 { 3_000 } else { 60_000 })).await;
        let key = key(chance(RECORDS));
        let side = if chance(2) == 0 { SideIx::First } else { SideIx::Second };
        let names = world.map().sides.map(|side| side.id);
        let known = world.apps.with(&names[side.at()], |app| app.image(&key));
        // A record that is refused stays so, and one that its app does not have is made anew.
        if matches!(&known, Image::Present(record) if record.get("refused") == Some(&json!(true))) {
            continue;
        }
        let image = image(side, &format!("p{person}e{edit}"), 3, false);
        if chance(2) == 0 {
            users.edit_sync(side, &key, image).await;
        } else {
            users.edit_committed(side, &key, image).await;
        }
    }
}

fn story(played: &Played) -> String {
    let mut lines: Vec<String> = played.users.heard().iter().map(|heard| format!("{heard:?}")).collect();
    for run in played.world.sync_runs.all_runs() {
        lines.push(format!("{run:?}"));
        lines.extend(played.world.sync_runs.all_findings(run.id).iter().map(|finding| format!("{finding:?}")));
    }
    for side in &played.world.map().sides {
        let effects = played.world.apps.with(&side.id, |app| app.effects.clone());
        lines.extend(effects.iter().map(|effect| format!("{}: {effect:?}", side.id)));
    }
    for (lane, head) in played.world.lanes.heads() {
        lines.push(format!("{}: {head:?}", lane.key));
    }
    lines.join("\n")
}

fn plays(kind: Kind, must: &[fn(&SyncRun) -> bool]) {
    let mut seen = vec![0; must.len()];
    for seed in crate::seeds(WORLDS) {
        let played = play(seed, kind);
        let wrongs = check::wrongs(&played);
        let story = || if std::env::var("TANDEM_STORY").is_ok() { story(&played) } else { String::new() };
        assert!(wrongs.is_empty(), "TANDEM_SEED={seed} {kind:?}:\n{}\n\n{}", wrongs.join("\n"), story());
        for run in played.world.sync_runs.all_runs() {
            for (seen, must) in seen.iter_mut().zip(must) {
                *seen += u64::from(must(&run));
            }
        }
    }
    assert!(std::env::var("TANDEM_SEED").is_ok() || seen.iter().all(|seen| *seen > 0), "not covered: {seen:?}");
}

#[test]
fn a_copy_between_quiet_apps_makes_them_equal() {
    let kind = Kind { capability: Capability::Idempotent, faults: false, edits: false, crm_wins_limits: false };
    plays(
        kind,
        &[
            |run| run.counts.0[0].inserted > 0,
            |run| run.counts.0[1].inserted > 0,
            |run| run.counts.0[0].updated > 0,
            |run| run.counts.0[0].equal > 0,
            |run| run.counts.0[1].loses > 0,
            |run| run.counts.0[0].failed > 0 && !run.causes.is_empty(),
        ],
    );
}

#[test]
fn live_changes_are_never_overwritten_by_a_copy() {
    let kind = Kind { capability: Capability::Idempotent, faults: false, edits: true, crm_wins_limits: false };
    plays(kind, &[|run| run.counts.0[0].inserted > 0]);
}

#[test]
fn whatever_fails_while_a_copy_runs_both_apps_end_equal_and_every_count_adds_up() {
    let kind = Kind { capability: Capability::Idempotent, faults: true, edits: true, crm_wins_limits: false };
    plays(kind, &[|run| run.counts.0[0].inserted > 0]);
}

#[test]
fn plain_apps_end_equal_too() {
    let kind = Kind { capability: Capability::Plain, faults: true, edits: true, crm_wins_limits: false };
    plays(kind, &[|run| run.counts.0[0].inserted > 0]);
}
