//! The part of the crash matrix that is about sync runs: whatever crashes where, both apps end equal and every count adds up.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use app::{
    admin::{
        map_commands::switch,
        syncs::{DecideDeletions, RunCommand, StartSync, command, decide_deletions, start, start_in_order},
    },
    error::{AppError, StateConflict},
    ports::ActiveRun,
    sync::{WorkEnd, sweep, work},
};
use domain::{
    MapState, SideIx,
    id::SyncRunId,
    lane::content,
    map::MapCommand,
    mapping::translate,
    record::Image,
    side::Capability,
    sync::{
        DeletionFate, DeletionSet, FindingState, LegChoice, LegCounts, OnFailure, RunState, Selection, SyncKind,
        SyncRun,
    },
};
use serde_json::json;
use testkit::{CrashedIn, SimWorld, sample};

use crate::{
    operator::kim,
    syncs::{
        in_order::{orders, wanted as in_order},
        lines::wrong_lines,
    },
};

const STEPS: u64 = 500_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Start,
    Work,
    WorkOfAGoneMap,
    Rerun,
    Edited,
    InOrder,
    Pause,
    Cancel,
    Sweep,
    Propose,
    Decide,
    Approve,
    Reject,
}

const CASES: [Case; 13] = [
    Case::Start,
    Case::Work,
    Case::WorkOfAGoneMap,
    Case::Rerun,
    Case::Edited,
    Case::InOrder,
    Case::Pause,
    Case::Cancel,
    Case::Sweep,
    Case::Propose,
    Case::Decide,
    Case::Approve,
    Case::Reject,
];

impl Case {
    /// Whether it is about deletions of records that finance lacks.
    fn is_of_deletions(self) -> bool {
        matches!(self, Self::Propose | Self::Decide | Self::Approve | Self::Reject)
    }
}

/// Some records that only one app has, one that differs, one that crm refuses, and one in which each app wins something: finance the
/// name, crm the limit.
fn fill(world: &SimWorld) {
    let names = world.map().sides.map(|side| side.id);
    let put_with = |side: SideIx, n: u32, name: &str, limit: u32, refused: bool| {
        let record = match side {
            SideIx::First => json!({"Name": name, "Limit": limit, "OnHold": "No", "refused": refused}),
            SideIx::Second => json!({"name": name, "limit": limit, "hold": false, "refused": refused}),
        };
        let image = Image::Present(record.as_object().unwrap().clone());
        let key = format!("C-{n}").parse().unwrap();
        world.apps.with(&names[side.at()], |app| app.change(&key, image, world.executor.now()));
    };
    let put = |side: SideIx, n: u32, name: &str, refused: bool| put_with(side, n, name, 1, refused);
    put(SideIx::First, 1, "Ada", false);
    put(SideIx::Second, 2, "Bob", false);
    put(SideIx::First, 3, "Eve", false);
    put(SideIx::Second, 3, "Eva", false);
    put(SideIx::First, 4, "Refused", true);
    put_with(SideIx::First, 5, "Kim", 1, false);
    put_with(SideIx::Second, 5, "Kit", 2, false);
    names.iter().for_each(|side| world.apps.with(side, |app| app.pages.most_rows = 2));
}

fn wanted(world: &SimWorld, selection: Selection, parent: Option<SyncRunId>) -> StartSync {
    let (kind, reason) = (SyncKind::InitialSync, "to test".to_owned());
    let crm = world.map().sides[1].id.clone();
    StartSync {
        kind,
        winner: None,
        winner_of_field: Some([("limit".to_owned(), crm)].into()),
        legs: Vec::new(),
        selection,
        parent,
        despite: vec!["key_field".to_owned()],
        reason,
    }
}

fn active(world: &SimWorld) -> Option<ActiveRun> {
    let run = world.sync_runs.all_runs().into_iter().rfind(|run| !run.is_over())?;
    Some(ActiveRun { map: run.map, run: run.id })
}

/// A reconcile of a map that runs: what finance lacks is proposed for deletion in crm.
async fn reconciles(world: &SimWorld) -> SyncRun {
    let crm = world.map().sides[1].id.clone();
    let wanted = StartSync {
        kind: SyncKind::Reconcile,
        legs: vec![(crm, LegChoice::ProposeDeletion)],
        winner_of_field: None,
        ..wanted(world, Selection::All, None)
    };
    start(world, &kim(), &world.map().map.id, &wanted).await.unwrap()
}

fn decision(approve: bool) -> DecideDeletions {
    DecideDeletions { approve, set: DeletionSet::All, reason: "to test".to_owned() }
}

async fn set_of_deletions(world: &SimWorld, case: Case) {
    world.change_map(|map| map.map.state = MapState::Running);
    if case == Case::Propose {
        // An earlier run's proposals leave its list with this one's.
        reconciles(world).await;
        goes_on(world).await;
    }
    reconciles(world).await;
    if case == Case::Propose {
        return;
    }
    goes_on(world).await;
    if case != Case::Decide {
        let (map, parent) = (world.map().map.id, world.sync_runs.all_runs()[0].id);
        let wanted = decision(case == Case::Approve);
        decide_deletions(world, &kim(), &map, parent, &wanted).await.unwrap();
    }
}

