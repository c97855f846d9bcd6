//! Everything that can happen next.
//!
//! A successful compare-and-set means that the head did not change since it was read, so reading it and setting it is
//! one step; a failed one changes nothing and is not a step. A map state that a writer or worker holds stale is
//! covered by its freedom to act late, once a pause has happened.

mod drain;
mod environment;
mod execute;
mod writer;

use crate::action::Action;
use crate::setup::Setup;
use crate::state::{Actor, Execution, InFlight, Seq, State, Worker, Writer};
use crate::violation::Violation;

pub(crate) struct Step {
    pub action: Action,
    pub next: State,
    pub violation: Option<Violation>,
}

/// The steps out of one state.
pub(crate) struct Steps<'a> {
    setup: &'a Setup,
    state: &'a State,
    found: &'a mut Vec<Step>,
}

impl<'a> Steps<'a> {
    /// Puts the steps out of `state` into `found`, which a search reuses.
    pub(crate) fn find(setup: &'a Setup, state: &'a State, found: &'a mut Vec<Step>) {
        found.clear();
        let mut steps = Self { setup, state, found };
        steps.environment();
        (0..).zip(state.writers.iter()).for_each(|(number, writer)| steps.writer(number, *writer));
        (0..).zip(state.workers.iter()).for_each(|(number, worker)| steps.worker(number, *worker));
        steps.visibility_timeout();
    }

    fn step(&mut self, action: Action, change: impl FnOnce(&mut State)) {
        self.judged_step(action, |next| {
            change(next);
            None
        });
    }

    fn judged_step(&mut self, action: Action, change: impl FnOnce(&mut State) -> Option<Violation>) {
        let mut next = *self.state;
        let (from, violation) = (next.head.done_seq, change(&mut next));
        let to = next.head.done_seq;
        let went_back = to < from && action != Action::HeadExpires;
        let violation = violation.or_else(|| went_back.then_some(Violation::DoneSeqWentBack { from, to }));
        self.found.push(Step { action, next, violation });
    }

    /// True when others may take the entry in flight over.
    ///
    /// A lease outlasts its owner's life and, unless the case says otherwise, every call of the entry.
    fn is_expired(&self, inflight: InFlight) -> bool {
        let bounded = || {
            let owner_lives = inflight.owner.is_some_and(|owner| self.is_alive(owner, inflight.seq));
            owner_lives || self.state.network.iter().any(|call| call.entry == inflight.entry)
        };
        self.setup.leases_expire_early || !bounded()
    }

    fn is_alive(&self, owner: Actor, owned: Seq) -> bool {
        match owner {
            Actor::Writer(number) => match self.state.writers[usize::from(number)] {
                Writer::Executing(Execution { seq, .. })
                | Writer::Appended { seq, .. }
                | Writer::Sending { seq, .. } => seq == owned,
                _ => false,
            },
            Actor::Worker(number) => match self.state.workers[usize::from(number)] {
                Worker::Executing(run) => run.seq == owned,
                _ => false,
            },
        }
    }
}
