//! The crash matrix: every use case, crashed at every point where it waits (before and after each call of a port), in
//! turn. Afterwards the caller repeats, the sweep comes, and everything must hold as if nothing had happened.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

mod alerts;
mod cases;
mod settings;
mod syncs;

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::{
    admin::{
        archive::{self, OnNewer},
        conflicts,
        lane::{Command, Target, command},
        map_commands::{pause, switch},
        parked,
    },
    drain::{drain_map, probe_map, run_lane, sweep},
    ports::{LaneKey, Ports},
    request::WriteRequest,
    write::{WriteError, write},
};
use domain::{
    RecordKey, SideIx,
    lane::ArchiveCause,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::{Value, json};
use testkit::{CrashedIn, SimWorld, sample, users::Users};

use self::cases::{CASES, Case};
use crate::{
    check,
    covered::Covered,
    kind::Kind,
    operator::{Deeds, cleans_up, kim},
    play::Played,
};

const STEPS: u64 = 500_000;
/// A queue has forgotten its pointers by then.
const FIFTEEN_DAYS_MS: u64 = 15 * 24 * 60 * 60 * 1_000;
/// Of [`Stage::backlog`].
const BACKLOG: usize = 6;

fn key(n: u32) -> RecordKey {
    format!("C-{n}").parse().unwrap()
}

fn record(name: &str, refused: bool) -> Image {
    Image::Present(json!({"Name": name, "Limit": 1, "OnHold": "No", "refused": refused}).as_object().unwrap().clone())
}

struct Stage {
    world: Arc<SimWorld>,
    users: Arc<Users>,
}

impl Stage {
    async fn commits(&self, n: u32, name: &str, refused: bool) {
        self.users.edit_committed(SideIx::First, &key(n), record(name, refused)).await;
        while self.users.report(SideIx::First).await {}
    }

    async fn map(&self, what: MapCommand) {
        let id = self.world.map().map.id;
        switch(&*self.world, &kim(), &id, what, "the stage is set").await.unwrap();
    }

    async fn backlog(&self) {
        self.map(MapCommand::Pause).await;
        for n in 0..3 {
            self.commits(n, "one", false).await;
            self.commits(n, "two", false).await;
        }
    }

    /// One record is parked, with another change behind it.
    async fn parked(&self) {
        self.commits(0, "refused", true).await;
        self.commits(0, "next", false).await;
    }

    async fn set(&self, case: Case) {
        match case {
            Case::WriteDirect
            | Case::WriteAndThenAPause
            | Case::WriteRefused
            | Case::CommittedWriteRefused
            | Case::WriteWithoutOrigin
            | Case::Pause => {}
            Case::WriteBehindAnother => self.parked().await,
            Case::WriteWhilePaused => self.map(MapCommand::Pause).await,
            Case::WriteWhileStopped => self.map(MapCommand::Stop).await,
            Case::WriteThatCrosses | Case::Reverse => {
                // crm has a change that finance has not seen, and the other way round.
                self.map(MapCommand::Pause).await;
                self.users
                    .edit_committed(
                        SideIx::Second,
                        &key(0),
                        Image::Present(
                            json!({"name": "crm's", "limit": 5, "hold": false, "refused": false})
                                .as_object()
                                .unwrap()
                                .clone(),
                        ),
                    )
                    .await;
                while self.users.report(SideIx::Second).await {}
                if case == Case::Reverse {
                    self.commits(0, "finance's", false).await;
                }
                self.map(MapCommand::Resume(Backlog::CatchUp)).await;
                if case == Case::Reverse {
                    self.rests().await;
                }
            }
            Case::Report => {
                self.users.edit_committed(SideIx::First, &key(0), record("a", false)).await;
                while self.users.report(SideIx::First).await {}
            }
            Case::SweepALongPause => {
                self.backlog().await;
                self.world.executor.sleep(FIFTEEN_DAYS_MS).await;
            }
            Case::DrainABacklog | Case::RunLane | Case::Sweep => {
                self.backlog().await;
                self.map(MapCommand::Resume(Backlog::CatchUp)).await;
            }
            Case::DrainAndSkip => {
                self.backlog().await;
                self.map(MapCommand::Resume(Backlog::SkipToLive)).await;
            }
            Case::Resume | Case::CancelNext | Case::CancelLater | Case::SweepWhilePaused | Case::Probe => {
                self.backlog().await;
            }
            Case::SkipToLive => {
                self.backlog().await;
                self.map(MapCommand::Resume(Backlog::CatchUp)).await;
            }
            Case::Retry
            | Case::Edit
            | Case::Hold
            | Case::Skip
            | Case::Revert
            | Case::Supersede
            | Case::Acknowledge
            | Case::RetryAll => self.parked().await,
            Case::Recover | Case::RecoverAll => {
                self.backlog().await;
                self.map(MapCommand::Resume(Backlog::Discard)).await;
                self.rests().await;
            }
        }
    }

    async fn comes_to_rest(&self) {
        for _ in 0..5 {
            self.world.run_woken().await;
            self.world.executor.sleep(60_000).await;
            self.world.sweep().await;
            for side in SideIx::BOTH {
                while self.users.report(side).await {}
            }
        }
    }

    async fn rests(&self) {
        for _ in 0..5 {
            self.world.executor.sleep(60_000).await;
            self.world.sweep().await;
        }
    }

    /// Does it once; whether it was finished. What is told apart is only crashed or not: an operator who is told that it
    /// is so already is satisfied.
    async fn act(&self, case: Case, id: &str) -> bool {
        let world = &*self.world;
        let map = world.map().map.id;
        let until = world.now().plus_ms(240_000);
        let from = |key: &RecordKey, image: &Image, mode: &str| {
            let Image::Present(record) = image else { unreachable!() };
            let before = world.apps.with(&"finance".parse().unwrap(), |app| app.image(key));
            let before = if let Image::Present(record) = before { json!(record) } else { Value::Null };
            json!({"id": id, "map": map, "key": key, "origin": "finance", "mode": mode, "record": record, "before": before})
        };
        let target = |n: u32, seq: u64| Target { key: key(n), seq };
        let on = async |n: u32, seq: u64, what: Command| {
            world.invoke(command(world, &kim(), &map, &target(n, seq), &what, "why")).await.is_some()
        };
        let writes = async |request: Value| {
            let request = WriteRequest::from_value(request).unwrap();
            matches!(world.invoke(write(world, &request)).await, Some(told) if told != Err(WriteError::InProgress))
        };
        match case {
            Case::WriteDirect | Case::WriteAndThenAPause => {
                writes(self.saved(from(&key(0), &record("a", false), "committed"))).await
            }
            Case::WriteBehindAnother | Case::WriteWhilePaused | Case::WriteThatCrosses => {
                writes(self.saved(from(&key(0), &record("b", false), "committed"))).await
            }
            Case::WriteWhileStopped => writes(from(&key(0), &record("a", false), "sync")).await,
            Case::WriteRefused => writes(from(&key(0), &record("a", true), "sync")).await,
            Case::CommittedWriteRefused => writes(self.saved(from(&key(0), &record("a", true), "committed"))).await,
            Case::WriteWithoutOrigin => {
                let Image::Present(record) = record("a", false) else { unreachable!() };
                writes(json!({"id": id, "map": map, "key": key(0), "record": record})).await
            }
            Case::Report => {
                self.users.report(SideIx::Second).await;
                true
            }
            Case::DrainABacklog | Case::DrainAndSkip => world.invoke(drain_map(world, &map, until)).await.is_some(),
            Case::RunLane => {
                let lane = LaneKey { map, key: key(0) };
                world.invoke(run_lane(world, &lane, until)).await.is_some()
            }
            Case::Probe => world.invoke(probe_map(world, &map)).await.is_some(),
            Case::Sweep | Case::SweepWhilePaused | Case::SweepALongPause => {
                world.invoke(sweep(world, until)).await.is_some()
            }
            Case::Pause => world.invoke(pause(world, &kim(), &map, "why", 5_000)).await.is_some(),
            Case::Resume => {
                let what = MapCommand::Resume(Backlog::CatchUp);
                world.invoke(switch(world, &kim(), &map, what, "why")).await.is_some()
            }
            Case::SkipToLive => {
                let what = MapCommand::Resume(Backlog::SkipToLive);
                world.invoke(switch(world, &kim(), &map, what, "why")).await.is_some()
            }
            Case::Retry => on(0, 1, Command::Retry).await,
            Case::Edit => on(0, 1, Command::Edit(json!({"refused": false}).as_object().unwrap().clone())).await,
            Case::Hold => on(0, 1, Command::Hold).await,
            Case::Skip => on(0, 1, Command::Skip).await,
            Case::Revert => on(0, 1, Command::Revert).await,
            Case::Supersede => on(0, 1, Command::Supersede).await,
            Case::CancelNext => on(1, 1, Command::Cancel).await,
            Case::CancelLater => on(1, 2, Command::Cancel).await,
            Case::Acknowledge => on(0, 1, Command::Acknowledge).await,
            Case::RetryAll => {
                let filter = parked::ParkedFilter::default();
                world
                    .invoke(parked::apply_to_page(world, &kim(), &map, parked::BulkAction::Retry, &filter, None, "why"))
                    .await
                    .is_some()
            }
            Case::Recover => {
                let one = world.lanes.archive().into_iter().find(|one| one.cause == ArchiveCause::Discarded).unwrap();
                world.invoke(archive::recover(world, &kim(), &map, one.id, OnNewer::Keep, "why")).await.is_some()
            }
            Case::RecoverAll => {
                let cause = ArchiveCause::Discarded;
                world.invoke(archive::recover_all(world, &kim(), &map, cause, None, "why")).await.is_some()
            }
            Case::Reverse => {
                let one = world.lanes.all_conflicts().into_iter().next().unwrap();
                world.invoke(conflicts::reverse(world, &kim(), &map, one.entry, "why")).await.is_some()
            }
        }
    }

    /// What the act itself must have left, whether or not it was crashed before.
    fn check_what_was_done(&self, case: Case) {
        let world = &self.world;
        match case {
            Case::WriteWhileStopped => assert!(world.lanes.skipped() > 0, "what is skipped is counted"),
            Case::SweepALongPause => {
                let pointers = world.queues.messages(world.map().map.uid);
                assert_eq!(pointers, BACKLOG, "every change that is kept is pointed to again");
            }
            Case::RecoverAll => {
                let archived = world.lanes.archive();
                assert!(
                    archived.len() == BACKLOG && archived.iter().all(|one| one.recovered.is_some()),
                    "{archived:?}"
                );
            }
            _ => {}
        }
    }

    /// The origin has the change already.
    fn saved(&self, request: Value) -> Value {
        let key: RecordKey = request["key"].as_str().unwrap().parse().unwrap();
        let image = Image::Present(request["record"].as_object().unwrap().clone());
        let now = self.world.now();
        self.world.apps.with(&"finance".parse().unwrap(), |app| {
            if app.image(&key) != image {
                app.change(&key, image, now);
            }
        });
        request
    }
}

/// Plays a case, crashed at a point (`None`: not at all). How many points it has, and where it crashed.
fn play(case: Case, capability: Capability, point: Option<u64>) -> (u64, Option<CrashedIn>) {
    let world = SimWorld::new(17, sample::running(capability));
    let users = Users::new(Arc::clone(&world));
    let crashed = Arc::new(Mutex::new(None));
    let points = Arc::new(AtomicU64::new(0));
    {
        let stage = Stage { world: Arc::clone(&world), users: Arc::clone(&users) };
        let (crashed, points) = (Arc::clone(&crashed), Arc::clone(&points));
        world.executor.spawn(async move {
            let world = &stage.world;
            stage.set(case).await;
            let id = ulid::Ulid(world.fresh_id()).to_string();
            world.crash_at_point(point);
            let finished = stage.act(case, &id).await;
            points.store(world.points(), Ordering::SeqCst);
            *crashed.lock().unwrap() = world.crashed_in();
            world.crash_at_point(None);
            if !finished {
                if case == Case::WriteAndThenAPause {
                    stage.map(MapCommand::Pause).await;
                }
                world.executor.sleep(200_000).await; // the lease of what crashed ends
                assert!(stage.act(case, &id).await, "{case:?} is not answered after a crash at point {point:?}");
            }
            stage.check_what_was_done(case);
            stage.comes_to_rest().await;
            cleans_up(world).await;
            stage.comes_to_rest().await;
        });
    }
    let over = world.executor.run(STEPS);
    let probes = case == Case::Probe;
    let kind = Kind { refusals: true, faults: false, operators: true, probes, ..Kind::faulty(capability) };
    let played = Played { world, users, kind, over, deeds: Arc::new(Deeds::default()) };
    check::check(&played).unwrap_or_else(|wrong| {
        panic!("{case:?} of {capability:?} apps, crashed at point {point:?}: {wrong}\n{}", played.story())
    });
    (points.load(Ordering::SeqCst), *crashed.lock().unwrap())
}

#[test]
fn every_use_case_may_crash_at_every_point() {
    let mut out = String::new();
    let mut all = 0;
    let mut covered = Covered::default();
    for case in CASES {
        for capability in [Capability::Idempotent, Capability::Versioned, Capability::Plain] {
            let (points, _) = play(case, capability, None);
            assert!(points > 0, "{case:?} never waits");
            let crashes: Vec<_> = (0..points).filter_map(|point| play(case, capability, Some(point)).1).collect();
            crashes.iter().for_each(|crash| covered.note(*crash));
            let crashes = crashes.len();
            assert_eq!(crashes as u64, points, "{case:?}: a point was not reached");
            all += crashes;
            if capability == Capability::Idempotent {
                out.push_str(&format!(" {case:?} {crashes}"));
            }
        }
    }
    for (crashes, of_cases) in [alerts::crashes(), settings::crashes(), syncs::crashes()] {
        crashes.iter().for_each(|crash| covered.note(*crash));
        all += crashes.len();
        out.push_str(&of_cases);
    }
    // Past libtest's capture: whoever runs this sees what it covered.
    let _ = writeln!(std::io::stderr(), "crash matrix: {all} crashes, one at every point where a use case waits:{out}");
    assert!(all >= 1_800, "only {all} crashes: the matrix has lost cases");
    let gaps = covered.gaps();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}
