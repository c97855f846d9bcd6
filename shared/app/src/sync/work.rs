//! One worker of a run: takes steps until its time is up.

use domain::{
    Failure, Owner, Timestamp,
    failure::backoff_ms,
    map::{Intake, MapAnswer, MapCommand, MapState, SideIx},
    mapping::FieldWinners,
    sync::{ComparedBy, LookAgain, RunPhase, RunState, Stall, SyncKind, SyncRun},
};

use super::{
    deletion, doubt, look, page,
    select::{self, FailedBefore},
    step::{Draft, StepEnd, Wait},
    turn,
};
use crate::{
    admin::map_commands::QUIET_AFTER_MS,
    cas::RetriesExhausted,
    drain::Pace,
    map_state::{Decision, OnStale, change_state},
    ports::{
        ActiveRun, CommitError, Config, FINDINGS_AT_ONCE, Lanes, PortError, SyncMap, SyncPorts, SyncRuns, WorkItems,
    },
};

/// How long a worker has a run to itself after its last commit, in milliseconds. Nothing rests on it: two workers do what one
/// would.
const LEASE_MS: u64 = 90_000;
/// How long an app is left alone that has shown nothing but strain, in milliseconds.
const GIVEN_UP_MS: u64 = 30_000;
/// How long a worker waits when the store does not answer, in milliseconds.
const STORE_WAIT_MS: u64 = 1_500;
/// The worker waits itself for what comes so soon.
const WAIT_HERE_MS: u64 = 2_000;

/// How a worker left a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkEnd {
    /// Nothing is left to do, or an operator is asked.
    Over,
    /// It goes on then.
    GoesOn(Timestamp),
    /// Another worker has it, or it waits: a message for that time is on its way.
    NotOurs,
}

/// A worker and the run as it is stored.
pub(super) struct Worker<'a, P: SyncPorts> {
    pub(super) ports: &'a P,
    pub(super) map: &'a SyncMap,
    pub(super) run: SyncRun,
    pub(super) pace: &'a Pace,
    /// Whose values are taken.
    pub(super) winners: FieldWinners,
    /// What failed in the runs that the selection refers to.
    pub(super) failed_before: Vec<FailedBefore>,
    /// By what rows are compared.
    compared_by: ComparedBy,
    owner: Owner,
    until: Timestamp,
}

