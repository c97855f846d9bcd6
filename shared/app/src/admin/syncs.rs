//! Sync runs, as operators start and steer them.

mod check;
mod choose;
mod deletions;
mod in_order;

use std::collections::BTreeMap;

use domain::{
    Map, MapId, RecordKey, SideId,
    id::SyncRunId,
    lane::Attribution,
    map::{Intake, MapCommand, MapState, SideIx},
    record::ContentHash,
    sync::{Finding, FindingState, LegChoice, LookAgain, RunState, Selection, SyncKind, SyncRun},
};

use self::choose::{check_parent, choose};
pub use self::{
    check::SyncProblem,
    deletions::{DecideDeletions, decide_deletions},
    in_order::{StartInOrder, start_in_order},
};
use super::{
    AdminPorts, Caller,
    map_commands::{checked, switch},
    maps,
};
use crate::{
    cas::{self, Round},
    error::{AppError, ResourceKind, StateConflict, Subject},
    ports::{ActiveRun, FindingList, SyncRuns, WorkItems, finding_place, is_waiting_place, waiting_place},
    sync::expect_rows,
};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSync {
    /// What the run is for.
    pub kind: SyncKind,
    /// The side whose record is taken where both have one; default: as in the parent run, or the map's primary side, or its first.
    pub winner: Option<SideId>,
    /// Fields, by the name they have on either side, whose values are taken from a side of their own; default: as in the parent run.
    pub winner_of_field: Option<BTreeMap<String, SideId>>,
    /// What is copied from a side; default: everything.
    pub legs: Vec<(SideId, LegChoice)>,
    /// Which records.
    pub selection: Selection,
    /// The run whose records are selected.
    pub parent: Option<SyncRunId>,
    /// Codes of problems that do not hold up the run: see [`check`].
    pub despite: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Starts a run. An initial sync of a map that does not run starts the map, too.
///
/// # Errors
/// There is no such map, the request has mistakes, another run goes on, or the store does not answer.
pub async fn start<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    wanted: &StartSync,
) -> Result<SyncRun, AppError> {
    let reason = checked(&wanted.reason)?.to_owned();
    let map = maps::get(ports, id).await?;
    let parent = read_parent(ports, id, wanted).await?;
    let choice = choose(&map, wanted, parent.as_ref())?;
    let conflict = |what| Err(AppError::Conflict(what).about(Subject::map(id)));
    if parent.is_some_and(|parent| !parent.is_over()) {
        return conflict(StateConflict::ParentGoesOn);
    }
    if choice.kind.writes() {
        if let Some(other) = find_writing_run(ports, &map).await? {
            return conflict(StateConflict::SyncActive(other));
        }
        if map.state.intake() == Intake::Keep {
            return conflict(StateConflict::MapPaused);
        }
    }
    let mut accepted = Vec::new();
    if choice.kind.writes() {
        let problems = check::find_problems(ports, &map, &choice, &[]).await?;
        let blocking = check::blocking(&problems, &wanted.despite);
        if !blocking.is_empty() {
            return conflict(StateConflict::SyncProblems(blocking));
        }
        accepted = check::accepted(&problems);
    }
    let mut run = SyncRun::new(SyncRunId(ports.fresh_id()), &map, choice, (&caller.name, &reason), ports.now());
    run.start.despite = accepted;
    begin(ports, caller, &map, run).await
}

/// Stores a new run, starts its map if that is to be done now, and wakes a worker.
async fn begin<P: AdminPorts>(ports: &P, caller: &Caller, map: &Map, mut run: SyncRun) -> Result<SyncRun, AppError> {
    expect_rows(ports.runs(), map, &mut run).await?;
    store_new(ports, map, &run).await?;
    start_map(ports, caller, map, &run).await?;
    wake(ports, &run).await;
    Ok(run)
}

/// Stores a run that has done nothing yet.
async fn store_new<P: AdminPorts>(ports: &P, map: &Map, run: &SyncRun) -> Result<(), AppError> {
    if let Err(error) = ports.runs().save_run(map, run, None, &[]).await
        && ports.runs().run(map, run.id).await?.is_none()
    {
        // Another one may have begun since.
        return match find_writing_run(ports, map).await?.filter(|_| run.choice.kind.writes()) {
            Some(other) => Err(AppError::Conflict(StateConflict::SyncActive(other)).about(Subject::map(&map.id))),
            None => Err(super::lost(error)),
        };
    }
    Ok(())
}

