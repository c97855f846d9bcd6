//! Changes of a lane that several steps have in common. Each is part of the step that makes it, never a step of its
//! own.

use crate::recent::Outcome;
use crate::setup::Setup;
use crate::state::{Content, Entry, EntryNo, ErrorDisposition, Seq, State};

impl State {
    pub(crate) fn queued_at(&self, seq: Seq) -> Option<EntryNo> {
        self.queued.iter().find(|(queued, _)| *queued == seq).map(|(_, entry)| *entry)
    }

    /// Makes the entry an item of its own, unless it is one already.
    pub(crate) fn enqueue(&mut self, seq: Seq, entry: EntryNo) {
        if !self.queued.contains(&(seq, entry)) {
            self.queued.insert_sorted((seq, entry));
        }
    }

    pub(crate) fn dequeue(&mut self, seq: Seq) {
        if let Some(place) = self.queued.iter().position(|(queued, _)| *queued == seq) {
            self.queued.remove(place);
        }
    }

    /// Notes in the head what became of the entry's id. Restore entries have none.
    pub(crate) fn remember(&mut self, setup: &Setup, entry: EntryNo, outcome: Outcome) {
        if let Content::Write(id) = self.entry(entry).content {
            self.head.recent.remember(id, outcome, setup.recent);
        }
    }

    /// Notes that the entry may have been called more than once, or may be called once more.
    pub(crate) fn mark(&mut self, setup: &Setup, entry: EntryNo) {
        self.entry_mut(entry).marked |= setup.crossing.reads_marks();
    }

    /// Ends an entry that was refused or skipped, and appends a restore entry where the case asks for one.
    pub(crate) fn give_up(&mut self, setup: &Setup, entry: EntryNo, fate: ErrorDisposition, restore: Content) {
        self.head.done_seq += 1;
        self.entry_mut(entry).fate = fate;
        if setup.restores {
            let origin = self.entry(entry).origin;
            self.enqueue(self.head.next_seq, self.log.len() as EntryNo);
            self.log.push(Entry { content: restore, origin, ..Entry::default() });
            self.head.next_seq += 1;
        }
    }
}