impl<P: SyncPorts> Worker<'_, P> {
    pub(super) fn is_out_of_time(&self) -> bool {
        self.ports.now() >= self.until
    }

    /// The run waits for an app.
    pub(super) fn trouble(&self, side: SideIx, failure: &Failure) -> StepEnd {
        let until = self.ports.now().plus_ms(backoff_ms(self.run.waits + 3, failure.retry_after_ms));
        let name = &self.map.config.side(side).side;
        let why = format!("{name} does not take records: {} ({})", failure.message, failure.class);
        StepEnd::Wait(Wait { until, why: Some(why), side: Some(side) })
    }

    /// The run waits for the map.
    pub(super) fn map_does_not_write(&self) -> StepEnd {
        let map = &self.map.map;
        let why = format!("the map is {} since {}, by {}: {}", map.state, map.since, map.actor, map.reason);
        let until = self.ports.now().plus_ms(30_000);
        StepEnd::Wait(Wait { until, why: Some(why), side: None })
    }

    /// Stores the next state of the run. [`StepEnd::Ask`] is not among the answers; `Wait` means that another worker, or an
    /// operator, has changed it: it is read again.
    pub(super) async fn commit(&mut self, mut draft: Draft) -> Result<StepEnd, PortError> {
        let now = self.ports.now();
        draft.run.lease = (!draft.run.is_over()).then(|| (self.owner, now.plus_ms(LEASE_MS)));
        if draft.run.state == RunState::Running {
            draft.run.stall = None;
        }
        let ended = draft.run.ended_rows();
        draft.run.speed.note(now, ended);
        debug_assert!(draft.run.adds_up(), "{:?} {:?}", draft.run.counts, draft.run.causes);
        self.store(draft).await
    }

    async fn store(&mut self, draft: Draft) -> Result<StepEnd, PortError> {
        let stored = self.ports.runs().save_run(&self.map.map, &draft.run, Some(&self.run), &draft.changes).await;
        match stored {
            Ok(()) => {}
            Err(CommitError::Port(error @ PortError::Permanent(_))) => return Err(error),
            Err(error) => {
                let found = self.ports.runs().run(&self.map.map, self.run.id).await?;
                if found.as_ref() != Some(&draft.run) {
                    let wait_ms = if matches!(error, CommitError::Port(_)) { STORE_WAIT_MS } else { 0 };
                    let until = self.ports.now().plus_ms(wait_ms);
                    return Ok(StepEnd::Wait(Wait { until, why: None, side: None }));
                }
            }
        }
        self.run = draft.run;
        Ok(StepEnd::Moved)
    }

    /// Whether the map, or a side, was changed since the worker read it.
    pub(super) async fn is_outdated(&self) -> Result<bool, PortError> {
        let again = self.ports.config().map(&self.map.map.id).await?;
        Ok(again.is_none_or(|again| versions(&again) != versions(self.map)))
    }

    /// The map, or a side, was changed since rows were read that wait: none of them is compared with a row that is read now.
    async fn adopt_settings(&mut self) -> Result<StepEnd, PortError> {
        let (mut draft, now) = (Draft::of(&self.run), self.ports.now());
        for (side, key) in draft.run.adopt(self.compared_by, now, FINDINGS_AT_ONCE) {
            draft.look_again(side, &key, LookAgain::first(now));
        }
        self.commit(draft).await
    }

    async fn step(&mut self) -> Result<StepEnd, PortError> {
        if let Some(turn) = self.run.start.turn.clone() {
            return turn::wait_for_turn(self, &turn).await;
        }
        match self.run.memory.compared_by {
            Some(known) if known != self.compared_by => return self.adopt_settings().await,
            // Nothing was read yet: it is stored with the first commit.
            None => self.run.memory.compared_by = Some(self.compared_by),
            Some(_) => {}
        }
        let writes = self.run.choice.kind.writes();
        if writes && self.map.state.intake() != Intake::Write {
            return Ok(self.map_does_not_write());
        }
        if !matches!(self.run.choice.kind, SyncKind::DryRun | SyncKind::RejectDeletions)
            && let Some(wait) = self.wait_for_skipped_callers().await?
        {
            return Ok(StepEnd::Wait(wait));
        }
        match self.run.phase {
            RunPhase::Selecting => select::select_next(self).await,
            RunPhase::Listing => page::read_next_page(self).await,
            RunPhase::Looking => match look::look_at_due(self).await? {
                StepEnd::Done => deletion::supersede_earlier(self).await,
                other => Ok(other),
            },
        }
    }

    /// A `sync` caller whose change was skipped, because the map did not run yet, may not have committed it: its app shows the
    /// older record until then, and nobody reports the change again. So nothing is read before.
    async fn wait_for_skipped_callers(&self) -> Result<Option<Wait>, PortError> {
        let (now, map) = (self.ports.now(), &self.map.map);
        let known_everywhere = map.since.plus_ms(QUIET_AFTER_MS);
        if now < known_everywhere {
            return Ok(Some(Wait { until: known_everywhere, why: None, side: None }));
        }
        let sides = [&self.map.sides[0].config, &self.map.sides[1].config];
        let longest = sides.iter().map(|side| side.longest_transaction_ms).max().unwrap_or(0);
        let until = known_everywhere.plus_ms(longest);
        if now >= until || self.ports.lanes().skipped(map).await? == 0 {
            return Ok(None);
        }
        let why = "the map has skipped changes before it ran: their callers may not have committed them yet";
        Ok(Some(Wait { until, why: Some(why.to_owned()), side: None }))
    }

    async fn finish(&mut self) -> Result<StepEnd, PortError> {
        if self.run.choice.kind == SyncKind::InitialSync {
            end_initializing(self.ports, self.map).await?;
        }
        let mut draft = Draft::of(&self.run);
        (draft.run.state, draft.run.ended) = (RunState::Finished, Some(self.ports.now()));
        draft.run.forget_rows();
        self.commit(draft).await
    }

    /// Stops the run for now: an operator has to look at its source.
    pub(super) fn doubt(&self, draft: &mut Draft, why: String, side: SideIx) {
        let side = Some(self.map.config.side(side).side.clone());
        draft.run.state = RunState::Paused;
        draft.run.stall = Some(Stall { since: self.ports.now(), why, side, until: None });
    }

    /// Notes why the run does not move.
    async fn note_stall(&mut self, wait: &Wait, asks: bool) -> Result<StepEnd, PortError> {
        let mut draft = Draft::of(&self.run);
        draft.run.waits = draft.run.waits.saturating_add(1);
        let now = self.ports.now();
        // An operator is asked from now on, however long the run has waited before.
        let since = self.run.stall.as_ref().filter(|_| !asks).map_or(now, |stall| stall.since);
        draft.run.stall = wait.why.as_ref().map(|why| Stall {
            since,
            why: why.clone(),
            side: wait.side.map(|side| self.map.config.side(side).side.clone()),
            until: (!asks).then_some(wait.until),
        });
        if asks {
            draft.run.state = RunState::Paused;
        }
        draft.run.lease = None;
        self.store(draft).await
    }
}

/// Works on a run until it is over, or the time is up. Sends a work item for what is left.
///
/// # Errors
/// The store does not answer. The schedule has another worker go on.
pub async fn work<P: SyncPorts>(ports: &P, active: &ActiveRun, until: Timestamp) -> Result<WorkEnd, PortError> {
    let end = work_on(ports, active, until).await?;
    if let WorkEnd::GoesOn(due) = end {
        ports.work_items().send(active, due).await?;
    }
    Ok(end)
}