/// Starts the map of a run that writes, unless the run waits for its turn. A crash before this leaves a run that says why it does not
/// move: the map does not run.
async fn start_map<P: AdminPorts>(ports: &P, caller: &Caller, map: &Map, run: &SyncRun) -> Result<(), AppError> {
    let is_its_turn = run.choice.kind.writes() && run.start.turn.is_none();
    if is_its_turn && matches!(map.state, MapState::NotRunning | MapState::Stopped) {
        switch(ports, caller, &map.id, MapCommand::Initialize, &run.reason).await?;
    }
    Ok(())
}

/// What stands against a run, or may do so: all of it at once. Asks both apps harmless questions; writes nothing.
///
/// # Errors
/// There is no such map, the request has mistakes, or the store does not answer. That an app does not answer is a problem.
pub async fn check<P: AdminPorts>(ports: &P, id: &MapId, wanted: &StartSync) -> Result<Vec<SyncProblem>, AppError> {
    let map = maps::get(ports, id).await?;
    let parent = read_parent(ports, id, wanted).await?;
    let choice = choose(&map, wanted, parent.as_ref())?;
    check::find_problems(ports, &map, &choice, &[]).await
}

async fn read_parent<P: AdminPorts>(ports: &P, id: &MapId, wanted: &StartSync) -> Result<Option<SyncRun>, AppError> {
    check_parent(wanted)?;
    match wanted.parent {
        Some(parent) => get(ports, id, parent).await.map(Some),
        None => Ok(None),
    }
}

/// The run of a map that writes and is not over.
async fn find_writing_run<P: AdminPorts>(ports: &P, map: &Map) -> Result<Option<SyncRunId>, AppError> {
    let active = ports.runs().active_runs().await?;
    for other in active.into_iter().filter(|other| other.map == map.id) {
        let run = ports.runs().run(map, other.run).await?;
        if run.is_some_and(|run| run.choice.kind.writes() && !run.is_over()) {
            return Ok(Some(other.run));
        }
    }
    Ok(None)
}

/// A run wakes up sooner than the schedule finds it.
async fn wake<P: AdminPorts>(ports: &P, run: &SyncRun) {
    let active = ActiveRun { map: run.map.clone(), run: run.id };
    if let Err(error) = ports.work_items().send(&active, ports.now()).await {
        tracing::warn!(map.id = %run.map, run.id = %run.id, %error, "could not wake the run; the schedule does within a minute");
    }
}

/// One run.
///
/// # Errors
/// There is no such map or run, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, id: &MapId, run: SyncRunId) -> Result<SyncRun, AppError> {
    let map = maps::get(ports, id).await?;
    let found = ports.runs().run(&map, run).await?;
    found.ok_or(AppError::NotFound(ResourceKind::SyncRun)).map_err(|error| error.about(Subject::map(id)))
}

/// How often it is looked whether a run stands, in milliseconds: reading a run that goes on may cost many read units.
const LOOK_EVERY_MS: u64 = 1_000;

/// One run, when it is over or paused, or after so long.
///
/// # Errors
/// As [`get`].
pub async fn wait_for_end<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    run: SyncRunId,
    wait_ms: u64,
) -> Result<SyncRun, AppError> {
    let until = ports.now().plus_ms(wait_ms);
    loop {
        let found = get(ports, id, run).await?;
        let left_ms = until.ms_since(ports.now());
        if found.state != RunState::Running || left_ms == 0 {
            return Ok(found);
        }
        ports.sleep(left_ms.min(LOOK_EVERY_MS)).await;
    }
}

/// Runs among which reruns of a run are looked for: the newest of its map.
const RERUNS_AMONG: usize = 50;

/// The reruns of a run, and their own, oldest first: among the newest 50 runs of the map.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn reruns<P: AdminPorts>(ports: &P, id: &MapId, run: &SyncRun) -> Result<Vec<SyncRun>, AppError> {
    if !run.is_over() {
        return Ok(Vec::new()); // it cannot be the parent of one yet
    }
    let mut found: Vec<SyncRun> = Vec::new();
    for other in list(ports, id, None, RERUNS_AMONG).await?.into_iter().rev() {
        let of = |parent| parent == run.id || found.iter().any(|rerun| rerun.id == parent);
        if other.choice.parent.is_some_and(of) {
            found.push(other);
        }
    }
    Ok(found)
}

/// Runs of a map, newest first, older than `before`.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    before: Option<SyncRunId>,
    limit: usize,
) -> Result<Vec<SyncRun>, AppError> {
    let map = maps::get(ports, id).await?;
    Ok(ports.runs().runs(&map, before, limit).await?)
}

