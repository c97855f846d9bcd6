//! The attempt in flight: its reads and calls, and its settlement by the production function.

use domain::{
    ContentHash, EntryId, ErrorClass, Failure, SideIx,
    failure::CallEffect,
    lane::{
        Action as Planned, Attempt, Entry, SettleContext, Settlement, Step as PlannedStep, StepFailure, announce_copy,
        content, plan, settle,
    },
    map::{OnUnavailable, PerSide},
    mapping::translate,
    record::Image,
};

use super::{
    Action, Steps,
    admission::{OWNER, Told},
    lane::key,
};
use crate::production::{
    app::{image, value_of},
    setup::{Mutant, World},
    state::{Copied, Executor, Run, Running, State},
    violation::Violation,
};

impl Running {
    pub(crate) fn new(world: &World<'_>, state: &State, by: Executor, entry: Entry) -> Self {
        let origin = |entry: &Entry| entry.write().and_then(|write| write.origin);
        let is_later = |later: &Entry| later.seq > entry.seq && origin(later) == origin(&entry).map(SideIx::other);
        let loses = world.setup.primary.is_some() && world.setup.primary == origin(&entry);
        // What may have been sent cannot be taken back.
        let is_overtaken = !loses && !entry.outcome_unknown && state.journal.iter().any(is_later);
        let steps = plan(&entry, &world.map(false).config).expect("all values can be mapped");
        Self { by, entry, steps, read: None, made: Attempt::default(), is_overtaken }
    }

    fn end_step(&mut self, done: (SideIx, Option<ContentHash>, Option<String>)) {
        self.steps.remove(0);
        self.read = None;
        self.made.done.push(done);
    }
}

impl Steps<'_> {
    pub(super) fn attempt(&mut self) {
        let Some(running) = &self.state.attempt else { return };
        let waits = running.by != Executor::Drain;
        match running.steps.first().filter(|_| running.made.failure.is_none()) {
            None => self.settle(running, false),
            Some(step) if step.write_back && waits => self.settle(running, true),
            Some(PlannedStep { to, action: Planned::Put(image), .. }) => self.call(running, *to, image),
            Some(PlannedStep { to, action: Planned::CopyFrom(from), .. }) => self.copy(running, *from, *to),
        }
    }

    fn copy(&mut self, running: &Running, from: SideIx, to: SideIx) {
        let config = &self.world.map(false).config;
        let there = |side: SideIx| image(side, self.state.apps[side].value());
        match &running.read {
            None => {
                let wanted = translate(config, from, &there(from)).expect("all values can be mapped");
                self.attempt_step(Action::Reads(from), |running| running.read = Some(Copied::Wanted(wanted)));
            }
            Some(Copied::Wanted(wanted)) => {
                let differs = content(config, to, &there(to)) != content(config, to, wanted);
                self.attempt_step(Action::Compares(to), |running| {
                    if differs {
                        running.read = Some(Copied::Differs(wanted.clone()));
                    } else {
                        running.end_step((to, None, None));
                    }
                });
            }
            Some(Copied::Differs(wanted)) if self.world.setup.mutant == Mutant::CopiesAreNotAnnounced => {
                self.call(running, to, wanted);
            }
            Some(Copied::Differs(wanted)) => self.announce(to, wanted),
            Some(Copied::Announced(wanted)) => self.call(running, to, wanted),
        }
    }

    fn announce(&mut self, to: SideIx, wanted: &Image) {
        let tag = content(&self.world.map(false).config, to, wanted);
        let head = self.state.head.as_ref().and_then(|head| announce_copy(head, OWNER, to, tag));
        let head = head.expect("nobody takes a lease from who lives");
        self.step(Action::Announces(to), |next| {
            next.head = Some(head);
            if let Some(running) = &mut next.attempt {
                running.read = Some(Copied::Announced(wanted.clone()));
            }
        });
    }

    fn attempt_step(&mut self, action: Action, change: impl FnOnce(&mut Running)) {
        self.step(action, |next| {
            if let Some(running) = &mut next.attempt {
                change(running);
            }
        });
    }

    fn call(&mut self, running: &Running, to: SideIx, wanted: &Image) {
        let world = self.world;
        if self.state.apps[to].is_locked() {
            // A drain waits for the lock. A caller does not: its own record may be locked, too.
            if running.by != Executor::Drain {
                let failure = Failure::new(ErrorClass::Conflict, CallEffect::NotApplied, None, "the record is locked");
                let failure = StepFailure { to, at: self.state.now, failure };
                self.attempt_step(Action::MeetsALock(to), |running| running.made.failure = Some(failure));
            }
            return;
        }
        let key = running.entry.idempotency_key();
        let destroys = running.is_overtaken && *wanted == Image::Absent && running.entry.copied_to().is_none();
        let tag = content(&world.map(false).config, to, wanted);
        self.judged_step(Action::Calls(to), |next| {
            next.apps[to].write(world.app(to), value_of(wanted), key, next.now);
            next.attempt.as_mut()?.end_step((to, Some(tag), None));
            destroys.then_some(Violation::DeletedUnderAChange(to))
        });
    }

    fn settle(&mut self, running: &Running, write_back_deferred: bool) {
        let world = self.world;
        let attempt = Attempt { write_back_deferred, ..running.made.clone() };
        let (entry, key) = (running.entry.clone(), key());
        let head = self.state.head.as_ref().expect("an attempt has a lane");
        let echoed = self.state.echoes.of(head.version_of(entry.seq));
        let context = SettleContext {
            map: world.map(self.state.paused),
            key: &key,
            sides: world.sides().0,
            on_unavailable: OnUnavailable::Queue,
            echoed: &echoed,
            spare: EntryId(1_000 + u128::from(entry.seq)),
            last_taken: PerSide::default(),
            now: self.state.now,
        };
        let (seq, by) = (entry.seq, running.by);
        let settled = settle(head, entry, OWNER, &attempt, context).expect("nobody takes a lease from who lives");
        let Settlement { head, effects, answer } = settled;
        self.step(Action::Settles(seq), |next| {
            next.store(head, effects);
            next.attempt = None;
            match by {
                Executor::Drain => {}
                Executor::Caller(side) => Told::of(&answer).tell(next, side),
                Executor::Run(number) => next.runs[number] = Run::Ended,
            }
        });
    }

    /// The function dies. Its caller gets no answer.
    pub(super) fn die(&mut self) {
        let Some(running) = self.state.attempt.as_ref().filter(|_| self.state.crashes_left > 0) else { return };
        let by = running.by;
        self.step(Action::Dies, |next| {
            next.crashes_left -= 1;
            next.attempt = None;
            match by {
                Executor::Drain => {}
                Executor::Caller(side) => Told::Again.tell(next, side),
                Executor::Run(number) => next.runs[number] = Run::IsDue(next.now, None),
            }
        });
    }
}
