//! Brings an archived entry, or the value that lost a conflict, back to its lane.

use domain::{
    EntryId, Map, RecordKey,
    lane::{Archived, Attribution, Conflict, Head, JournalEffect, LaneVersion, Work, append, newest},
    log::{ActivityKind, LogEvent},
};

use super::{activity, read_head, wake_if_writing};
use crate::{
    admin::AdminPorts,
    cas::{self, Round},
    error::{AppError, StateConflict},
    ports::{Archive, Commit, CommitError, JournalOp, LaneKey, Lanes, PortError},
};

/// The item that is brought back. It already names the new entry and the operator.
pub(in crate::admin) enum BringBack<'a> {
    /// An archived entry.
    Archived(&'a Archived),
    /// The value that lost a conflict.
    Conflict(&'a Conflict),
}

impl BringBack<'_> {
    fn key(&self) -> &RecordKey {
        match self {
            Self::Archived(archived) => &archived.key,
            Self::Conflict(conflict) => &conflict.key,
        }
    }

    /// The change of the archive or of the conflict that is committed with the new entry.
    fn journal_op(&self) -> JournalOp {
        match self {
            Self::Archived(archived) => JournalOp::Recover(Box::new((*archived).clone())),
            Self::Conflict(conflict) => JournalOp::Reverse(Box::new((*conflict).clone())),
        }
    }

    /// The name of the command in the activity log, and the operator.
    fn command(&self) -> Option<(&'static str, &Attribution)> {
        match self {
            Self::Archived(archived) => archived.recovered.as_ref().map(|(by, _)| ("recover", by)),
            Self::Conflict(conflict) => conflict.reversed.as_ref().map(|(by, _)| ("reverse", by)),
        }
    }

    /// Reads which entry brought the item back, according to the store.
    async fn stored_entry<P: AdminPorts>(&self, ports: &P, map: &Map) -> Result<Option<EntryId>, PortError> {
        let brought_back = match self {
            Self::Archived(archived) => ports.lanes().one_archived(map, archived.id).await?.and_then(|it| it.recovered),
            Self::Conflict(conflict) => ports.lanes().conflict(map, conflict.entry).await?.and_then(|it| it.reversed),
        };
        Ok(brought_back.map(|(_, entry)| entry))
    }

    /// Builds the line in the activity log.
    fn log_line(&self, map: &Map, seq: u64, id: EntryId, read: &Head) -> Option<LogEvent> {
        let (command, by) = self.command()?;
        let what = ActivityKind::Entry { command: command.to_owned(), key: self.key().clone(), seq };
        Some(activity(map, what, &id.0.to_be_bytes(), read.version, by))
    }
}

/// Appends work to a lane as the entry `id`, and marks the item as brought back in the same commit. With `only_if_newest`,
/// the lane must not have accepted anything since the entry of that version.
pub(in crate::admin) async fn bring_back<P: AdminPorts>(
    ports: &P,
    map: &Map,
    item: BringBack<'_>,
    work: &Work,
    id: EntryId,
    only_if_newest: Option<LaneVersion>,
) -> Result<(), AppError> {
    let lane = &LaneKey { map: map.id.clone(), key: item.key().clone() };
    let item = &item;
    cas::retry(ports, cas::COMMAND, false, |committed: bool| async move {
        let read = read_head(ports, map, lane).await?;
        if committed && item.stored_entry(ports, map).await? == Some(id) {
            wake_if_writing(ports, map, lane, &read).await;
            return Ok(Round::Done(())); // our own commit, whose answer was lost
        }
        if only_if_newest.is_some_and(|version| !newest(&read, version)) {
            return Err(AppError::Conflict(StateConflict::NewerAccepted));
        }
        let (next, entry) = append(&read, work.clone(), id, map.epoch, ports.now());
        let mut effects = vec![JournalEffect::Append(entry, None)];
        effects.extend(item.log_line(map, next.next_seq - 1, id, &read).map(JournalEffect::Log));
        let mut commit = Commit::of(Some(&read), next.clone(), effects);
        commit.ops.push(item.journal_op());
        match ports.lanes().commit(lane, commit).await {
            Err(CommitError::Duplicate) => match item.stored_entry(ports, map).await? {
                Some(stored) if stored == id => Ok(Round::Done(())),
                _ => Err(AppError::Conflict(StateConflict::AlreadySo)),
            },
            commit => Ok(match cas::stored(commit)? {
                Ok(()) => {
                    wake_if_writing(ports, map, lane, &next).await;
                    Round::Done(())
                }
                Err(lost) => Round::Again(lost, true),
            }),
        }
    })
    .await
}