async fn set(world: &SimWorld, case: Case) {
    if case == Case::InOrder {
        world.put_map(orders());
    }
    if matches!(case, Case::Start | Case::InOrder) {
        return;
    }
    if case.is_of_deletions() {
        return set_of_deletions(world, case).await;
    }
    let map = world.map().map.id;
    start(world, &kim(), &map, &wanted(world, Selection::All, None)).await.unwrap();
    match case {
        Case::WorkOfAGoneMap => world.change_map(|map| map.map.uid = domain::id::MapUid(8)),
        Case::Rerun => {
            goes_on(world).await;
            let parent = world.sync_runs.all_runs()[0].id;
            start(world, &kim(), &map, &wanted(world, Selection::Failed, Some(parent))).await.unwrap();
        }
        Case::Edited => {
            goes_on(world).await;
            let (parent, crm) = (world.sync_runs.all_runs()[0].id, world.map().sides[0].id.clone());
            let edited = json!({"Name": "Refused again", "Limit": 1, "OnHold": "No", "refused": true});
            let image = Image::Present(edited.as_object().unwrap().clone());
            world.apps.with(&crm, |app| app.change(&"C-4".parse().unwrap(), image, world.executor.now()));
            start(world, &kim(), &map, &wanted(world, Selection::Edited, Some(parent))).await.unwrap();
        }
        // Nobody was woken.
        Case::Sweep => drop(world.sync_runs.take_due(domain::Timestamp::NEVER)),
        _ => {}
    }
}

/// Acts once; `false`: it crashed.
async fn act(world: &SimWorld, case: Case) -> bool {
    let map = world.map().map.id;
    match case {
        Case::Start => {
            let answer = world.invoke(start(world, &kim(), &map, &wanted(world, Selection::All, None))).await;
            let goes_on =
                |error: &AppError| matches!(error.without_subject(), AppError::Conflict(StateConflict::SyncActive(_)));
            match answer {
                Some(Err(error)) => assert!(goes_on(&error), "{error}"),
                Some(Ok(_)) => {}
                None => return false,
            }
        }
        Case::Decide => {
            let (parent, wanted) = (world.sync_runs.all_runs()[0].id, decision(true));
            let answer = world.invoke(decide_deletions(world, &kim(), &map, parent, &wanted)).await;
            // The run that was stored before the crash goes on.
            let goes_on =
                |error: &AppError| matches!(error.without_subject(), AppError::Conflict(StateConflict::SyncActive(_)));
            match answer {
                Some(Err(error)) => assert!(goes_on(&error), "{error}"),
                Some(Ok(_)) => {}
                None => return false,
            }
        }
        Case::InOrder => {
            let mut wanted = in_order(OnFailure::Continue);
            wanted.wanted.winner_of_field = Some([("limit".to_owned(), world.map().sides[1].id.clone())].into());
            let started = world.invoke(start_in_order(world, &kim(), &wanted)).await;
            return started.map(|started| assert_eq!(started.unwrap().len(), 2)).is_some();
        }
        Case::Work
        | Case::Rerun
        | Case::Edited
        | Case::WorkOfAGoneMap
        | Case::Propose
        | Case::Approve
        | Case::Reject => {
            while let Some(active) = active(world) {
                world.sweep().await;
                let until = world.executor.now().plus_ms(200_000);
                match world.invoke(work(world, &active, until)).await {
                    None => return false,
                    Some(end) => match end.unwrap() {
                        WorkEnd::Over => return true,
                        WorkEnd::GoesOn(due) => world.executor.sleep(due.ms_since(world.executor.now()).max(1)).await,
                        WorkEnd::NotOurs => world.executor.sleep(30_000).await,
                    },
                }
            }
        }
        Case::Pause | Case::Cancel => {
            let Some(active) = world.sync_runs.all_runs().pop() else { return true };
            let wanted = if case == Case::Pause { RunCommand::Pause } else { RunCommand::Cancel };
            let answer = world.invoke(command(world, &kim(), &map, active.id, (wanted, "to test"))).await;
            return answer.map(|answer| answer.unwrap()).is_some();
        }
        Case::Sweep => return world.invoke(sweep(world)).await.map(|swept| swept.unwrap()).is_some(),
    }
    true
}

/// Workers go on until nothing is left to do.
async fn goes_on(world: &SimWorld) {
    for _ in 0..80 {
        if world.sync_runs.all_runs().iter().all(|run| run.is_over() || run.state == RunState::Paused) {
            return;
        }
        world.sweep().await;
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        world.executor.sleep(10_000).await;
    }
}

