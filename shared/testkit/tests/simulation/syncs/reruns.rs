//! Reruns of chosen records: those that are new, and those that were edited.

use std::sync::Arc;

use app::admin::syncs::{StartSync, start};
use domain::{
    MapState, SideIx,
    id::SyncRunId,
    record::Image,
    side::Capability,
    sync::{LegCounts, Selection, SyncKind, SyncRun},
};
use testkit::{SimWorld, sample, users::Users};

use super::{STEPS, image, key, legs::run_to_its_end};
use crate::operator::kim;

fn put(world: &SimWorld, side: SideIx, n: u64, name: &str, refused: bool) {
    let id = world.map().sides[side.at()].id.clone();
    world.apps.with(&id, |app| app.change(&key(n), image(side, name, 1, refused), world.executor.now()));
}

fn has(world: &SimWorld, side: SideIx, n: u64) -> bool {
    let id = world.map().sides[side.at()].id.clone();
    world.apps.with(&id, |app| app.image(&key(n))) != Image::Absent
}

/// The newest run.
fn last(world: &SimWorld) -> SyncRun {
    world.sync_runs.all_runs().pop().unwrap()
}

/// What became of the rows of a side: inserted, updated, equal, filtered, failed, later.
fn ends(run: &SyncRun, side: SideIx) -> [u64; 6] {
    let LegCounts { inserted, updated, equal, filtered, failed, later, .. } = run.counts[side];
    [inserted, updated, equal, filtered, failed, later]
}

async fn rerun(world: &SimWorld, selection: Selection, parent: SyncRunId) -> SyncRun {
    run_to_its_end(world, selection, Some(parent), Vec::new()).await;
    last(world)
}

fn world() -> Arc<SimWorld> {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = MapState::NotRunning;
    SimWorld::new(11, map)
}

/// One record that is copied, two that crm refuses, and one that both have.
async fn first_run(world: &SimWorld) -> SyncRun {
    put(world, SideIx::First, 1, "Ada", false);
    put(world, SideIx::First, 2, "Bob", true);
    put(world, SideIx::First, 3, "Eve", true);
    put(world, SideIx::First, 4, "Kim", false);
    put(world, SideIx::Second, 4, "Kim", false);
    run_to_its_end(world, Selection::All, None, Vec::new()).await;
    last(world)
}

fn plays(play: impl Future<Output = ()> + Send + 'static, world: &Arc<SimWorld>) {
    world.executor.spawn(play);
    assert!(world.executor.run(STEPS));
    assert!(world.sync_runs.history().iter().all(SyncRun::adds_up));
    assert!(world.sync_runs.all_runs().iter().all(SyncRun::is_over), "the play was not played to its end");
}

#[test]
fn a_rerun_of_new_records_leaves_those_that_failed_and_those_that_both_have() {
    let world = world();
    let played = Arc::clone(&world);
    let play = async move {
        let world = &*played;
        let first = first_run(world).await;
        assert_eq!(ends(&first, SideIx::First), [1, 0, 1, 0, 2, 0]);
        // Nobody has reported any of this.
        put(world, SideIx::First, 3, "Eve", false);
        put(world, SideIx::First, 5, "New", false);
        put(world, SideIx::Second, 6, "New too", false);
        put(world, SideIx::Second, 4, "Otherwise", false);
        let new = rerun(world, Selection::NewOnly, first.id).await;
        assert_eq!(ends(&new, SideIx::First), [1, 0, 1, 3, 0, 0], "C-2 and C-3 failed before, and C-4 differs");
        assert_eq!(ends(&new, SideIx::Second), [1, 0, 1, 1, 0, 0]);
        assert_eq!([2, 3, 5].map(|n| has(world, SideIx::Second, n)), [false, false, true]);
        assert!(has(world, SideIx::First, 6));
        // Its own rerun leaves them alone, too: they have not failed in it, for it did not try.
        put(world, SideIx::First, 7, "Newest", false);
        let newest = rerun(world, Selection::NewOnly, new.id).await;
        assert_eq!(ends(&newest, SideIx::First), [1, 0, 3, 3, 0, 0]);
        assert!(!has(world, SideIx::Second, 3));
    };
    plays(play, &world);
}

#[test]
fn a_rerun_of_edited_records_tries_only_those_whose_rows_have_changed() {
    let world = world();
    let played = Arc::clone(&world);
    let play = async move {
        let world = &*played;
        let first = first_run(world).await;
        put(world, SideIx::First, 3, "Eva", false);
        let edited = rerun(world, Selection::Edited, first.id).await;
        assert_eq!((edited.counts[SideIx::First].read, ends(&edited, SideIx::First)), (2, [1, 0, 0, 1, 0, 0]));
        assert_eq!([2, 3].map(|n| has(world, SideIx::Second, n)), [false, true]);
        // What failed is looked at one by one, and its row is known then, too.
        let failed = rerun(world, Selection::Failed, first.id).await;
        assert_eq!(ends(&failed, SideIx::First), [0, 0, 1, 0, 1, 0]);
        let unedited = rerun(world, Selection::Edited, failed.id).await;
        assert_eq!(ends(&unedited, SideIx::First), [0, 0, 0, 1, 0, 0]);
    };
    plays(play, &world);
}

#[test]
fn what_is_made_or_edited_after_a_rerun_has_begun_counts_as_later() {
    for kind in [SyncKind::DryRun, SyncKind::InitialSync, SyncKind::Reconcile] {
        for selection in [Selection::NewOnly, Selection::Edited] {
            let world = world();
            let users = Users::new(Arc::clone(&world));
            let (played, chosen) = (Arc::clone(&world), selection.clone());
            let play = async move {
                let world = &*played;
                let first = first_run(world).await;
                let wanted = StartSync {
                    kind,
                    winner: None,
                    winner_of_field: None,
                    legs: Vec::new(),
                    selection: chosen,
                    parent: Some(first.id),
                    despite: vec!["key_field".to_owned()],
                    reason: "to test".to_owned(),
                };
                start(world, &kim(), &first.map, &wanted).await.unwrap();
                world.executor.sleep(1).await;
                let n = if wanted.selection == Selection::Edited { 3 } else { 5 };
                users.edit_committed(SideIx::First, &key(n), image(SideIx::First, "Late", 1, true)).await;
                while users.report(SideIx::First).await {}
                for _ in 0..100 {
                    world.sweep_syncs().await;
                    world.work_on_syncs().await;
                    world.executor.sleep(5_000).await;
                }
                let run = last(world);
                let ends = ends(&run, SideIx::First);
                assert_eq!((ends[4], ends[5]), (0, 1), "{kind:?} {:?}: {:?}", wanted.selection, run.counts);
                assert_eq!(run.counts[SideIx::First].held, 0);
            };
            plays(play, &world);
        }
    }
}
