//! A drain worker: woken by a pointer, it leases the lane's next entry and executes it.

use super::Steps;
use crate::action::{Act, Action};
use crate::setup::{EarlyPointer, Queue};
use crate::state::{Actor, MapState, Seq, State, Worker};

impl Steps<'_> {
    pub(super) fn worker(&mut self, number: u8, worker: Worker) {
        match worker {
            Worker::Idle => self.wake(number),
            Worker::Holding { pointer } => self.handle(number, pointer),
            Worker::Executing(run) => self.execute(Actor::Worker(number), run),
        }
    }

    fn worker_step(&mut self, number: u8, act: Act, change: impl FnOnce(&mut State)) {
        self.step(Action::By(Actor::Worker(number), act), change);
    }

    fn wake(&mut self, number: u8) {
        let (head, waiting) = (self.state.head, self.state.pointers.waiting);
        match self.setup.queue {
            Queue::AnyTime => {
                if self.state.map != MapState::Paused && !head.parked && !head.is_idle() {
                    self.lease(number, head.done_seq + 1);
                }
            }
            Queue::Fifo => {
                if let Some(first) = waiting.first()
                    && !self.state.pointers.first_received
                {
                    self.receive(number, *first);
                }
            }
            Queue::Standard => waiting.iter().for_each(|pointer| self.receive(number, *pointer)),
        }
    }

    fn receive(&mut self, number: u8, pointer: Seq) {
        let closes_group = self.setup.queue == Queue::Fifo;
        self.worker_step(number, Act::Receives(pointer), |next| {
            next.pointers.first_received = closes_group;
            next.set_worker(number, Worker::Holding { pointer });
        });
    }

    fn handle(&mut self, number: u8, pointer: Seq) {
        let head = self.state.head;
        let early = pointer > head.done_seq + 1;
        if self.state.map == MapState::Paused {
            self.leave_pointer(number, pointer);
        } else if pointer <= head.done_seq || head.parked {
            self.delete_pointer(number, pointer);
        } else if early && self.setup.next_entry_only && self.setup.early_pointer != EarlyPointer::WakesLane {
            match self.setup.early_pointer {
                EarlyPointer::IsDeleted => self.delete_pointer(number, pointer),
                _ => self.leave_pointer(number, pointer),
            }
        } else {
            let seq = if self.setup.next_entry_only { head.done_seq + 1 } else { pointer };
            if !self.lease(number, seq) {
                self.leave_pointer(number, pointer);
            }
        }
    }

    fn leave_pointer(&mut self, number: u8, pointer: Seq) {
        self.worker_step(number, Act::LeavesPointer(pointer), |next| next.set_worker(number, Worker::Idle));
    }

    fn delete_pointer(&mut self, number: u8, pointer: Seq) {
        self.worker_step(number, Act::DeletesPointer(pointer), |next| {
            next.pointers.delete(pointer);
            next.set_worker(number, Worker::Idle);
        });
    }

    /// Leases the entry, or takes it over when it is in flight with an expired lease; false when neither can be.
    fn lease(&mut self, number: u8, seq: Seq) -> bool {
        let (setup, owner) = (self.setup, Actor::Worker(number));
        let queued = self.state.queued_at(seq);
        let Some(inflight) = self.state.head.inflight else {
            let Some(entry) = queued else { return false };
            self.worker_step(number, Act::Leases(entry), |next| next.lease(owner, seq, entry, false));
            return true;
        };
        let is_same = inflight.seq == seq;
        if !self.is_expired(inflight) || (setup.next_entry_only && !is_same) {
            return false;
        }
        let (entry, direct) = if is_same { (Some(inflight.entry), inflight.direct) } else { (queued, false) };
        let Some(entry) = entry else { return false };
        self.worker_step(number, Act::TakesOver(entry), |next| {
            if setup.takeover_marks {
                next.mark(setup, inflight.entry);
            }
            next.lease(owner, seq, entry, direct);
        });
        true
    }
}