/// What a run has noted, in the order of its list, and the place from which the next page goes on.
///
/// # Errors
/// There is no such map or run, or the store does not answer.
pub async fn findings<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    run: SyncRunId,
    list: FindingList,
    (after, limit): (Option<&str>, usize),
) -> Result<(Vec<Finding>, Option<String>), AppError> {
    let run = get(ports, id, run).await?;
    let mut found = match after.is_some_and(is_waiting_place) {
        true => Vec::new(),
        false => ports.runs().findings(run.id, list, after, limit).await?,
    };
    let mut next = found.last().filter(|_| found.len() == limit).map(finding_place);
    if list == FindingList::LookAgain && next.is_none() {
        let due = run.ended.unwrap_or(ports.now());
        for (place, leg, key) in waiting_places(&run).filter(|(place, ..)| after.is_none_or(|after| **place > *after)) {
            if found.len() == limit {
                break;
            }
            let state = FindingState::LookAgain(LookAgain { due, noted: 0, looks: 0, seen: None });
            found.push(Finding { leg, key: key.clone(), state });
            next = Some(place).filter(|_| found.len() == limit);
        }
    }
    Ok((found, next))
}

/// The rows of a run that wait for their counterparts, with their places in the list of what was not reached.
fn waiting_places(run: &SyncRun) -> impl Iterator<Item = (String, SideIx, &RecordKey)> {
    let waiting = |side: SideIx| run.join.waiting_keys(side).map(move |key| (waiting_place(side, key), side, key));
    SideIx::BOTH.into_iter().flat_map(waiting)
}

/// What an operator does with a run that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunCommand {
    /// It stops for now, and goes on at its page when it is resumed.
    Pause,
    /// It goes on.
    Resume,
    /// It ends. What it has copied stays.
    Cancel,
}

/// Steers a run. A command that it has followed already changes nothing.
///
/// # Errors
/// There is no such map or run, the run is over, or the store does not answer.
pub async fn command<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    run: SyncRunId,
    (command, reason): (RunCommand, &str),
) -> Result<SyncRun, AppError> {
    let reason = checked(reason)?;
    let changed = cas::retry(ports, cas::RECORD, (), |()| async move {
        let map = maps::get(ports, id).await?;
        let found = ports.runs().run(&map, run).await?;
        let found = found.ok_or_else(|| AppError::NotFound(ResourceKind::SyncRun).about(Subject::map(id)))?;
        let wanted = match command {
            RunCommand::Pause => RunState::Paused,
            RunCommand::Resume => RunState::Running,
            RunCommand::Cancel => RunState::Cancelled,
        };
        if found.state == wanted {
            return Ok(Round::Done(found));
        }
        if found.is_over() {
            return Err(AppError::Conflict(StateConflict::SyncOver).about(Subject::map(id)));
        }
        let mut next = SyncRun { state: wanted, version: found.version + 1, lease: None, waits: 0, ..found.clone() };
        let now = ports.now();
        next.steered = Some(Attribution { actor: caller.name.clone(), at: now, reason: reason.to_owned() });
        next.stall = (command == RunCommand::Pause).then(|| domain::sync::Stall {
            since: now,
            why: format!("{} has paused it: {reason}", caller.name),
            side: None,
            until: None,
        });
        if next.is_over() {
            next.ended = Some(now);
            next.forget_rows();
        }
        Ok(match cas::stored(ports.runs().save_run(&map, &next, Some(&found), &[]).await)? {
            Ok(()) => Round::Done(next),
            Err(lost) => Round::Again(lost, ()),
        })
    });
    let changed: SyncRun = changed.await?;
    match command {
        RunCommand::Resume => wake(ports, &changed).await,
        // Changes have flowed since the run began, and go on to.
        RunCommand::Cancel if changed.choice.kind == SyncKind::InitialSync => {
            match switch(ports, caller, id, MapCommand::Initialized, reason).await {
                Ok(_) | Err(AppError::Conflict(_) | AppError::Of { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        RunCommand::Pause | RunCommand::Cancel => {}
    }
    Ok(changed)
}

/// The list that a name in the API means.
#[must_use]
pub fn list_named(name: &str, cause: Option<ContentHash>) -> Option<FindingList> {
    match name {
        "failed" => Some(FindingList::Failed { cause }),
        "differs" => Some(FindingList::Differs),
        "changing" => Some(FindingList::Changing),
        "deletions" => Some(FindingList::Deletions),
        "not_reached" => Some(FindingList::LookAgain),
        _ => None,
    }
}

/// A record's key, as a run is asked for it.
///
/// # Errors
/// It cannot be a key.
pub fn record(key: &str) -> Result<RecordKey, AppError> {
    key.parse().map_err(|says: String| AppError::mistake("selection.key", &says))
}
