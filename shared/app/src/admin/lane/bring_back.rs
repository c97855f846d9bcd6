//! What comes back to a lane: an archived entry, or the value that lost a conflict.

use domain::{
    EntryId, Map, RecordKey,
    lane::{Head, JournalEffect, LaneVersion, Work, append, newest},
    log::{ActivityKind, LogEvent},
};

use super::{MAX_ROUNDS, activity, head, wake};
use crate::{
    admin::AdminPorts,
    error::{AppError, Conflict},
    ports::{Archive, Commit, CommitError, JournalOp, LaneKey, Lanes, PortError},
};

/// Appends work to a lane, together with a change of the archive or of a conflict, which names it. With a version: only
/// while nothing was accepted since the entry that has it.
pub(in crate::admin) async fn append_with<P: AdminPorts>(
    ports: &P,
    map: &Map,
    work: &Work,
    id: EntryId,
    op: &JournalOp,
    newest_is: Option<LaneVersion>,
) -> Result<(), AppError> {
    let key = match op {
        JournalOp::Recover(archived) => &archived.key,
        JournalOp::Reverse(conflict) => &conflict.key,
        _ => return Err(PortError::Permanent("nothing is brought back with this".to_owned()).into()),
    };
    let lane = LaneKey { map: map.id.clone(), key: key.clone() };
    let mut failed = AppError::Contended;
    for round in 0..MAX_ROUNDS {
        if round > 0 {
            ports.sleep(10 << round.min(5)).await;
        }
        let read = head(ports, map, &lane).await?;
        if round > 0 && brought_back_as(ports, map, op).await? == Some(id) {
            wake(ports, map, &lane, &read).await;
            return Ok(()); // our own commit, whose answer was lost
        }
        if newest_is.is_some_and(|version| !newest(&read, version)) {
            return Err(AppError::Conflict(Conflict::NewerAccepted));
        }
        let (next, entry) = append(&read, work.clone(), id, map.epoch, ports.now());
        let mut effects = vec![JournalEffect::Append(entry, None)];
        effects.extend(brought_back(map, key, next.next_seq - 1, id, &read, op).map(JournalEffect::Log));
        let mut commit = Commit::of(Some(&read), next.clone(), effects);
        commit.ops.push(op.clone());
        match ports.lanes().commit(&lane, commit).await {
            Ok(()) => {
                wake(ports, map, &lane, &next).await;
                return Ok(());
            }
            Err(CommitError::Duplicate) if brought_back_as(ports, map, op).await? == Some(id) => return Ok(()),
            Err(CommitError::Duplicate) => return Err(AppError::Conflict(Conflict::AlreadySo)),
            Err(CommitError::Stale) => failed = AppError::Contended,
            Err(CommitError::Port(error @ PortError::Transient(_))) => failed = error.into(),
            Err(CommitError::Port(error)) => return Err(error.into()),
        }
    }
    Err(failed)
}

/// The entry as which it was brought back, if it was.
async fn brought_back_as<P: AdminPorts>(ports: &P, map: &Map, op: &JournalOp) -> Result<Option<EntryId>, PortError> {
    Ok(match op {
        JournalOp::Recover(archived) => {
            ports.lanes().one_archived(map, archived.id).await?.and_then(|known| known.recovered)
        }
        JournalOp::Reverse(conflict) => {
            ports.lanes().conflict(map, conflict.entry).await?.and_then(|known| known.reversed)
        }
        _ => None,
    }
    .map(|(_, entry)| entry))
}

/// The line of what was brought back.
fn brought_back(map: &Map, key: &RecordKey, seq: u64, id: EntryId, read: &Head, op: &JournalOp) -> Option<LogEvent> {
    let (command, by) = match op {
        JournalOp::Recover(archived) => ("recover", &archived.recovered.as_ref()?.0),
        JournalOp::Reverse(conflict) => ("reverse", &conflict.reversed.as_ref()?.0),
        _ => return None,
    };
    let what = ActivityKind::Entry { command: command.to_owned(), key: key.clone(), seq };
    Some(activity(map, what, &id.0.to_be_bytes(), read.version, by))
}
