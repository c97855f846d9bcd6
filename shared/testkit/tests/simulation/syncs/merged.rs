//! Copies of records in which each app wins something: finance the name, crm the limit.

use std::{collections::BTreeSet, sync::Arc};

use app::admin::syncs::{RunCommand, command};
use domain::{RecordKey, SideIx, record::Image, side::Capability, sync::RunState};
use serde_json::json;
use testkit::{SimWorld, sample};

use super::{Kind, OWN_LIMITS, Played, RECORDS, STEPS, image, key, plays, starts};
use crate::operator::kim;

const CRM_WINS_LIMITS: Kind =
    Kind { capability: Capability::Idempotent, faults: false, edits: false, crm_wins_limits: true };

/// Records of which an app has not what the other one wins: the name of finance, and the limit of crm.
pub(super) fn not_merged(played: &Played, failed: &BTreeSet<RecordKey>) -> Vec<String> {
    let (world, map) = (&played.world, played.world.map());
    let mut wrongs = Vec::new();
    for n in (0..RECORDS).filter(|n| !failed.contains(&key(*n))) {
        for side in &map.sides {
            let Image::Present(record) = world.apps.with(&side.id, |app| app.image(&key(n))) else { continue };
            let name = record.get("Name").or(record.get("name")).and_then(|name| name.as_str()).unwrap();
            let limit = record.get("Limit").or(record.get("limit")).unwrap();
            let was_in_crm = played.crm_had.contains(&key(n));
            let wanted = OWN_LIMITS[usize::from(was_in_crm)];
            if *limit != json!(wanted) || name.starts_with("old-second") && played.finance_had.contains(&key(n)) {
                wrongs.push(format!("C-{n} in {}: {record:?}, crm had it: {was_in_crm}", side.id));
            }
        }
    }
    wrongs
}

#[test]
fn each_app_gets_what_the_other_one_wins() {
    plays(
        CRM_WINS_LIMITS,
        &[
            |run| run.counts.0[0].updated > 0 && run.counts.0[1].updated > 0,
            |run| run.counts.0[0].loses > 0,
            |run| run.counts.0[0].inserted > 0 && run.counts.0[1].inserted > 0,
            |run| run.counts.0[1].failed > 0,
        ],
    );
}

#[test]
fn each_app_gets_what_the_other_one_wins_whatever_fails() {
    let kind = Kind { faults: true, ..CRM_WINS_LIMITS };
    plays(kind, &[|run| run.counts.0[0].updated > 0 && run.counts.0[1].updated > 0]);
}

#[test]
fn live_changes_are_never_overwritten_by_merged_records() {
    let kind = Kind { faults: true, edits: true, ..CRM_WINS_LIMITS };
    plays(kind, &[|run| run.counts.0[0].updated > 0 && run.counts.0[1].updated > 0]);
}

/// The map is changed while a run goes on, and has no field any more of the name that the run knows. The run asks, and goes on when the
/// field is back.
#[test]
fn a_run_whose_field_has_lost_its_name_asks_and_overwrites_nothing() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let finance = world.map().sides[0].id.clone();
    for (at, side) in SideIx::BOTH.into_iter().enumerate() {
        let image = image(side, "Ada", OWN_LIMITS[at], false);
        world.apps.with(&world.map().sides[at].id, |app| app.change(&key(1), image, world.executor.now()));
    }
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = &*played;
        starts(&played, CRM_WINS_LIMITS).await;
        let rename = |from: &'static str, to: &'static str| {
            world.change_map(|map| {
                let field =
                    map.map.config.fields.iter_mut().find(|field| field.names.values().any(|name| name == from));
                field.unwrap().names.values_mut().filter(|name| *name == from).for_each(|name| *name = to.to_owned());
            });
        };
        let limit = || world.apps.with(&finance, |app| app.image(&key(1)));
        let before = limit();
        rename("limit", "creditlimit");
        works(world).await;
        let run = world.sync_runs.all_runs()[0].clone();
        let why = &run.stall.as_ref().unwrap().why;
        assert!(
            run.state == RunState::Paused && why.contains("winner_of_field.limit is no field of the map"),
            "{run:?}"
        );
        rename("creditlimit", "limit");
        let resume = (RunCommand::Resume, "the field is back");
        command(world, &kim(), &run.map, run.id, resume).await.unwrap();
        assert_eq!(limit(), before, "nothing was overwritten");
        works(world).await;
        let run = world.sync_runs.all_runs()[0].clone();
        assert_eq!((run.state, run.counts.0[1].updated, run.counts.0[0].loses), (RunState::Finished, 1, 1), "{run:?}");
        assert_ne!(limit(), before, "finance has what crm wins");
    });
    assert!(world.executor.run(STEPS), "the world does not come to rest");
}

/// Workers go on until the run is over or asks.
async fn works(world: &SimWorld) {
    while world.sync_runs.all_runs()[0].state == RunState::Running {
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        world.executor.sleep(5_000).await;
    }
}
