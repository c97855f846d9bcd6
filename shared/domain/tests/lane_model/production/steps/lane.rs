//! What happens to the lane without its callers: the drain, the operator, what it waits for.

use domain::{
    EntryId, RecordKey, Timestamp,
    lane::{CallDurations, Claim, Entry, Head, JournalEffect, RestoreCause, Work, append, claim},
};

use super::{
    Action, Steps,
    admission::{LEASE_MS, OWNER},
};
use crate::production::{
    setup::Mutant,
    state::{Executor, Running},
};

/// The record.
pub(super) fn key() -> RecordKey {
    "C-1".parse().expect("it is a key")
}

impl Steps<'_> {
    pub(super) fn lane(&mut self) {
        if self.state.paused {
            self.step(Action::Resumes, |next| next.paused = false);
        } else if self.state.attempt.is_none() {
            self.drain();
        }
    }

    fn drain(&mut self) {
        let Some(head) = &self.state.head else { return };
        let (next_entry, claimed) = self.look(head);
        let world = self.world;
        match claimed {
            Claim::Taken { head, entry } => self.step(Action::Claims(entry.seq), |next| {
                let yielded = next_entry.map(|entry| JournalEffect::Update(entry, None));
                next.store(*head, yielded.into_iter().collect());
                let running = Running::new(world, next, Executor::Drain, *entry);
                next.attempt = Some(running);
            }),
            Claim::Park(head, effects) => {
                self.step(Action::Parks(head.done_seq + 1), |next| next.store(*head, effects));
            }
            Claim::Idle | Claim::Parked | Claim::NotYet(_) => {}
            Claim::NeedsEntry(_) | Claim::Archive(_) => panic!("{claimed:?}"),
        }
    }

    /// Claims the next entry as the drain does: a deletion yields to a winner behind it. With the entry as it is stored.
    fn look(&self, head: &Head) -> (Option<Entry>, Claim) {
        let (state, map, key) = (self.state, self.world.map(false), key());
        let durations = CallDurations { lease_ms: LEASE_MS, call_life_ms: 0 };
        let look = |stored: Option<&Entry>| claim(head, stored, map, &key, OWNER, state.now, durations);
        let Claim::NeedsEntry(seq) = look(None) else { return (None, look(None)) };
        let mut stored = state.entry_at(seq).cloned();
        if self.world.setup.mutant != Mutant::DeletionsDoNotYield && head.inflight.is_none() {
            let behind: Vec<_> = state.journal.iter().filter(|entry| entry.seq > seq).cloned().collect();
            stored = stored.map(|entry| entry.yield_to_winner(&behind));
        }
        let claimed = look(stored.as_ref());
        (stored, claimed)
    }

    /// An operator has the record copied.
    pub(super) fn recover(&mut self) {
        let state = self.state;
        let (Some(from), Some(head)) = (self.world.setup.recoveries.get(state.recoveries), &state.head) else { return };
        let work = Work::Restore { from: *from, to: from.other(), cause: RestoreCause::Recovered };
        let id = EntryId(2_000 + u128::from(head.next_seq));
        let (head, entry) = append(head, work, id, 0, state.now);
        self.step(Action::OperatorCopies(*from), |next| {
            next.recoveries += 1;
            next.store(head, vec![JournalEffect::Append(entry, None)]);
        });
    }

    /// Until when nothing can happen.
    pub(super) fn lane_waits_until(&self) -> Option<Timestamp> {
        let head = self.state.head.as_ref()?;
        match self.look(head).1 {
            Claim::NotYet(until) => Some(until),
            _ => None,
        }
    }
}
