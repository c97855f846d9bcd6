//! Pages that overlap: each row is copied once, and counted once as what became of it.

use std::{collections::BTreeMap, sync::Arc};

use app::admin::syncs::{StartSync, start};
use domain::{
    MapState, SideIx,
    side::Capability,
    sync::{Selection, SyncKind},
};
use testkit::{SimWorld, sample};

use super::{STEPS, WORLDS, image, key};
use crate::operator::kim;

const RECORDS: u64 = 24;

#[test]
fn rows_that_two_pages_have_are_copied_once_and_told_as_repeated() {
    for seed in crate::seeds(WORLDS / 4) {
        let mut map = sample::running(Capability::Idempotent);
        map.map.state = MapState::NotRunning;
        let world = SimWorld::new(seed, map);
        let [finance, crm] = world.map().sides.map(|side| side.id);
        let (size, overlap) = world.executor.chance(|rng| (4 + rng.below(5), 1 + rng.below(3)));
        world.apps.with(&finance, |app| {
            for n in 0..RECORDS {
                app.change(&key(n), image(SideIx::First, &format!("old-{n}"), 3, false), world.executor.now());
            }
            app.pages.most_rows = u32::try_from(size).unwrap();
            app.pages.overlap = usize::try_from(overlap).unwrap();
        });
        let played = Arc::clone(&world);
        world.executor.spawn(async move {
            let wanted = StartSync {
                kind: SyncKind::InitialSync,
                winner: None,
                winner_of_field: None,
                legs: Vec::new(),
                selection: Selection::All,
                parent: None,
                despite: vec!["key_field".to_owned()],
                reason: "to test".to_owned(),
            };
            start(&*played, &kim(), &played.map().map.id, &wanted).await.unwrap();
            while played.sync_runs.all_runs().iter().any(|run| !run.is_over()) {
                played.sweep_syncs().await;
                played.work_on_syncs().await;
                played.executor.sleep(5_000).await;
            }
        });
        assert!(world.executor.run(STEPS), "TANDEM_SEED={seed}: the run does not end");
        let run = world.sync_runs.all_runs().pop().unwrap();
        let counts = run.counts.0[0];
        // Each page but the first begins with rows of the one before it.
        let repeated = (RECORDS - size).div_ceil(size - overlap) * overlap;
        let wanted = (RECORDS + repeated, RECORDS, repeated);
        assert_eq!((counts.read, counts.inserted, counts.repeated), wanted, "TANDEM_SEED={seed}: {counts:?}");
        assert!(run.adds_up(), "TANDEM_SEED={seed}: {counts:?}");
        let mut written: BTreeMap<_, u32> = BTreeMap::new();
        for effect in world.apps.with(&crm, |app| app.effects.clone()) {
            *written.entry(effect.key).or_default() += 1;
        }
        assert_eq!(written.len() as u64, RECORDS, "TANDEM_SEED={seed}");
        assert!(written.values().all(|times| *times == 1), "TANDEM_SEED={seed}: {written:?}");
    }
}