async fn work_on<P: SyncPorts>(ports: &P, active: &ActiveRun, until: Timestamp) -> Result<WorkEnd, PortError> {
    let (owner, pace) = (Owner(ports.fresh_id()), Pace::default());
    loop {
        let Some(map) = ports.config().fresh_map(&active.map).await? else {
            ports.runs().forget_active(active).await?;
            return Ok(WorkEnd::Over);
        };
        let Some(run) = ports.runs().run(&map.map, active.run).await? else {
            ports.runs().forget_active(active).await?;
            return Ok(WorkEnd::Over);
        };
        let now = ports.now();
        if run.state != RunState::Running {
            return Ok(WorkEnd::Over);
        }
        if run.lease.is_some_and(|(holder, ends)| holder != owner && ends > now) {
            return Ok(WorkEnd::NotOurs);
        }
        // A message may come early, doubled, or for a wait that another worker has begun. When the wait is over, its own message
        // comes, or the sweep.
        let stalled_until = run.stall.as_ref().and_then(|stall| stall.until).filter(|until| *until > now);
        if let Some(stalled_until) = stalled_until {
            if stalled_until > now.plus_ms(WAIT_HERE_MS) || stalled_until > until {
                return Ok(WorkEnd::NotOurs);
            }
            ports.sleep(stalled_until.ms_since(now)).await;
            continue;
        }
        let compared_by = ComparedBy::of(&map.config, map.sides.each_ref().map(|side| &side.config));
        let chosen = run.choice.winners(&map.config);
        let winners = chosen.clone().unwrap_or_else(|_| FieldWinners::all(&map.config, run.choice.winner));
        let failed_before = select::find_failed_before(ports, &map.map, &run).await?;
        let mut worker =
            Worker { ports, map: &map, run, pace: &pace, winners, failed_before, compared_by, owner, until };
        if now >= until || pace.gives_up(now) {
            let due = if now >= until { now } else { now.plus_ms(GIVEN_UP_MS) };
            worker.release().await?;
            return Ok(WorkEnd::GoesOn(due));
        }
        if let Err(mistakes) = chosen {
            let why = Some(doubt::describe_winners(&mistakes));
            worker.note_stall(&Wait { until: now, why, side: None }, true).await?;
            continue;
        }
        let end = loop {
            // A map that changes in the meantime is read again with the next step.
            match worker.step().await? {
                StepEnd::Moved if !worker.is_out_of_time() && worker.run.state == RunState::Running => {
                    worker.run.waits = 0; // stored with the next commit
                    if worker.is_outdated().await? {
                        break StepEnd::Moved;
                    }
                }
                end => break end,
            }
        };
        match end {
            StepEnd::Moved => {}
            StepEnd::Done => {
                worker.finish().await?;
            }
            StepEnd::Ask(why, side) => {
                let wait = Wait { until: now, why: Some(why), side };
                worker.note_stall(&wait, true).await?;
            }
            StepEnd::Wait(wait) => {
                let due = wait.until;
                if wait.why.is_some() {
                    worker.note_stall(&wait, false).await?;
                }
                let now = ports.now();
                if due > now.plus_ms(WAIT_HERE_MS) || due > until {
                    worker.release().await?;
                    return Ok(WorkEnd::GoesOn(due));
                }
                ports.sleep(due.ms_since(now)).await;
            }
        }
    }
}

impl<P: SyncPorts> Worker<'_, P> {
    /// Lets others have the run.
    async fn release(&mut self) -> Result<(), PortError> {
        if self.run.lease.is_some() {
            let mut draft = Draft::of(&self.run);
            draft.run.lease = None;
            self.store(draft).await?;
        }
        Ok(())
    }
}

/// The map of a run that is through begins to run.
async fn end_initializing<P: SyncPorts>(ports: &P, map: &SyncMap) -> Result<(), PortError> {
    let decide = || async move {
        let found = ports.config().fresh_map(&map.map.id).await?;
        let Some(found) = found.filter(|found| found.map.state == MapState::Initializing) else {
            return Ok(Decision::Stay(()));
        };
        let reason = "the initial sync is through";
        Ok::<_, StateError>(match found.map.decide(MapCommand::Initialized, "tandem", reason, ports.now()) {
            MapAnswer::Changed(next) => Decision::change(found.map, next),
            MapAnswer::Already | MapAnswer::Illegal => Decision::Stay(()),
        })
    };
    change_state(ports, OnStale::ReadAgain, decide).await.map(drop).map_err(|StateError(error)| error)
}

/// Why a map could not be changed.
pub(super) struct StateError(pub(super) PortError);

impl From<PortError> for StateError {
    fn from(error: PortError) -> Self {
        Self(error)
    }
}

impl From<RetriesExhausted> for StateError {
    fn from(lost: RetriesExhausted) -> Self {
        Self(lost.into())
    }
}

/// Tells whether a map or its sides were changed.
fn versions(map: &SyncMap) -> (u64, [u64; 2]) {
    (map.map.version, map.sides.each_ref().map(|side| side.version))
}
