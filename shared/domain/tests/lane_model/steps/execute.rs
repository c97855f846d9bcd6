//! The execution of one entry, by its writer or by a drain worker: the calls, and the step that writes their outcome
//! to the head.

use super::Steps;
use crate::action::{Act, Action};
use crate::plan::plan;
use crate::recent::Outcome;
use crate::setup::{FinalRefusal, Setup, Target};
use crate::state::{
    Actor, Answer, Content, EntryNo, ErrorDisposition, Execution, InFlight, LateCall, Seq, Stage, State, Worker, Writer,
};
use crate::target;
use crate::violation::Violation;

/// How an execution ends for the one who ran it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Refused,
    Released,
    Parked,
    LeaseLost,
    Crashed,
}

impl Steps<'_> {
    pub(super) fn execute(&mut self, actor: Actor, run: Execution) {
        if let Stage::Calling(place) = run.stage {
            self.call(actor, run, place);
        } else {
            self.conclude(actor, run);
        }
    }

    fn executor_step(&mut self, actor: Actor, act: Act, change: impl FnOnce(&mut State)) {
        self.step(Action::By(actor, act), change);
    }

    fn call(&mut self, actor: Actor, run: Execution, place: u8) {
        let (setup, left) = (self.setup, self.state.left);
        let Execution { seq, entry, .. } = run;
        let plan = plan(setup, &self.state.log, entry);
        let (side, value) = plan[usize::from(place)];
        let call = LateCall { seq, entry, side, value };

        let stale = setup.target == Target::Versioned && self.state.app(side).is_at_or_past(seq);
        let after = if stale && !setup.older_version_is_success {
            Stage::Refused(place)
        } else if usize::from(place) + 1 == plan.len() {
            Stage::Answered
        } else {
            Stage::Calling(place + 1)
        };
        self.judged_step(Action::By(actor, Act::Calls(entry, side)), |next| {
            next.go_on(actor, run.at(after));
            target::land(setup, next, call)
        });
        if left.failures > 0 {
            self.executor_step(actor, Act::CallFails(entry), |next| {
                next.left.failures -= 1;
                next.go_on(actor, run.at(Stage::NotSent));
            });
        }
        if left.unknowns > 0 {
            self.judged_step(Action::By(actor, Act::CallUnknownWithEffect(entry)), |next| {
                next.left.unknowns -= 1;
                next.go_on(actor, run.at(Stage::Unknown));
                target::land(setup, next, call)
            });
            self.executor_step(actor, Act::CallUnknownInNetwork(entry), |next| {
                next.left.unknowns -= 1;
                next.go_on(actor, run.at(Stage::Unknown));
                next.network.insert_sorted(call);
            });
        }
        let is_write = matches!(self.state.entry(entry).content, Content::Write(_));
        if left.refusals > 0 && (setup.any_call_may_be_refused || (place == 0 && is_write)) {
            self.executor_step(actor, Act::CallRefused(entry), |next| {
                next.left.refusals -= 1;
                next.go_on(actor, run.at(Stage::Refused(place)));
            });
        }
        if left.crashes > 0 {
            self.executor_step(actor, Act::CrashesBeforeCall(entry), |next| next.crash(setup, actor, run));
            self.judged_step(Action::By(actor, Act::CrashesAfterCall(entry)), |next| {
                next.crash(setup, actor, run);
                target::land(setup, next, call)
            });
            self.executor_step(actor, Act::CrashesCallInNetwork(entry), |next| {
                next.crash(setup, actor, run);
                next.network.insert_sorted(call);
            });
        }
    }

    fn conclude(&mut self, actor: Actor, run: Execution) {
        let (setup, entry) = (self.setup, run.entry);
        if self.state.left.crashes > 0 {
            self.executor_step(actor, Act::Crashes, |next| next.crash(setup, actor, run));
        }
        let mine = self
            .state
            .head
            .inflight
            .filter(|inflight| inflight.seq == run.seq && inflight.entry == entry && inflight.owner == Some(actor));
        let Some(inflight) = mine else {
            let tells_422 = matches!(run.stage, Stage::Refused(_)) && setup.final_refusal == FinalRefusal::WithoutLease;
            let end = if tells_422 { End::Refused } else { End::LeaseLost };
            self.executor_step(actor, Act::HasLostLease(entry), |next| next.leave(setup, actor, run, end));
            return;
        };
        match run.stage {
            Stage::Refused(place) if self.answers_422(actor, inflight, place) => self.answer_422(actor, run),
            Stage::Refused(_) => self.executor_step(actor, Act::Parks(entry), |next| {
                next.head.inflight = None;
                next.head.parked = true;
                next.enqueue(run.seq, entry);
                next.remember(setup, entry, Outcome::Queued);
                next.leave(setup, actor, run, End::Parked);
            }),
            Stage::NotSent | Stage::Unknown => self.release(actor, run),
            Stage::Answered | Stage::Calling(_) => self.mark_done(actor, run),
        }
    }

    fn mark_done(&mut self, actor: Actor, run: Execution) {
        let (setup, entry) = (self.setup, run.entry);
        let never_applied = |state: &State| {
            let misses = |side| !state.app(side).has_received(entry) && state.app(side).newest < entry as i8;
            let planned = plan(setup, &state.log, entry);
            let missed = planned.iter().rev().find(|(side, _)| misses(*side));
            missed.map(|(side, _)| Violation::DoneWithoutEffect { side: *side, entry })
        };
        self.judged_step(Action::By(actor, Act::MarksDone(entry)), |next| {
            let violation = never_applied(next);
            let done_seq = next.head.done_seq;
            next.head.done_seq = if setup.next_entry_only { done_seq + 1 } else { done_seq.max(run.seq) };
            next.head.inflight = None;
            next.entry_mut(entry).fate = ErrorDisposition::Applied;
            next.dequeue(run.seq);
            next.remember(setup, entry, Outcome::Applied);
            next.leave(setup, actor, run, End::Done);
            violation
        });
    }

    fn release(&mut self, actor: Actor, run: Execution) {
        let (setup, entry) = (self.setup, run.entry);
        let unknown = run.stage == Stage::Unknown;
        let stays = unknown && setup.unknown_stays_in_flight;
        self.executor_step(actor, Act::Releases(entry), |next| {
            next.head.inflight = stays.then_some(InFlight { seq: run.seq, entry, owner: None, direct: false });
            next.enqueue(run.seq, entry);
            if unknown {
                next.mark(setup, entry);
            }
            if stays || setup.release_remembers_id {
                next.remember(setup, entry, Outcome::Queued);
            }
            next.leave(setup, actor, run, End::Released);
        });
    }

    fn answers_422(&self, actor: Actor, inflight: InFlight, place: u8) -> bool {
        let by_writer = matches!(actor, Actor::Writer(_));
        match self.setup.final_refusal {
            FinalRefusal::InFirstCall | FinalRefusal::WithoutLease => by_writer && inflight.direct && place == 0,
            FinalRefusal::OfWriteBackToo => by_writer && inflight.direct,
            FinalRefusal::OfAppendedToo => by_writer,
            FinalRefusal::InDrainToo => true,
        }
    }

    fn answer_422(&mut self, actor: Actor, run: Execution) {
        let (setup, entry) = (self.setup, run.entry);
        let target = self.state.entry(entry).origin.other();
        let took_effect = self.state.app(target).has_received(entry);
        self.judged_step(Action::By(actor, Act::Answers422(entry)), |next| {
            next.head.inflight = None;
            next.dequeue(run.seq);
            next.give_up(setup, entry, ErrorDisposition::Refused, Content::RestoreOrigin);
            next.remember(setup, entry, Outcome::Refused);
            next.leave(setup, actor, run, End::Refused);
            took_effect.then_some(Violation::RefusedAfterEffect { entry })
        });
    }
}

