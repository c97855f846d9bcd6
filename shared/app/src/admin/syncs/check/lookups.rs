//! Lookups: a record that refers to another one can be written only when the other one is there.

use domain::{
    MapId,
    sync::{RunState, Selection, SyncKind, SyncRun, brings},
};

use super::{End, SyncProblem};
use crate::{
    admin::AdminPorts,
    error::AppError,
    ports::{ConfigStore, SyncRuns},
};

/// Runs of a map that are looked at, newest first.
const RUNS_LOOKED_AT: usize = 100;

/// Finds the lookups of an app whose records no finished initial sync has brought.
pub(super) async fn find_unsynced<P: AdminPorts>(
    ports: &P,
    to: &End<'_>,
    ahead: &[MapId],
) -> Result<Vec<SyncProblem>, AppError> {
    let (map, side) = (to.map, &to.map.config.side(to.ix).side);
    let mut problems = Vec::new();
    let lookups = || map.config.fields.iter().enumerate().filter_map(|(at, field)| Some((at, field.lookup.get(side)?)));
    if lookups().next().is_none() {
        return Ok(problems);
    }
    let maps = ports.store().list_maps().await?;
    for (at, lookup) in lookups() {
        let own = &map.config.side(to.ix).entity;
        let path = format!("fields[{at}].lookup.{side}");
        let entity = &lookup.entity;
        if entity == own {
            let message =
                format!("records of {entity} refer to each other: one that is copied before the other is refused");
            let fix = "Start a second run for those that failed: selection `failed`.";
            problems.push(to.warning("lookup_of_itself", message, fix).at(path));
            continue;
        }
        let sources: Vec<_> = maps.iter().filter(|other| brings(to.map, to.ix, other, entity)).collect();
        if sources.is_empty() {
            let message =
                format!("no map between these sides has {entity}: a record that {side} lacks cannot be referred to");
            let fix = "Make sure that all of them are there, or create a map for them and run its initial sync first.";
            problems.push(to.warning("lookup_without_map", message, fix).at(path));
            continue;
        }
        // Their runs end before this one begins.
        let mut is_synced = sources.iter().any(|source| ahead.contains(&source.id));
        for source in &sources {
            is_synced = is_synced || ports.runs().runs(source, None, RUNS_LOOKED_AT).await?.iter().any(is_initial);
        }
        if !is_synced {
            let names: Vec<_> = sources.iter().map(|map| map.id.as_str()).collect();
            let message = format!("{entity} has had no initial sync that is finished: its map is {}", names.join(", "));
            let fix = "Run the initial sync of that map first.";
            problems.push(to.error("lookup_not_synced", message, fix).at(path));
        }
    }
    Ok(problems)
}

fn is_initial(run: &SyncRun) -> bool {
    run.choice.kind == SyncKind::InitialSync
        && run.choice.selection == Selection::All
        && run.state == RunState::Finished
}