/// Plays a case, crashed at a point (`None`: not at all). How many points it has, and where it crashed.
fn play(case: Case, point: Option<u64>) -> (u64, Option<CrashedIn>) {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = MapState::NotRunning;
    let world = SimWorld::new(23, map);
    fill(&world);
    let (crashed, points) = (Arc::new(Mutex::new(None)), Arc::new(AtomicU64::new(0)));
    {
        let (world, crashed, points) = (Arc::clone(&world), Arc::clone(&crashed), Arc::clone(&points));
        Arc::clone(&world).executor.spawn(async move {
            let world = &*world;
            set(world, case).await;
            world.crash_at_point(point);
            let finished = act(world, case).await;
            points.store(world.points(), Ordering::SeqCst);
            *crashed.lock().unwrap() = world.crashed_in();
            world.crash_at_point(None);
            if !finished {
                world.executor.sleep(200_000).await; // the leases of what crashed end
                assert!(act(world, case).await, "{case:?} fails after a crash at point {point:?}");
            }
            if world.map().map.state == MapState::NotRunning {
                // The run was stored, and the map was not started: the run says so.
                let id = world.map().map.id;
                switch(world, &kim(), &id, MapCommand::Initialize, "to test").await.unwrap();
            }
            if case == Case::Pause {
                let run = world.sync_runs.all_runs().pop().unwrap();
                let resume = (RunCommand::Resume, "to test");
                command(world, &kim(), &run.map, run.id, resume).await.unwrap();
            }
            goes_on(world).await;
        });
    }
    assert!(world.executor.run(STEPS), "{case:?} does not come to rest");
    check(&world, case, point);
    (points.load(Ordering::SeqCst), *crashed.lock().unwrap())
}

fn check(world: &SimWorld, case: Case, point: Option<u64>) {
    let at = format!("{case:?}, crashed at point {point:?}");
    for run in world.sync_runs.history() {
        assert!(run.adds_up(), "{at}: {:?}", run.counts);
    }
    let runs = world.sync_runs.all_runs();
    if case == Case::WorkOfAGoneMap {
        return assert!(runs.is_empty(), "{at}: a run of a map that is gone is active: {runs:?}");
    }
    assert!(runs.iter().all(domain::sync::SyncRun::is_over), "{at}: {runs:?}");
    for run in &runs {
        assert_eq!(wrong_lines(world, run), None, "{at}");
    }
    assert_eq!(world.map().map.state, MapState::Running, "{at}");
    if case == Case::Cancel {
        return;
    }
    if case.is_of_deletions() {
        return check_deletions(world, case, &at);
    }
    let map = world.map();
    for n in 1..=5 {
        let key = format!("C-{n}").parse().unwrap();
        let [first, second] = map.sides.each_ref().map(|side| world.apps.with(&side.id, |app| app.image(&key)));
        let first = translate(&map.config, SideIx::First, &first).unwrap();
        let equal = content(&map.config, SideIx::Second, &first) == content(&map.config, SideIx::Second, &second);
        assert_eq!(equal, n != 4, "{at}: C-{n}: {first:?}, {second:?}");
    }
    let merged = world.apps.with(&map.sides[1].id, |app| app.image(&"C-5".parse().unwrap()));
    let Image::Present(merged) = merged else { panic!("{at}: crm has lost C-5") };
    assert_eq!((&merged["name"], &merged["limit"]), (&json!("Kim"), &json!(2)), "{at}");
    let failed: u64 = runs.iter().map(|run| run.counts.0[0].failed).sum();
    assert_eq!(failed, runs.len() as u64, "{at}: crm refuses one, each time");
    // What was copied before a crash is counted as copied after it.
    let copied = |counts: &LegCounts| (counts.inserted, counts.updated, counts.equal);
    let first = &runs[0].counts.0;
    assert_eq!([copied(&first[0]), copied(&first[1])], [(1, 2, 0), (1, 1, 0)], "{at}: {first:?}");
}

/// Crm's own record is deleted by an approval alone, and what was decided about leaves the list.
fn check_deletions(world: &SimWorld, case: Case, at: &str) {
    let crm = world.map().sides[1].id.clone();
    let image = world.apps.with(&crm, |app| app.image(&"C-2".parse().unwrap()));
    let is_approved = matches!(case, Case::Decide | Case::Approve);
    assert_eq!(image == Image::Absent, is_approved, "{at}: {image:?}");
    let runs = world.sync_runs.all_runs();
    let fates = |run: &SyncRun| -> Vec<_> {
        let found = world.sync_runs.all_findings(run.id).into_iter();
        found
            .filter_map(|found| if let FindingState::Deletion(it) = found.state { Some(it.fate) } else { None })
            .collect()
    };
    let (first, last) = (fates(&runs[0]), fates(runs.last().unwrap()));
    assert_eq!(first, [], "{at}: it leaves the list of its run");
    let wanted = match case {
        Case::Propose => DeletionFate::Proposed,
        Case::Reject => DeletionFate::Rejected,
        _ => DeletionFate::Deleted,
    };
    assert_eq!(last, [wanted], "{at}");
    let counts = runs.last().unwrap().counts.0[1];
    assert_eq!(counts.proposed + counts.rejected + counts.deleted, 1, "{at}: {counts:?}");
}

pub(super) fn crashes() -> (Vec<CrashedIn>, String) {
    let (mut all, mut out) = (Vec::new(), String::new());
    for case in CASES {
        let (points, _) = play(case, None);
        all.extend((0..points).filter_map(|point| play(case, Some(point)).1));
        out.push_str(&format!(" {case:?} {points}"));
    }
    (all, out)
}
