//! What a run meets in real life: a map that is changed while it goes on, lists that end too early, apps that throttle, and
//! operators who press a button twice.

use std::sync::Arc;

use app::{
    admin::syncs::{RunCommand, StartSync, command, findings, start},
    error::{AppError, StateConflict},
    ports::{ActiveRun, FindingList, WorkItems},
    sync::{WorkEnd, sweep, work},
};
use domain::{
    MapConfig, MapState, RecordKey, SideIx, Timestamp,
    record::Image,
    side::Capability,
    sync::{FindingState, RunState, Selection, SyncKind, SyncRun},
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use super::STEPS;
use crate::operator::kim;

fn key(n: u64) -> RecordKey {
    format!("C-{n:03}").parse().unwrap()
}

/// Changes the configuration of a map by its JSON.
fn change(settings: &mut MapConfig, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::to_value(&*settings).unwrap();
    change(&mut json);
    *settings = serde_json::from_value(json).unwrap();
}

fn put(world: &SimWorld, side: SideIx, n: u64) {
    let record = match side {
        SideIx::First => json!({"Name": format!("n{n}"), "Limit": 1, "OnHold": "No"}),
        SideIx::Second => json!({"name": format!("n{n}"), "limit": 1, "hold": false}),
    };
    let (name, image) = (world.map().sides[side.at()].id.clone(), Image::Present(record.as_object().unwrap().clone()));
    world.apps.with(&name, |app| app.change(&key(n), image, world.executor.now()));
}

/// A world with a running map, in which each page takes ten milliseconds, and this happens.
fn play<F: Future<Output = ()> + Send + 'static>(seed: u64, story: impl FnOnce(Arc<SimWorld>) -> F) {
    let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
    world.apps.set_latency_ms(10);
    let told = story(Arc::clone(&world));
    world.executor.spawn(async move {
        told.await;
    });
    assert!(world.executor.run(STEPS), "the world does not come to rest");
    for run in world.sync_runs.history() {
        assert!(run.adds_up(), "{:?}", run.counts);
    }
}

async fn starts(world: &SimWorld, kind: SyncKind) -> Result<SyncRun, AppError> {
    let wanted = StartSync {
        kind,
        winner: None,
        winner_of_field: None,
        legs: Vec::new(),
        selection: Selection::All,
        parent: None,
        despite: vec!["key_field".to_owned()],
        reason: "to test".to_owned(),
    };
    start(world, &kim(), &world.map().map.id, &wanted).await
}

async fn steers(world: &SimWorld, run: &SyncRun, what: RunCommand) {
    command(world, &kim(), &run.map, run.id, (what, "to test")).await.unwrap();
}

fn stored(world: &SimWorld, run: &SyncRun) -> SyncRun {
    world.sync_runs.all_runs().into_iter().find(|stored| stored.id == run.id).unwrap()
}

async fn works(world: &SimWorld, run: &SyncRun, ms: u64) -> WorkEnd {
    let active = ActiveRun { map: run.map.clone(), run: run.id };
    work(world, &active, world.executor.now().plus_ms(ms)).await.unwrap()
}

/// Workers go on until the run is over or asks.
async fn goes_on(world: &SimWorld, run: &SyncRun) -> SyncRun {
    for _ in 0..400 {
        let now = stored(world, run);
        if now.state != RunState::Running {
            return now;
        }
        works(world, run, 200_000).await;
        world.executor.sleep(1_000).await;
    }
    panic!("the run does not end: {:?}", stored(world, run));
}

/// Short-lived workers go on until this is so.
async fn works_until(world: &SimWorld, run: &SyncRun, is_so: impl Fn(&SyncRun) -> bool) {
    for _ in 0..40 {
        if is_so(&stored(world, run)) {
            return;
        }
        works(world, run, 5).await;
        world.executor.sleep(1_000).await;
    }
    panic!("it does not come to that: {:?}", stored(world, run));
}

#[test]
fn rows_read_before_the_map_was_changed_are_not_compared_with_rows_read_after_it() {
    play(1, async |world| {
        for n in 0..20 {
            SideIx::BOTH.into_iter().for_each(|side| put(&world, side, n));
        }
        let run = starts(&world, SyncKind::InitialSync).await.unwrap();
        works_until(&world, &run, |run| run.join.waiting(SideIx::Second) > 0).await; // crm is read first: it does not win
        assert_eq!(stored(&world, &run).join.waiting(SideIx::Second), 20);
        // crm had `true` for what is `Yes` until now.
        world.change_map(|map| {
            change(&mut map.map.config, |config| {
                config["fields"][3]["values"] =
                    json!([{"finance": "Yes", "crm": false}, {"finance": "No", "crm": true}]);
            });
            map.map.version += 1;
        });
        let run = goes_on(&world, &run).await;
        assert_eq!(run.state, RunState::Finished);
        let differs = run.counts.0[0].equal + run.counts.0[1].equal;
        assert_eq!((run.counts.0[0].updated, differs), (20, 0), "{:?}", run.counts);
        assert_eq!(run.memory.notes.len(), 1, "{:?}", run.memory.notes);
        assert!(run.memory.notes[0].what.describe().contains("configuration of the map was changed"));
    });
}

