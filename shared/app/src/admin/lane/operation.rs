//! One command on one lane: reads the lane, decides, and commits the new head together with its effects.

use domain::{
    EntryId, Map, SideIx, Timestamp,
    lane::{
        ArchiveCause, Archiving, Attribution, Entry, Head, JournalEffect, LaneCommand, NotNow, NotPossible,
        RestoreCause, Work, append, archive, call_life_ms, operate,
    },
    log::{ActivityKind, LogEvent},
    side::SideConfig,
};

use super::{
    Command, activity,
    edit::edit_record,
    read_head,
    was_stored::{PendingCommit, archive_id, was_stored},
};
use crate::{
    admin::{AdminPorts, Caller, entry::read_entry},
    cas::{self, Round},
    error::{AppError, ResourceKind, StateConflict},
    ports::{ARCHIVED_AT_ONCE, Commit, ConfigStore, LaneKey, Lanes, archived_at_once},
};

/// An operator's command on one lane, with everything that stays the same while it is retried.
pub(super) struct LaneOperation<'a, P> {
    pub(super) ports: &'a P,
    pub(super) map: &'a Map,
    pub(super) lane: &'a LaneKey,
    pub(super) caller: &'a Caller,
    pub(super) reason: &'a str,
}

/// The next head of the lane, and the effects that are committed with it.
type Decision = (Head, Vec<JournalEffect>);

impl<P: AdminPorts> LaneOperation<'_, P> {
    /// Applies a command to the entry at this place, and returns the head that it stored.
    pub(super) async fn commit(&self, seq: u64, command: &Command) -> Result<Head, AppError> {
        cas::retry(self.ports, cas::COMMAND, None, |pending: Option<PendingCommit>| async move {
            let head = read_head(self.ports, self.map, self.lane).await?;
            if let Some(pending) = pending
                && was_stored(self.ports, self.map, self.lane, &pending).await?
            {
                return Ok(Round::Done(pending.next)); // our own commit, whose answer was lost
            }
            let entry = read_entry(self.ports, self.lane, &head, seq).await?;
            let entry = entry.ok_or(AppError::NotFound(ResourceKind::Entry))?;
            let by = self.attribution();
            let log = self.log_line(&entry, &head, command, &by);
            let write = entry.write().map(|write| write.id);
            let (next, mut effects) = self.decide(&head, entry, command, by.clone()).await?;
            let kept = effects.iter().find_map(archive_id);
            effects.push(JournalEffect::Log(log));
            let commit = Commit::of(Some(&head), next.clone(), effects);
            Ok(match cas::stored(self.ports.lanes().commit(self.lane, commit).await)? {
                Ok(()) => Round::Done(next),
                Err(lost) => {
                    let pending = PendingCommit { next, seq, by, kept, write, command: command.clone() };
                    Round::Again(lost, Some(pending))
                }
            })
        })
        .await
    }

    fn attribution(&self) -> Attribution {
        Attribution { actor: self.caller.name.clone(), at: self.ports.now(), reason: self.reason.to_owned() }
    }

    /// Builds the command's line in the activity log.
    fn log_line(&self, entry: &Entry, head: &Head, command: &Command, by: &Attribution) -> LogEvent {
        let (command, key) = (command.as_str().to_owned(), self.lane.key.clone());
        let what = ActivityKind::Entry { command, key, seq: entry.seq };
        activity(self.map, what, &entry.id.0.to_be_bytes(), head.version, by)
    }

    async fn decide(
        &self,
        head: &Head,
        entry: Entry,
        command: &Command,
        by: Attribution,
    ) -> Result<Decision, AppError> {
        let is_next = entry.seq == head.done_seq + 1;
        let simple = match command {
            Command::Retry => LaneCommand::Retry,
            Command::Edit(patch) => {
                let (image, sides) = (edit_record(&self.map.config, &entry, patch)?, self.read_sides().await?);
                let (id, kept) = (EntryId(self.ports.fresh_id()), EntryId(self.ports.fresh_id()));
                LaneCommand::Edit { image, id, kept, call_life_ms: call_life_ms([&sides[0], &sides[1]]) }
            }
            Command::Hold => LaneCommand::Hold,
            // The next entry is archived at once. An entry behind it is archived when its turn comes.
            Command::Cancel if is_next => {
                return self.archive_entries(head, vec![entry], ArchiveCause::Cancelled, &by).await;
            }
            Command::Cancel => LaneCommand::Cancel,
            Command::Restore => LaneCommand::Restore,
            Command::Acknowledge => LaneCommand::Acknowledge,
            Command::Assign(to) => LaneCommand::Assign(to.clone()),
            Command::Note => LaneCommand::Note,
            Command::Skip | Command::Revert | Command::Supersede if !is_next => {
                return Err(AppError::Conflict(StateConflict::NotNext));
            }
            Command::Skip => return self.archive_entries(head, vec![entry], ArchiveCause::Skipped, &by).await,
            Command::Revert => return self.revert(head, entry, &by).await,
            Command::Supersede => return self.supersede(head, &by).await,
        };
        operate(head, &self.lane.key, &entry, simple, by).map_err(|why| refusal(why, self.ports.now()))
    }

    async fn archive_entries(
        &self,
        head: &Head,
        entries: Vec<Entry>,
        cause: ArchiveCause,
        by: &Attribution,
    ) -> Result<Decision, AppError> {
        let sides = self.read_sides().await?;
        let ids: Vec<_> = entries.iter().map(|_| EntryId(self.ports.fresh_id())).collect();
        let (sides, now) = ([&sides[0], &sides[1]], self.ports.now());
        let LaneKey { map, key } = self.lane;
        let archiving = Archiving { map, key, entries: &entries, cause, by, ids: &ids, sides, now };
        archive(head, &archiving).map_err(|why| {
            AppError::Conflict(match why {
                NotNow::InFlight(until) | NotNow::MayLand(until) => in_flight(until, now),
                NotNow::Changed => StateConflict::NotNext,
            })
        })
    }

    /// Reads the settings of the map's two sides, in map order.
    async fn read_sides(&self) -> Result<[SideConfig; 2], AppError> {
        let side = async |ix: SideIx| -> Result<_, AppError> {
            let found = self.ports.store().side(&self.map.config.side(ix).side).await?;
            Ok(found.ok_or(AppError::NotFound(ResourceKind::Side))?.config)
        };
        Ok([side(SideIx::First).await?, side(SideIx::Second).await?])
    }

    /// Archives the entry and appends a copy of the other app's record to the app that has the change.
    async fn revert(&self, head: &Head, entry: Entry, by: &Attribution) -> Result<Decision, AppError> {
        let to = side_to_restore(head, &entry);
        let (head, mut effects) = self.archive_entries(head, vec![entry], ArchiveCause::Reverted, by).await?;
        let Some(to) = to else { return Ok((head, effects)) };
        let work = Work::Restore { from: to.other(), to, cause: RestoreCause::Reverted };
        let version = head.version;
        let (head, restore) = append(&head, work, EntryId(self.ports.fresh_id()), self.map.epoch, by.at);
        effects.push(JournalEffect::Append(restore, None));
        Ok((Head { version, ..head }, effects)) // one commit, one version
    }

    /// Archives all entries but the last, as many as fit into one commit. The lane stays parked until the last of them
    /// is archived, so that the drain tries none of them in between.
    async fn supersede(&self, head: &Head, by: &Attribution) -> Result<Decision, AppError> {
        let before_last = usize::try_from(head.next_seq - head.done_seq - 2).unwrap_or(usize::MAX);
        if before_last == 0 {
            return Err(AppError::Conflict(StateConflict::NothingBehind));
        }
        let limit = before_last.min(ARCHIVED_AT_ONCE);
        let entries = archived_at_once(self.ports.lanes().entries(self.lane, head.done_seq + 1, limit).await?);
        let complete = entries.len() == before_last;
        let (next, effects) = self.archive_entries(head, entries, ArchiveCause::Superseded, by).await?;
        Ok((Head { parked: !complete, ..next }, effects))
    }
}

