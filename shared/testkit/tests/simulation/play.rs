//! Plays one world to its rest.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use domain::{RecordKey, SideIx, record::Image};
use serde_json::json;
use testkit::{
    Bug, JournalFaults, QueueFaults, SimWorld,
    apps::CallFaults,
    users::{Heard, Users},
};

use crate::{
    kind::Kind,
    operator::{Deeds, cleans_up, meddles},
};

/// In this minute of the schedule the triggers stop. It comes ten sweeps after the operators have brought back the last
/// change, and nine sweeps before the end: what a trigger reports last is still written.
const LAST_REPORTS_MINUTE: u64 = 50;
const STEPS: u64 = 2_000_000;
const PEOPLE: u64 = 4;
const EDITS: u64 = 5;
const RECORDS: u64 = 2;
/// So many writes in a thousand come again.
const AGAIN_PER_MILLE: u64 = 150;
/// In every other world, a `sync` caller commits within this time of its answer.
const COMMITS_WITHIN_MS: u64 = 60_000;
const OPERATOR_DEEDS: u64 = 25;

/// A world at rest.
pub(crate) struct Played {
    pub(crate) world: Arc<SimWorld>,
    pub(crate) users: Arc<Users>,
    pub(crate) kind: Kind,
    pub(crate) over: bool,
    pub(crate) deeds: Arc<Deeds>,
}

pub(crate) fn play(seed: u64, kind: Kind) -> Played {
    let mut played = set_up(seed, kind, None);
    played.comes_to_rest();
    played
}

/// A world that has not begun yet, perhaps with a bug in it.
pub(crate) fn set_up(seed: u64, kind: Kind, bug: Option<Bug>) -> Played {
    let mut map = kind.map();
    for side in &mut map.sides {
        side.config.reports_own_writes |= bug == Some(Bug::SilenceIsNotKnown);
    }
    let names = map.sides.each_ref().map(|side| side.id.clone());
    let world = SimWorld::new(seed, map);
    names.iter().for_each(|side| world.apps.with(side, |app| app.silent = kind.silent));
    world.executor.put_in(bug);
    let users = Users::new(Arc::clone(&world));
    users.set_again(AGAIN_PER_MILLE);
    if seed.is_multiple_of(2) {
        users.set_commits_within_ms(COMMITS_WITHIN_MS);
    }
    if kind.terse {
        users.set_terse();
    }
    if kind.faults {
        faults(&world, kind, true);
    }
    let executor = Arc::clone(&world.executor);
    let deeds = Arc::new(Deeds::default());
    if kind.operators {
        world.set_memory_ms(1_000);
        for _ in 0..2 {
            let (world, deeds) = (Arc::clone(&world), Arc::clone(&deeds));
            executor.spawn(async move {
                meddles(&world, &deeds, OPERATOR_DEEDS, kind.stops).await;
            });
        }
    }
    for person in 0..PEOPLE {
        let (world, users) = (Arc::clone(&world), Arc::clone(&users));
        executor.spawn(async move { edits(&world, &users, person, kind).await });
    }
    let closed = Arc::new(AtomicBool::new(false));
    for side in SideIx::BOTH {
        let (world, users, closed) = (Arc::clone(&world), Arc::clone(&users), Arc::clone(&closed));
        executor.spawn(async move { trigger(&world, &users, side, &closed).await });
    }
    for _ in 0..2 {
        let world = Arc::clone(&world);
        executor.spawn(async move {
            for _ in 0..4_000 {
                world.run_woken().await;
                world.executor.sleep(250).await;
            }
        });
    }
    {
        let world = Arc::clone(&world);
        executor.spawn(async move {
            for minute in 0..60 {
                if minute == 20 {
                    faults(&world, kind, false);
                }
                if minute == LAST_REPORTS_MINUTE {
                    closed.store(true, Ordering::SeqCst);
                }
                world.executor.sleep(60_000).await;
                world.sweep().await;
                if minute == 38 && kind.operators {
                    cleans_up(&world).await;
                }
            }
        });
    }
    Played { world, users, kind, over: false, deeds }
}