impl State {
    /// Puts the entry in flight, owned by the one who is to make its first call.
    pub(super) fn lease(&mut self, owner: Actor, seq: Seq, entry: EntryNo, direct: bool) {
        self.head.inflight = Some(InFlight { seq, entry, owner: Some(owner), direct });
        self.go_on(owner, Execution { seq, entry, stage: Stage::Calling(0) });
    }

    fn go_on(&mut self, actor: Actor, run: Execution) {
        match actor {
            Actor::Writer(number) => self.set_writer(number, Writer::Executing(run)),
            Actor::Worker(number) => self.set_worker(number, Worker::Executing(run)),
        }
    }

    fn crash(&mut self, setup: &Setup, actor: Actor, run: Execution) {
        self.left.crashes -= 1;
        self.leave(setup, actor, run, End::Crashed);
    }

    fn leave(&mut self, setup: &Setup, actor: Actor, run: Execution, end: End) {
        match actor {
            Actor::Writer(number) => self.writer_leaves(setup, number, run, end),
            Actor::Worker(number) => {
                self.set_worker(number, Worker::Idle);
                if matches!(end, End::Done | End::Refused | End::Parked) {
                    self.pointers.delete(run.seq);
                }
            }
        }
    }

    fn writer_leaves(&mut self, setup: &Setup, number: u8, run: Execution, end: End) {
        let Execution { seq, entry, .. } = run;
        match end {
            End::Released => self.set_writer(number, Writer::Sending { seq, entry }),
            End::Crashed => self.set_writer(number, Writer::Crashed { seq, entry }),
            End::Done => self.answer(number, Answer::Applied),
            End::Refused => self.answer(number, Answer::Refused),
            End::Parked => self.answer(number, Answer::Queued),
            End::LeaseLost => {
                // It answers what the head says became of its id.
                let known = self.head.recent.get(setup.id_of(number));
                self.answer(number, known.map_or(Answer::Queued, Outcome::answer));
            }
        }
    }
}