/// Returns the side that has the change of a reverted entry, if one has it.
fn side_to_restore(head: &Head, entry: &Entry) -> Option<SideIx> {
    match (&entry.work, entry.done.0) {
        (Work::Write(write), _) if write.origin.is_some() => write.origin,
        // Neither app had the change. The app that took it gets the other app's record back.
        (Work::Write(_), [true, false]) => Some(SideIx::First),
        (Work::Write(_), [false, true]) => Some(SideIx::Second),
        // The drain calls the first side first. It may have taken the change although its answer was lost.
        (Work::Write(_), [false, false]) if entry.outcome_unknown || head.inflight.is_some() => Some(SideIx::First),
        (Work::Write(_), _) => None,
        (Work::Restore { from, .. }, _) => Some(*from),
        (Work::Unreadable(_), _) => None,
    }
}

fn refusal(why: NotPossible, now: Timestamp) -> AppError {
    AppError::Conflict(match why {
        NotPossible::InFlight(until) => in_flight(until, now),
        NotPossible::NotNext => StateConflict::NotNext,
        NotPossible::NotParked => StateConflict::NotParked,
        NotPossible::NotAWrite => StateConflict::NotAWrite,
        NotPossible::Already => StateConflict::AlreadySo,
    })
}

fn in_flight(until: Timestamp, now: Timestamp) -> StateConflict {
    StateConflict::EntryInFlight { until, retry_after_s: until.ms_since(now).div_ceil(1_000).max(1) }
}
