//! Operators of a simulated world: they pause, resume in each way, and do everything to entries that can be done.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use app::{
    admin::{
        Caller,
        archive::{self, OnNewer},
        backlog, conflicts,
        lane::{Command, Target, command},
        map_commands::{pause, switch},
        parked,
    },
    error::{AppError, StateConflict},
    ports::Role,
};
use domain::{
    EntryId, MapState,
    lane::ArchiveCause,
    map::{Backlog, MapCommand},
};
use serde_json::json;
use testkit::SimWorld;

/// What operators did, and how often.
#[derive(Debug, Default)]
pub(crate) struct Deeds(Mutex<BTreeMap<String, u64>>);

impl Deeds {
    fn note(&self, what: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(crate) fn kim() -> Caller {
    Caller { name: "kim".to_owned(), role: Role::Operator }
}

/// One thing or another, for a while.
pub(crate) async fn meddles(world: &SimWorld, deeds: &Deeds, deeds_wanted: u64, stops: bool) {
    for _ in 0..deeds_wanted {
        let wait = world.executor.chance(|rng| rng.below(60_000));
        world.executor.sleep(wait).await;
        match world.executor.chance(|rng| rng.below(10)) {
            0..=4 => changes_the_map(world, deeds, stops).await,
            5..=7 => does_something_to_an_entry(world, deeds).await,
            8 => brings_something_back(world, deeds).await,
            _ => reverses_a_conflict(world, deeds).await,
        }
    }
}

async fn changes_the_map(world: &SimWorld, deeds: &Deeds, stops: bool) {
    let id = world.map().map.id;
    let ways = [Backlog::CatchUp, Backlog::CatchUp, Backlog::SkipToLive, Backlog::Discard];
    let way = ways[usize::try_from(world.executor.chance(|rng| rng.below(4))).unwrap()];
    let state = world.map().map.state;
    let what = match state {
        MapState::Stopped => MapCommand::Run,
        _ if stops && world.executor.chance(|rng| rng.below(3)) == 0 => MapCommand::Stop,
        MapState::Paused => MapCommand::Resume(way),
        MapState::CatchingUp if world.executor.chance(|rng| rng.below(2)) == 0 => MapCommand::Resume(way),
        _ => MapCommand::Pause,
    };
    let done = match what {
        MapCommand::Pause => world.invoke(pause(world, &kim(), &id, "to see", 5_000)).await.map(|r| r.map(drop)),
        what => world.invoke(switch(world, &kim(), &id, what, "to see")).await.map(|r| r.map(drop)),
    };
    if matches!(done, Some(Ok(()))) {
        let way = if let MapCommand::Resume(way) = what { format!(" {way:?}") } else { String::new() };
        deeds.note(&format!("{state} {}{way}", what.as_str()));
    }
}

async fn does_something_to_an_entry(world: &SimWorld, deeds: &Deeds) {
    let id = world.map().map.id;
    let listed = world.invoke(parked::list(world, &id, &parked::ParkedFilter::default(), None, 5)).await;
    let parked = match listed {
        Some(Ok((parked, _))) => parked.into_iter().map(|p| (Target { key: p.key, seq: p.entry.seq }, true)).collect(),
        _ => Vec::new(),
    };
    let queued = world.invoke(backlog::list(world, &id, None, None, 5)).await;
    let queued: Vec<_> = match queued {
        Some(Ok((queued, _))) => queued.into_iter().map(|(key, e)| (Target { key, seq: e.seq }, false)).collect(),
        _ => Vec::new(),
    };
    let all: Vec<(Target, bool)> = parked.into_iter().chain(queued).collect();
    let roll = |n: usize| usize::try_from(world.executor.chance(|rng| rng.below(n as u64))).unwrap();
    let Some((target, is_parked)) = (!all.is_empty()).then(|| all[roll(all.len())].clone()) else { return };
    let fixed = json!({"refused": false}).as_object().unwrap().clone();
    let choices = if is_parked {
        vec![
            ("retry", Command::Retry),
            ("edit", Command::Edit(fixed)),
            ("skip", Command::Skip),
            ("revert", Command::Revert),
            ("supersede", Command::Supersede),
            ("acknowledge", Command::Acknowledge),
            ("assign", Command::Assign(Some("ann".to_owned()))),
            ("note", Command::Note),
        ]
    } else {
        vec![
            ("cancel", Command::Cancel),
            ("hold", Command::Hold),
            ("restore", Command::Restore),
            ("retry", Command::Retry),
        ]
    };
    let (name, what) = choices[roll(choices.len())].clone();
    match world.invoke(command(world, &kim(), &id, &target, &what, "to see")).await {
        Some(Ok(())) => deeds.note(name),
        Some(Err(AppError::Conflict(_))) => deeds.note("not possible"),
        _ => {}
    }
}

async fn brings_something_back(world: &SimWorld, deeds: &Deeds) {
    let id = world.map().map.id;
    let Some(Ok((found, _))) =
        world.invoke(archive::list(world, &id, &archive::ArchiveFilter::default(), None, 5)).await
    else {
        return;
    };
    let Some(one) = found.iter().find(|one| may_come_back(one.cause) && one.recovered.is_none()) else { return };
    if let Some(Ok(_)) = world.invoke(archive::recover(world, &kim(), &id, one.id, OnNewer::Keep, "to see")).await {
        deeds.note("recover");
    }
}

async fn reverses_a_conflict(world: &SimWorld, deeds: &Deeds) {
    let id = world.map().map.id;
    let Some(Ok((found, _))) =
        world.invoke(conflicts::list(world, &id, &conflicts::ConflictFilter::default(), None, 3)).await
    else {
        return;
    };
    let Some(one) = found.iter().find(|one| one.reversed.is_none()) else { return };
    if let Some(Ok(_)) = world.invoke(conflicts::reverse(world, &kim(), &id, one.entry, "to see")).await {
        deeds.note("reverse");
    }
}

fn may_come_back(cause: ArchiveCause) -> bool {
    matches!(
        cause,
        ArchiveCause::Skipped | ArchiveCause::Cancelled | ArchiveCause::SkippedToLive | ArchiveCause::Discarded
    )
}

/// At the end of a world, with all faults gone: the map flows again, and what was given up is brought back.
pub(crate) async fn cleans_up(world: &SimWorld) {
    let id = world.map().map.id;
    let flows = match world.map().map.state {
        MapState::Paused => Some(MapCommand::Resume(Backlog::CatchUp)),
        MapState::Stopped => Some(MapCommand::Run),
        _ => None,
    };
    if let Some(flows) = flows {
        switch(world, &kim(), &id, flows, "the end").await.unwrap();
    }
    for _ in 0..20 {
        world.executor.sleep(60_000).await;
        world.sweep().await;
        // Entries that are cancelled are archived when their turn comes.
        let left: Vec<EntryId> = world
            .lanes
            .archive()
            .into_iter()
            .filter(|one| may_come_back(one.cause) && one.recovered.is_none())
            .map(|one| one.id)
            .collect();
        for one in left {
            let mut told = archive::recover(world, &kim(), &id, one, OnNewer::Keep, "the end").await;
            let newer = AppError::Conflict(StateConflict::NewerAccepted);
            if told.as_ref().is_err_and(|why| *why.without_subject() == newer) {
                told = archive::recover(world, &kim(), &id, one, OnNewer::Overwrite, "the end").await;
            }
            told.unwrap();
        }
        let held = parked::list(world, &id, &parked::ParkedFilter::default(), None, 100).await.unwrap().0;
        for parked in held {
            let target = Target { key: parked.key, seq: parked.entry.seq };
            let refused = parked.entry.last_failure.is_some();
            if !refused {
                let _ = command(world, &kim(), &id, &target, &Command::Retry, "the end").await;
            }
        }
    }
}
