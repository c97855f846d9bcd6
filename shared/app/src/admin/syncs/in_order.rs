//! Runs of several maps, each after those of the maps to whose records its own refer.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Map, MapId,
    id::SyncRunId,
    map::Intake,
    side::Mistake,
    sync::{OnFailure, OrderedMap, Predecessor, Selection, SyncChoice, SyncRun, Turn, order_maps},
};

use super::{StartSync, begin, check, choose::choose, find_writing_run, start_map};
use crate::{
    admin::{AdminPorts, Caller, map_commands::checked, maps},
    error::{AppError, StateConflict, Subject},
    ports::SyncRuns,
};

/// Most maps of one request.
const MAX_MAPS: usize = 50;

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartInOrder {
    /// The maps, in any order.
    pub maps: Vec<MapId>,
    /// What follows in a map if a run before it does not end well.
    pub on_failure: OnFailure,
    /// What is asked for in each of them: a run of all records.
    pub wanted: StartSync,
}

/// A map and its run, as it is wanted.
struct Planned {
    map: Map,
    choice: SyncChoice,
    /// A run of before that does the same and is not over: whoever repeats a request whose answer was lost finds those.
    begun: Option<SyncRun>,
    accepted: Vec<String>,
}

/// Starts a run in each of several maps. One that writes waits for those of the maps that its lookups refer to. All is checked before
/// any of them is stored; a repeat of the request starts those that are missing.
///
/// # Errors
/// The maps refer to each other in a circle; or as for one run, with the map that it is about.
pub async fn start_in_order<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    wanted: &StartInOrder,
) -> Result<Vec<SyncRun>, AppError> {
    let reason = checked(&wanted.wanted.reason)?.to_owned();
    let unique: BTreeSet<_> = wanted.maps.iter().collect();
    if wanted.maps.is_empty() || unique.len() != wanted.maps.len() || wanted.maps.len() > MAX_MAPS {
        return Err(AppError::mistake("maps", &format!("must be 1 to {MAX_MAPS} maps, each once")));
    }
    if wanted.wanted.selection != Selection::All || wanted.wanted.parent.is_some() {
        return Err(AppError::mistake("selection", "must be all records of the maps"));
    }
    let mut planned = Vec::new();
    for id in &wanted.maps {
        let map = maps::get(ports, id).await?;
        let choice = choose(&map, &wanted.wanted, None).map_err(|error| error.about(Subject::map(id)))?;
        planned.push(Planned { map, choice, begun: None, accepted: Vec::new() });
    }
    let maps: Vec<_> = planned.iter().map(|plan| OrderedMap { map: &plan.map, legs: plan.choice.legs }).collect();
    let order = order_maps(&maps).map_err(|circle| circle_mistake(&circle))?;
    if wanted.wanted.kind.writes() {
        check_all(ports, &mut planned, &order, &wanted.wanted.despite).await?;
    }
    let (mut ids, mut runs) = (BTreeMap::new(), Vec::new());
    for (at, after) in order {
        let plan = &planned[at];
        let run = match &plan.begun {
            Some(run) => {
                start_map(ports, caller, &plan.map, run).await?;
                run.clone()
            }
            None => {
                let after = after.into_iter().filter_map(|at| {
                    let run = *ids.get(&at)?;
                    Some(Predecessor { map: planned[at].map.id.clone(), run })
                });
                let turn = Turn { after: after.collect(), on_failure: wanted.on_failure };
                let (id, who) = (SyncRunId(ports.fresh_id()), (&*caller.name, &*reason));
                let mut run = SyncRun::new(id, &plan.map, plan.choice.clone(), who, ports.now());
                run.start.turn = Some(turn).filter(|turn| run.choice.kind.writes() && !turn.after.is_empty());
                run.start.despite.clone_from(&plan.accepted);
                begin(ports, caller, &plan.map, run).await?
            }
        };
        ids.insert(at, run.id);
        runs.push(run);
    }
    Ok(runs)
}

fn circle_mistake(circle: &[MapId]) -> AppError {
    let names: Vec<_> = circle.iter().chain(circle.first()).map(MapId::as_str).collect();
    let names = names.join(" → ");
    AppError::mistake("maps", &format!("refer to each other in a circle: {names}. Start one of them alone first"))
}

/// Checks each map for what stands against its run: all problems of all maps at once.
async fn check_all<P: AdminPorts>(
    ports: &P,
    planned: &mut [Planned],
    order: &[(usize, Vec<usize>)],
    despite: &[String],
) -> Result<(), AppError> {
    let mut blocking = Vec::new();
    for (at, after) in order {
        let ahead: Vec<_> = after.iter().map(|at| planned[*at].map.id.clone()).collect();
        let plan = &mut planned[*at];
        let conflict = |what| Err(AppError::Conflict(what).about(Subject::map(&plan.map.id)));
        if let Some(other) = find_writing_run(ports, &plan.map).await? {
            plan.begun = ports.runs().run(&plan.map, other).await?.filter(|run| run.choice == plan.choice);
            if plan.begun.is_some() {
                continue;
            }
            return conflict(StateConflict::SyncActive(other));
        }
        if plan.map.state.intake() == Intake::Keep {
            return conflict(StateConflict::MapPaused);
        }
        let problems = check::find_problems(ports, &plan.map, &plan.choice, &ahead).await?;
        plan.accepted = check::accepted(&problems);
        let named =
            |mistake: Mistake| Mistake { message: format!("map {}: {}", plan.map.id, mistake.message), ..mistake };
        blocking.extend(check::blocking(&problems, despite).into_iter().map(named));
    }
    match blocking.is_empty() {
        true => Ok(()),
        false => Err(AppError::Conflict(StateConflict::SyncProblems(blocking))),
    }
}
