//! What a commit does to the journal in memory, and when it does nothing.

use app::ports::{Commit, CommitError, JournalOp, LaneKey};
use domain::{
    Timestamp,
    lane::{Crossing, Marker, MarkerState, Outcome, Winner},
};

use super::{Tables, fits};
use crate::bug::Bug;

fn tells_that_it_lost(marker: &Marker) -> bool {
    let lost = Outcome::Written { crossing: Some(Crossing { winner: Winner::TheOther }) };
    matches!(&marker.state, MarkerState::Final { outcome, .. } if *outcome == lost)
}

impl Tables {
    /// Does what a commit says, or nothing.
    pub(super) fn commit(
        &mut self,
        lane: &LaneKey,
        mut commit: Commit,
        now: Timestamp,
        bug: Option<Bug>,
    ) -> Result<(), CommitError> {
        let stored = self.heads.get(lane).map_or(0, |(head, _)| head.version);
        if stored != commit.expected && bug != Some(Bug::CommitIgnoresVersion) {
            return Err(CommitError::Stale);
        }
        assert_eq!(commit.head.version, commit.expected + 1, "every commit raises the version by one");
        fits::fits(&commit)?;
        if bug == Some(Bug::CommitForgetsEntries) {
            commit.ops.retain(|op| !matches!(op, JournalOp::Append(..)));
        }
        commit.ops.iter().try_for_each(|op| self.check(lane, op, bug))?;
        let before = self.heads.get(lane).map(|(head, _)| head);
        self.history.note(lane, before, &commit, |seq| self.entries.get(&(lane.clone(), seq)), now);
        commit.ops.into_iter().for_each(|op| self.apply(lane, op, bug));
        let echoes = self.heads.get(lane).map(|(_, echoes)| echoes.clone()).unwrap_or_default();
        // From now on it can be read.
        commit.head.unreadable = None;
        self.heads.insert(lane.clone(), (commit.head, echoes));
        Ok(())
    }

    /// Whether the conditions of one part of a commit hold.
    fn check(&self, lane: &LaneKey, op: &JournalOp, bug: Option<Bug>) -> Result<(), CommitError> {
        match op {
            JournalOp::Append(..) if bug == Some(Bug::CommitIgnoresVersion) => {}
            JournalOp::Append(entry, marker) => {
                if self.entries.contains_key(&(lane.clone(), entry.seq)) {
                    return Err(CommitError::Stale);
                }
                let known = |marker: &Marker| self.markers.contains_key(&(lane.map.clone(), marker.id.value()));
                if marker.as_ref().is_some_and(known) {
                    return Err(CommitError::Duplicate);
                }
            }
            JournalOp::Update(entry, _) => {
                let known = self.entries.contains_key(&(lane.clone(), entry.seq));
                assert!(known || bug.is_some(), "only a stored entry is updated");
            }
            JournalOp::Finish { seq, .. } => {
                let known = self.entries.contains_key(&(lane.clone(), *seq));
                assert!(known || bug.is_some(), "only a stored entry is finished");
            }
            JournalOp::Archive(archived, _) | JournalOp::Keep(archived) => {
                assert!(!self.archive.contains_key(&archived.id), "an id of the archive is fresh");
            }
            JournalOp::Recover(archived) => {
                if self.archive.get(&archived.id).is_none_or(|known| known.recovered.is_some()) {
                    return Err(CommitError::Duplicate);
                }
            }
            JournalOp::Conflict(_) | JournalOp::Log(_) => {}
            JournalOp::Reverse(conflict) => {
                if self.conflicts.get(&conflict.entry).is_none_or(|known| known.reversed.is_some()) {
                    return Err(CommitError::Duplicate);
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, lane: &LaneKey, op: JournalOp, bug: Option<Bug>) {
        let mut put_marker = |marker: Option<Marker>| {
            if let Some(marker) = marker {
                self.markers.insert((lane.map.clone(), marker.id.value()), marker);
            }
        };
        match op {
            JournalOp::Append(entry, marker) => {
                if entry.copied_to().is_some() {
                    self.copies.insert((lane.clone(), entry.seq));
                }
                self.entries.insert((lane.clone(), entry.seq), entry);
                put_marker(marker);
            }
            JournalOp::Update(entry, marker) => {
                if entry.copied_to().is_some() {
                    self.copies.insert((lane.clone(), entry.seq));
                }
                self.entries.insert((lane.clone(), entry.seq), entry);
                // An open entry's marker says so already.
                put_marker(marker.filter(|marker| marker.state != MarkerState::Open));
            }
            JournalOp::Finish { seq, marker } => {
                // A deletion that lost to a later change is told so, and gets what the other app has.
                if marker.as_ref().is_some_and(tells_that_it_lost) {
                    self.copies.insert((lane.clone(), seq));
                }
                self.entries.remove(&(lane.clone(), seq));
                put_marker(marker);
            }
            JournalOp::Archive(archived, marker) => {
                if archived.entry.copied_to().is_some() {
                    self.copies.insert((lane.clone(), archived.entry.seq));
                }
                self.entries.remove(&(lane.clone(), archived.entry.seq));
                if bug != Some(Bug::ArchiveForgets) {
                    self.archive.insert(archived.id, *archived);
                }
                put_marker(marker);
            }
            JournalOp::Keep(archived) | JournalOp::Recover(archived) => {
                self.archive.insert(archived.id, *archived);
            }
            JournalOp::Conflict(conflict) | JournalOp::Reverse(conflict) => {
                self.conflicts.insert(conflict.entry, *conflict);
            }
            JournalOp::Log(event) => self.logged.push(event),
        }
    }
}