#[test]
fn a_list_begins_anew_when_its_filter_or_its_side_was_changed() {
    for changes_side in [false, true] {
        play(2, async move |world| {
            for n in 0..20 {
                SideIx::BOTH.into_iter().for_each(|side| put(&world, side, n));
            }
            let names = world.map().sides.map(|side| side.id);
            names.iter().for_each(|side| world.apps.with(side, |app| app.pages.most_rows = 8));
            let run = starts(&world, SyncKind::Reconcile).await.unwrap();
            works_until(&world, &run, |run| run.progress.iter().all(|side| side.pages > 0)).await;
            world.change_map(|map| {
                if changes_side {
                    map.sides[0].config.connector.base_url = "https://moved.example/".to_owned();
                    map.sides[0].version += 1;
                } else {
                    map.map.config.sides[0].list_filter = Some("Limit=1".to_owned());
                    map.map.version += 1;
                }
            });
            let run = goes_on(&world, &run).await;
            assert_eq!((run.state, run.progress[0].listed), (RunState::Finished, if changes_side { 20 } else { 0 }));
            assert!(run.memory.notes.iter().any(|note| note.what.describe().contains("settings of its list")));
        });
    }
}

#[test]
fn a_list_that_is_shorter_than_the_app_said_asks_once_and_is_the_measure_of_the_next_run() {
    play(3, async |world| {
        (0..60).for_each(|n| put(&world, SideIx::First, n));
        let finance = world.map().sides[0].id.clone();
        world.apps.with(&finance, |app| app.pages.wrong_total = Some(100));
        let run = starts(&world, SyncKind::InitialSync).await.unwrap();
        let asks = goes_on(&world, &run).await;
        let why = asks.stall.clone().unwrap().why;
        assert!(
            asks.state == RunState::Paused && why.contains("ended after 60 records") && why.contains("100"),
            "{why}"
        );
        assert_eq!(asks.stall.unwrap().until, None);
        steers(&world, &run, RunCommand::Resume).await;
        let over = goes_on(&world, &run).await;
        assert_eq!((over.state, over.counts.0[0].inserted, over.memory.notes.len()), (RunState::Finished, 60, 1));
        // Nothing is named any more, but a third is gone.
        world.apps.with(&finance, |app| {
            app.pages.wrong_total = None;
            for n in 0..21 {
                app.change(&key(n), Image::Absent, Timestamp(1));
            }
        });
        let run = starts(&world, SyncKind::DryRun).await.unwrap();
        let asks = goes_on(&world, &run).await;
        let why = asks.stall.unwrap().why;
        assert!(asks.state == RunState::Paused && why.contains("39 records") && why.contains("had met 60"), "{why}");
        steers(&world, &run, RunCommand::Resume).await;
        assert_eq!(goes_on(&world, &run).await.state, RunState::Finished);
        let run = starts(&world, SyncKind::DryRun).await.unwrap();
        assert_eq!(goes_on(&world, &run).await.state, RunState::Finished, "the size was accepted");
    });
}

#[test]
fn of_two_starts_in_one_moment_one_writes_and_the_other_is_told_of_it() {
    for seed in 0..40 {
        let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
        for _ in 0..2 {
            let world = Arc::clone(&world);
            Arc::clone(&world).executor.spawn(async move {
                let started = starts(&world, SyncKind::InitialSync).await;
                if let Err(error) = started {
                    let AppError::Conflict(StateConflict::SyncActive(other)) = error.without_subject() else {
                        panic!("{error}")
                    };
                    assert!(world.sync_runs.all_runs().iter().any(|run| run.id == *other));
                    starts(&world, SyncKind::Reconcile).await.expect("what only reads may run beside it");
                }
            });
        }
        assert!(world.executor.run(STEPS));
        let writing = world.sync_runs.all_runs().iter().filter(|run| run.choice.kind.writes()).count();
        assert_eq!((writing, world.sync_runs.all_runs().len()), (1, 2), "seed {seed}");
    }
}