fn faults(world: &SimWorld, kind: Kind, on: bool) {
    if !on {
        world.set_crashes(0);
        world.lanes.set_faults(JournalFaults::default());
        world.apps.set_faults(CallFaults::default());
        world.queues.set_faults(QueueFaults::default());
        return;
    }
    world.set_crashes(world.executor.chance(|rng| rng.below(30)));
    let some = |most: u64| world.executor.chance(|rng| rng.below(most));
    let freeze = if kind.freezes() { some(8) } else { 0 };
    world.lanes.set_faults(JournalFaults { transient: some(40), lost_answer: some(40), index_lag: some(500), freeze });
    world.queues.set_faults(QueueFaults { transient: some(50), lost: some(200), doubled: some(200), unreadable: 0 });
    let calls = CallFaults {
        not_applied: some(150),
        unknown_without_effect: some(100),
        unknown_with_effect: some(100),
        unknown_late: some(100),
        slow_ms: some(1_000),
    };
    world.apps.set_faults(calls);
}

async fn edits(world: &SimWorld, users: &Users, person: u64, kind: Kind) {
    for edit in 0..EDITS {
        let chance = |n: u64| world.executor.chance(|rng| rng.below(n));
        world.executor.sleep(chance(if chance(2) == 0 { 400 } else { 90_000 })).await;
        let key: RecordKey = format!("C-{}", chance(RECORDS)).parse().unwrap();
        let side = if chance(2) == 0 { SideIx::First } else { SideIx::Second };
        let refused = kind.refusals && chance(6) == 0;
        let image = if kind.silent {
            coloured(side, edit)
        } else {
            image(side, person, edit, refused, chance(10) == 0 && kind.deletes())
        };
        if chance(2) == 0 {
            users.edit_sync(side, &key, image).await;
        } else {
            users.edit_committed(side, &key, image).await;
        }
    }
}

/// A record in one of two colours: what a user sets is often what Tandem wrote before.
fn coloured(side: SideIx, edit: u64) -> Image {
    let colour = if edit.is_multiple_of(2) { "red" } else { "blue" };
    let record = match side {
        SideIx::First => json!({"Name": colour, "Limit": 1, "OnHold": "Yes", "refused": false}),
        SideIx::Second => json!({"name": colour, "limit": 1, "hold": true, "refused": false}),
    };
    Image::Present(record.as_object().unwrap().clone())
}

fn image(side: SideIx, person: u64, edit: u64, refused: bool, delete: bool) -> Image {
    if delete && !refused {
        return Image::Absent;
    }
    let (name, limit) = (format!("p{person}e{edit}"), edit * 10);
    let record = match side {
        SideIx::First => json!({"Name": name, "Limit": limit, "OnHold": "Yes", "refused": refused}),
        SideIx::Second => json!({"name": name, "limit": limit, "hold": true, "refused": refused}),
    };
    Image::Present(record.as_object().unwrap().clone())
}

/// Reports every change of an app, until the app has been left alone for a while and nothing is left to report.
async fn trigger(world: &SimWorld, users: &Users, side: SideIx, closed: &AtomicBool) {
    for _ in 0..30_000 {
        if !users.report(side).await {
            if closed.load(Ordering::SeqCst) {
                return;
            }
            let ms = world.executor.chance(|rng| rng.below(1_500));
            world.executor.sleep(ms).await;
        }
    }
}

impl Played {
    pub(crate) fn comes_to_rest(&mut self) {
        self.over = self.world.executor.run(STEPS);
    }

    /// What happened, to be read when a check fails.
    pub(crate) fn story(&self) -> String {
        let mut lines = Vec::new();
        for Heard { id, key, origin, version, mode, says, sent, answered, answer, .. } in self.users.heard() {
            lines.push(format!("{sent} {answered} {origin} {key} {id} {mode:?} row {version:?}: {says}: {answer:?}"));
        }
        for side in &self.world.map().sides {
            self.world.apps.with(&side.id, |app| {
                lines.extend(app.effects.iter().map(|effect| format!("{}: {effect:?}", side.id)));
                lines.extend(app.changes.iter().map(|change| format!("{}: {change:?}", side.id)));
                lines.extend(app.records.iter().map(|(key, row)| format!("{} {key} = {row:?}", side.id)));
                lines.push(format!("{}: {} reports left", side.id, app.outbox.len()));
            });
        }
        for (lane, entry) in self.world.lanes.journal() {
            lines.push(format!("{}: {entry:?}", lane.key));
        }
        for (lane, head) in self.world.lanes.heads() {
            lines.push(format!("{}: {head:?}", lane.key));
        }
        lines.join("\n")
    }
}
