//! A writer: takes one write from its app, executes it or appends it, and answers.

use super::Steps;
use crate::action::{Act, Action};
use crate::plan::crosses;
use crate::recent::Outcome;
use crate::setup::{Queue, RetryInFlight};
use crate::state::{Actor, Answer, Content, Entry, EntryNo, MapState, Seq, State, Writer};
use crate::violation::Violation;

impl Steps<'_> {
    pub(super) fn writer(&mut self, number: u8, writer: Writer) {
        match writer {
            Writer::BeforeCommit => self.commit(number),
            Writer::Ready { base } => self.take_up(number, base),
            Writer::HasReadIdle { next_seq } => self.overwrite_head(number, next_seq),
            Writer::Executing(run) => self.execute(Actor::Writer(number), run),
            Writer::Appended { seq, entry } => self.after_append(number, seq, entry),
            Writer::Sending { seq, entry } => self.send(number, seq, entry),
            Writer::Crashed { .. } | Writer::Finished => {}
        }
    }

    fn writer_step(&mut self, number: u8, act: Act, change: impl FnOnce(&mut State)) {
        self.step(Action::By(Actor::Writer(number), act), change);
    }

    /// The app commits its own change before it calls.
    fn commit(&mut self, number: u8) {
        if self.setup.commit_order && self.has_earlier(number, |writer| matches!(writer, Writer::BeforeCommit)) {
            return;
        }
        let (side, id) = (self.setup.origin_of(number), self.setup.id_of(number));
        self.writer_step(number, Act::Commits(side), |next| {
            let app = next.app_mut(side);
            app.value = Some(id);
            let base = app.newest;
            next.set_writer(number, Writer::Ready { base });
        });
    }

    /// Whether an earlier writer of the same app is still at such a point.
    fn has_earlier(&self, number: u8, is_there: impl Fn(&Writer) -> bool) -> bool {
        let origin = self.setup.origin_of(number);
        let earlier = self.state.writers.iter().zip(self.setup.writers).take(usize::from(number));
        earlier.into_iter().any(|(writer, side)| *side == origin && is_there(writer))
    }

    /// Reads the head, and answers at once or gives the write its place in the lane.
    fn take_up(&mut self, number: u8, base: i8) {
        let unsent = |writer: &Writer| matches!(writer, Writer::BeforeCommit | Writer::Ready { .. });
        if self.setup.commit_order && self.setup.commits_first && self.has_earlier(number, unsent) {
            return;
        }
        if self.answers_known(number) {
            return;
        }
        let (setup, head) = (self.setup, self.state.head);
        let origin = setup.origin_of(number);
        let crossing = setup.commits_first && crosses(setup, self.state, origin, base);
        let (seq, entry) = (head.next_seq, self.state.log.len() as EntryNo);

        let is_free = head.is_idle() && !head.parked;
        if is_free && setup.compare_and_set {
            self.admit(number, crossing, Act::PutsInFlight { entry, crossing }, |next| {
                next.lease(Actor::Writer(number), seq, entry, true);
            });
        } else if is_free {
            self.writer_step(number, Act::ReadsIdleHead, |next| {
                next.set_writer(number, Writer::HasReadIdle { next_seq: seq });
            });
        }
        let map_may_be_stale = self.state.left.pauses < setup.faults.pauses;
        if !is_free || map_may_be_stale {
            self.admit(number, crossing, Act::Appends { entry, crossing }, |next| {
                next.enqueue(seq, entry);
                next.remember(setup, entry, Outcome::Queued);
                let appended = Writer::Appended { seq, entry };
                next.set_writer(number, if setup.reread { appended } else { Writer::Sending { seq, entry } });
            });
        }
    }

    /// Answers a write whose id is known; true when it goes no further now.
    fn answers_known(&mut self, number: u8) -> bool {
        let (setup, head) = (self.setup, &self.state.head);
        let id = setup.id_of(number);
        if let Some(outcome) = head.recent.get(id) {
            self.writer_step(number, Act::Replays(outcome), |next| next.answer(number, outcome.answer()));
            return true;
        }
        let in_flight = head.inflight.map(|inflight| self.state.entry(inflight.entry).content);
        let is_in_flight = in_flight == Some(Content::Write(id));
        match setup.retry_in_flight {
            RetryInFlight::Waits if is_in_flight => return true,
            RetryInFlight::IsAnswered202 if is_in_flight => {
                self.writer_step(number, Act::Answers202InFlight, |next| next.answer(number, Answer::Queued));
                return true;
            }
            _ => {}
        }
        if head.recent.may_be_evicted(id) {
            let is_new = self.state.log.iter().all(|entry| entry.content != Content::Write(id));
            self.judged_step(Action::By(Actor::Writer(number), Act::Answers409Evicted), |next| {
                next.set_writer(number, Writer::Finished);
                is_new.then_some(Violation::NewIdRefused { id })
            });
            return true;
        }
        false
    }

    /// Gives the write its entry, and then its place by `change`, in one step.
    fn admit(&mut self, number: u8, crossing: bool, act: Act, change: impl FnOnce(&mut State)) {
        let (id, origin) = (self.setup.id_of(number), self.setup.origin_of(number));
        let content = Content::Write(id);
        let is_double = self.state.log.iter().any(|entry| entry.content == content);
        self.judged_step(Action::By(Actor::Writer(number), act), |next| {
            next.log.push(Entry { content, origin, crossing, ..Entry::default() });
            next.head.next_seq += 1;
            change(next);
            is_double.then_some(Violation::AppendedTwice { id })
        });
    }

    /// Without compare-and-set, the head becomes what it was when it was read, with this write in flight.
    fn overwrite_head(&mut self, number: u8, next_seq: Seq) {
        let entry = self.state.log.len() as EntryNo;
        self.admit(number, false, Act::OverwritesHead(entry), |next| {
            next.head.next_seq = next_seq + 1;
            next.head.done_seq = next_seq - 1;
            next.head.parked = false;
            next.lease(Actor::Writer(number), next_seq, entry, true);
        });
    }

    /// Reads the map's state again: the pause during which the write was appended may be over.
    fn after_append(&mut self, number: u8, seq: Seq, entry: EntryNo) {
        self.crash_between_calls(number, seq, entry);
        let (head, map) = (self.state.head, self.state.map);
        let is_next = head.done_seq + 1 == seq && head.inflight.is_none() && !head.parked;
        if map != MapState::Paused && is_next {
            self.writer_step(number, Act::LeasesOwn(entry), |next| {
                next.lease(Actor::Writer(number), seq, entry, false);
            });
        } else {
            self.writer_step(number, Act::RereadsMap(map), |next| {
                next.set_writer(number, Writer::Sending { seq, entry });
            });
        }
    }

    fn send(&mut self, number: u8, seq: Seq, entry: EntryNo) {
        self.crash_between_calls(number, seq, entry);
        let setup = self.setup;
        self.writer_step(number, Act::SendsPointer(seq), |next| {
            next.pointers.send(seq, setup);
            next.answer(number, Answer::Queued);
        });
        if setup.queue != Queue::AnyTime && setup.pointers_get_lost {
            self.writer_step(number, Act::LosesPointer, |next| next.answer(number, Answer::Queued));
        }
    }

    fn crash_between_calls(&mut self, number: u8, seq: Seq, entry: EntryNo) {
        if self.state.left.crashes > 0 {
            self.writer_step(number, Act::Crashes, |next| {
                next.left.crashes -= 1;
                next.set_writer(number, Writer::Crashed { seq, entry });
            });
        }
    }
}
