//! What commits did, as the checks of a simulated world want to know it.

use std::collections::{BTreeMap, BTreeSet};

use app::ports::{Commit, JournalOp, LaneKey};
use domain::{
    EntryId, Timestamp,
    lane::{Entry, Head, LaneVersion, Outcome},
};

/// An attempt that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// When.
    pub at: Timestamp,
    /// In which lane.
    pub lane: LaneKey,
    /// The place of its entry.
    pub seq: u64,
    /// The place that was next.
    pub next: u64,
}

/// A write that was put behind others instead of being written.
#[derive(Clone, Debug)]
pub struct Kept {
    /// In which lane.
    pub lane: LaneKey,
    /// The entry.
    pub entry: Entry,
    /// Nothing was before it.
    pub idle: bool,
}

/// An entry that came to its end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// In which lane.
    pub lane: LaneKey,
    /// Its version.
    pub version: LaneVersion,
    /// The entry as it was before its last attempt.
    pub entry: Entry,
    /// What its caller is told; `None`: it is told to roll back, or there is no caller.
    pub outcome: Option<Outcome>,
}

/// What all commits did, in their order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Entries that were made of each write, by the write's id.
    pub accepted: BTreeMap<u128, BTreeSet<EntryId>>,
    /// Attempts.
    pub begun: Vec<Begun>,
    /// Writes that were kept.
    pub kept: Vec<Kept>,
    /// Entries that ended.
    pub ended: Vec<Ended>,
}

impl History {
    /// A commit on a head that was stored before it.
    pub(super) fn note<'a>(
        &mut self,
        lane: &LaneKey,
        before: Option<&'a Head>,
        commit: &Commit,
        stored: impl Fn(u64) -> Option<&'a Entry>,
        now: Timestamp,
    ) {
        let head = &commit.head;
        let inflight = head.inflight.as_ref();
        let owner = |head: &Head| head.inflight.as_ref().and_then(|inflight| inflight.owner);
        if let Some(inflight) = inflight.filter(|inflight| inflight.owner.is_some())
            && before.and_then(owner) != inflight.owner
        {
            self.begun.push(Begun { at: now, lane: lane.clone(), seq: inflight.seq, next: head.done_seq + 1 });
        }
        // What is brought back has no marker: it was accepted before.
        let appended = commit.ops.iter().filter_map(|op| match op {
            JournalOp::Append(entry, Some(_)) => Some(entry),
            _ => None,
        });
        for entry in appended.clone() {
            let idle = before.is_none_or(Head::idle);
            self.kept.push(Kept { lane: lane.clone(), entry: entry.clone(), idle });
        }
        for entry in inflight.and_then(|inflight| inflight.direct.as_deref()).into_iter().chain(appended) {
            if let Some(write) = entry.write() {
                self.accepted.entry(write.id.value()).or_default().insert(entry.id);
            }
        }
        let Some(before) = before.filter(|before| before.generation == head.generation) else { return };
        for seq in before.done_seq + 1..=head.done_seq {
            let direct = before.inflight.as_ref().and_then(|inflight| inflight.direct.as_deref());
            if let Some(entry) = direct.filter(|entry| entry.seq == seq).or_else(|| stored(seq)) {
                let known = entry.write().and_then(|write| head.recent.get(write.id));
                self.ended.push(Ended {
                    lane: lane.clone(),
                    version: head.version_of(seq),
                    entry: entry.clone(),
                    outcome: known.map(|known| known.outcome.clone()),
                });
            }
        }
    }
}
