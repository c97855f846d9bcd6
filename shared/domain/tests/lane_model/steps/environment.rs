//! What happens without any writer or drain worker: pauses, expiry, late calls, the operator, the sweep.

use super::Steps;
use crate::action::Action;
use crate::recent::Outcome;
use crate::setup::Queue;
use crate::state::{Content, ErrorDisposition, GENERATION, Head, MapState};
use crate::target;

impl Steps<'_> {
    pub(super) fn environment(&mut self) {
        self.map();
        self.expiry();
        self.late_calls();
        if self.state.head.parked {
            self.operator();
        }
        if self.setup.sweep {
            self.sweep();
        }
    }

    pub(super) fn visibility_timeout(&mut self) {
        if self.setup.queue == Queue::Fifo && self.state.pointers.first_received {
            self.step(Action::PointerVisibleAgain, |next| next.pointers.first_received = false);
        }
    }

    fn map(&mut self) {
        let resumed = if self.setup.catching_up { MapState::CatchingUp } else { MapState::Running };
        if self.state.left.pauses > 0 && self.state.map != MapState::Paused {
            self.step(Action::Pause, |next| {
                next.map = MapState::Paused;
                next.left.pauses -= 1;
            });
        }
        if self.state.map == MapState::Paused {
            self.step(Action::Resume, |next| next.map = resumed);
        }
        if self.state.map == MapState::CatchingUp {
            self.step(Action::CatchUpEnds, |next| next.map = MapState::Running);
        }
    }

    fn expiry(&mut self) {
        let head = &self.state.head;
        if self.state.left.expiries > 0 && head.is_idle() && head.next_seq > 0 {
            let generation = if self.setup.new_generation { head.next_seq / GENERATION + 1 } else { 0 };
            self.step(Action::HeadExpires, |next| {
                next.head = Head::starting_at(generation * GENERATION);
                next.left.expiries -= 1;
            });
        }
    }

    fn late_calls(&mut self) {
        let (setup, network) = (self.setup, &self.state.network);
        for (place, call) in network.iter().enumerate() {
            if place > 0 && network[place - 1] == *call {
                continue; // an equal call leads to the same states
            }
            self.step(Action::LateCallVanishes(call.entry), |next| {
                next.network.remove(place);
            });
            self.judged_step(Action::LateCallLands(call.entry, call.side), |next| {
                next.network.remove(place);
                target::land(setup, next, *call)
            });
        }
    }

    fn operator(&mut self) {
        self.step(Action::OperatorRetries, |next| next.head.parked = false);
        let (setup, seq) = (self.setup, self.state.head.done_seq + 1);
        let Some(entry) = self.state.queued_at(seq) else {
            return;
        };
        let may_land = self.state.network.iter().any(|call| call.entry == entry);
        if self.state.left.skips > 0 && !(setup.skip_waits_for_call && may_land) {
            self.step(Action::OperatorSkips(entry), |next| {
                next.left.skips -= 1;
                next.head.parked = false;
                next.dequeue(seq);
                next.give_up(setup, entry, ErrorDisposition::Skipped, Content::RestoreBoth);
                next.remember(setup, entry, Outcome::Skipped);
            });
        }
    }

    /// The sweep's index may lag: it may act at any time, or not at all.
    fn sweep(&mut self) {
        let head = self.state.head;
        if self.state.map == MapState::Paused || head.parked || head.is_idle() {
            return;
        }
        let expired = head.inflight.is_none_or(|inflight| self.is_expired(inflight));
        let seq = head.done_seq + 1;
        let mut pointers = self.state.pointers;
        pointers.send(seq, self.setup);
        if expired && pointers != self.state.pointers {
            self.step(Action::SweepSends(seq), |next| next.pointers = pointers);
        }
        if let Some(inflight) = head.inflight
            && inflight.direct
            && expired
        {
            let setup = self.setup;
            self.step(Action::SweepMovesInFlight(inflight.entry), |next| {
                next.head.inflight = None;
                next.enqueue(inflight.seq, inflight.entry);
                if setup.takeover_marks {
                    next.mark(setup, inflight.entry);
                }
                if setup.release_remembers_id {
                    next.remember(setup, inflight.entry, Outcome::Queued);
                }
            });
        }
    }
}