#[test]
fn a_worker_that_comes_too_early_leaves_and_the_backoff_goes_on_from_one_worker_to_the_next() {
    play(5, async |world| {
        put(&world, SideIx::First, 1);
        let run = starts(&world, SyncKind::InitialSync).await.unwrap();
        let active = ActiveRun { map: run.map.clone(), run: run.id };
        world.apps.set_busy_for_ms(4_000);
        let mut waits = Vec::new();
        for _ in 0..6 {
            while works(&world, &run, 200_000).await == WorkEnd::NotOurs || stored(&world, &run).stall.is_none() {
                world.executor.sleep(500).await;
            }
            let stall = stored(&world, &run).stall.unwrap();
            assert!(stall.why.contains("429") || stall.why.contains("throttled"), "{}", stall.why);
            let until = stall.until.unwrap();
            waits.push(until.ms_since(world.executor.now()));
            // Doubled messages, and the schedule, come while it waits.
            drop(world.sync_runs.take_due(Timestamp::NEVER));
            for _ in 0..5 {
                world.sync_runs.send(&active, world.executor.now()).await.unwrap();
                assert_eq!(works(&world, &run, 200_000).await, WorkEnd::NotOurs);
            }
            drop(world.sync_runs.take_due(Timestamp::NEVER));
            assert_eq!(sweep(&*world).await.map(|swept| swept.woken), Ok(0), "nothing is sent before its time");
            world.executor.sleep(until.ms_since(world.executor.now()) + 1).await;
        }
        assert!(waits[5] > 4 * waits[0], "the waits grow: {waits:?}");
        world.apps.set_busy_for_ms(0);
        let over = goes_on(&world, &run).await;
        assert_eq!((over.state, over.counts.0[0].inserted, over.waits), (RunState::Finished, 1, 0));
    });
}

#[test]
fn a_cancelled_run_lists_every_row_that_it_did_not_reach() {
    play(6, async |world| {
        (0..30).for_each(|n| put(&world, SideIx::Second, n));
        (100..130).for_each(|n| put(&world, SideIx::First, n));
        let run = starts(&world, SyncKind::InitialSync).await.unwrap();
        works_until(&world, &run, |run| SideIx::BOTH.into_iter().any(|side| run.join.waiting(side) > 0)).await;
        steers(&world, &run, RunCommand::Cancel).await;
        let counts = stored(&world, &run).counts;
        let not_reached: u64 = counts.0.iter().map(|counts| counts.not_reached).sum();
        let (mut listed, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = (after.as_deref(), 7);
            let (found, next) = findings(&*world, &run.map, run.id, FindingList::LookAgain, page).await.unwrap();
            listed.extend(found);
            let Some(next) = next else { break };
            assert!(FindingList::LookAgain.begins(&next));
            after = Some(next);
        }
        assert_eq!((listed.len() as u64, not_reached > 0), (not_reached, true), "{counts:?}");
    });
}

#[test]
fn a_record_that_nobody_has_looked_at_has_no_look_counted() {
    play(7, async |world| {
        (0..10).for_each(|n| put(&world, SideIx::First, n));
        let run = starts(&world, SyncKind::InitialSync).await.unwrap();
        let mut put_off = 0;
        for _ in 0..40 {
            // The page alone takes longer.
            works(&world, &run, 5).await;
            world.executor.sleep(11_000).await;
            for finding in world.sync_runs.all_findings(run.id) {
                let FindingState::LookAgain(look) = &finding.state else { continue };
                put_off += 1;
                assert_eq!((look.looks, look.seen), (0, None), "{finding:?}");
            }
            if put_off > 0 {
                break;
            }
        }
        assert!(put_off > 0, "nothing was put off: {:?}", stored(&world, &run));
        let over = goes_on(&world, &run).await;
        assert_eq!((over.state, over.counts.0[0].inserted), (RunState::Finished, 10), "{:?}", over.counts);
    });
}

#[test]
fn a_record_that_the_filter_keeps_out_by_now_is_filtered_and_one_that_is_deleted_is_gone() {
    play(8, async |world| {
        world.change_map(|map| {
            change(&mut map.map.config, |config| {
                config["sides"][0]["filter"] = json!([{"field": "Name", "in": ["n1"]}]);
            });
        });
        put(&world, SideIx::First, 1);
        put(&world, SideIx::Second, 2);
        let wanted = |n: u64| StartSync {
            kind: SyncKind::InitialSync,
            winner: None,
            winner_of_field: None,
            legs: Vec::new(),
            selection: Selection::Record { key: key(n) },
            parent: None,
            despite: vec!["key_field".to_owned()],
            reason: "to test".to_owned(),
        };
        world.apps.with(&world.map().sides[0].id.clone(), |app| {
            let Image::Present(mut record) = app.image(&key(1)) else { panic!("finance has it") };
            record.insert("Name".to_owned(), json!("another"));
            app.change(&key(1), Image::Present(record), Timestamp(1));
        });
        let map = world.map().map.id;
        let run = start(&*world, &kim(), &map, &wanted(1)).await.unwrap();
        let over = goes_on(&world, &run).await;
        assert_eq!((over.counts.0[0].filtered, over.counts.0[0].gone, over.counts.0[1].gone), (1, 0, 1));
        assert_eq!(world.map().map.state, MapState::Running);
    });
}
