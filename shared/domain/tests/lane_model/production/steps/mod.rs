//! Everything that can happen next. Reading the head and setting it by compare-and-set is one step: a set that fails
//! changes nothing.

mod admission;
mod attempt;
mod copy;
mod lane;
mod users;

use domain::{SideIx, Timestamp};

use super::{
    app::Caller,
    setup::{A, B, TICK_MS, Value, World},
    state::State,
    violation::Violation,
};

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Action {
    Saves(SideIx, Value),
    SavesInTransaction(SideIx, Value),
    RepeatsItsCall(SideIx),
    Commits(SideIx),
    Reports(SideIx),

    Claims(u64),
    Parks(u64),
    Reads(SideIx),
    Compares(SideIx),
    Announces(SideIx),
    Calls(SideIx),
    MeetsALock(SideIx),
    Settles(u64),
    Dies,

    AsksForHead(usize),
    AsksForRow(usize, SideIx),
    Copies(usize),
    CopiesNothing(usize),
    LooksAgain(usize),

    Resumes,
    OperatorCopies(SideIx),
    Ticks,
    TimePasses(Timestamp),
}

impl Action {
    /// Nobody can count on these.
    pub(crate) fn is_fault(self) -> bool {
        matches!(self, Self::Dies | Self::Ticks)
    }
}

pub(crate) struct Step {
    pub action: Action,
    pub next: State,
    pub violation: Option<Violation>,
}

/// The steps out of one state.
pub(super) struct Steps<'a> {
    world: &'a World<'a>,
    state: &'a State,
    found: Vec<Step>,
}

pub(crate) fn find_steps(world: &World<'_>, state: &State) -> Vec<Step> {
    let mut steps = Steps { world, state, found: Vec::new() };
    steps.attempt();
    steps.lane();
    [A, B].into_iter().for_each(|side| steps.callers(side));
    steps.runs();
    if steps.found.is_empty() {
        steps.wait();
    }
    [A, B].into_iter().for_each(|side| steps.edit(side));
    steps.recover();
    steps.tick();
    steps.die();
    steps.found
}

impl Steps<'_> {
    fn step(&mut self, action: Action, change: impl FnOnce(&mut State)) {
        self.judged_step(action, |next| {
            change(next);
            None
        });
    }

    /// A step that can be made only if the change says so.
    fn step_if(&mut self, action: Action, change: impl FnOnce(&mut State) -> Option<()>) {
        let mut next = self.state.clone();
        if change(&mut next).is_some() {
            self.found.push(Step { action, next, violation: None });
        }
    }

    fn judged_step(&mut self, action: Action, change: impl FnOnce(&mut State) -> Option<Violation>) {
        let mut next = self.state.clone();
        let violation = change(&mut next);
        self.found.push(Step { action, next, violation });
    }

    /// Time may pass at any moment, so often.
    fn tick(&mut self) {
        let now = self.state.now.plus_ms(TICK_MS);
        if self.state.ticks_left > 0 && self.may_be(now) && !self.state.is_quiet(self.world.setup) {
            self.step(Action::Ticks, |next| {
                next.now = now;
                next.ticks_left -= 1;
            });
        }
    }

    /// Neither Tandem nor an app that has begun something can go on: time passes up to what is waited for.
    fn wait(&mut self) {
        let until = self.lane_waits_until().into_iter().chain(self.runs_wait_until()).min();
        if let Some(until) = until
            && self.may_be(until)
        {
            self.step(Action::TimePasses(until), |next| next.now = until);
        }
    }

    /// Whether it may be that late: a transaction ends, and a change is reported, within its time.
    fn may_be(&self, now: Timestamp) -> bool {
        [A, B].into_iter().all(|side| self.transaction_may_last(side, now) && self.reports_may_wait(side, now))
    }

    fn reports_may_wait(&self, side: SideIx, now: Timestamp) -> bool {
        let Some(ticks) = self.world.app(side).reports_within_ticks else { return true };
        let mut waiting = self.state.apps[side].outbox.iter().filter(|report| !report.is_admitted);
        waiting.all(|report| now < report.at.plus_ms(ticks * TICK_MS))
    }

    fn transaction_may_last(&self, side: SideIx, now: Timestamp) -> bool {
        let longest_ms = self.world.app(side).longest_ticks * TICK_MS;
        match &self.state.apps[side].caller {
            Caller::Sync { accepted_at: Some(accepted_at), .. } => now < accepted_at.plus_ms(longest_ms),
            Caller::Sync { accepted_at: None, .. } | Caller::None | Caller::Reports => true,
        }
    }
}
