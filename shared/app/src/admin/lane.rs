//! Commands of an operator on the entries of one record: retry, edit, hold, cancel, give up, annotate.
//!
//! Every command names an entry by its place in the lane. If the lane has moved past that entry in the meantime, the
//! command fails and changes nothing.

mod bring_back;
mod edit;
mod operation;
mod was_stored;

use domain::{
    LogId, Map, MapId, Record, RecordKey,
    lane::{Attribution, Head},
    log::{Activity, ActivityKind, LogEvent, Order},
    map::{Cause, Intake},
};

pub(super) use self::bring_back::{BringBack, bring_back};
use self::operation::LaneOperation;
use super::{AdminPorts, Caller, map_commands::checked, maps};
use crate::{
    error::{AppError, ResourceKind, Subject},
    ports::{LaneKey, Lanes},
    wake::wake_if_due,
    write::canonical_key,
};

/// Longest name of an assignee, in characters.
const MAX_NAME_CHARS: usize = 100;

/// A command on an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Try the entry again now.
    Retry,
    /// Change some fields, then try the entry again. Both apps get the new record. `null` removes a field.
    Edit(Record),
    /// Park the entry until an operator retries it.
    Hold,
    /// Archive the entry instead of writing it when its turn comes.
    Cancel,
    /// Undo a cancel.
    Restore,
    /// Record that the operator has seen the entry.
    Acknowledge,
    /// Assign the entry to a person, or to nobody.
    Assign(Option<String>),
    /// Add a note to the entry.
    Note,
    /// Archive the entry without writing it. The two apps may differ in this record until its next change.
    Skip,
    /// Archive the entry and copy the record of the other app back to the app that reported the change.
    Revert,
    /// Archive all entries of the record but the last one.
    Supersede,
}

impl Command {
    /// The name of the command in the API and in the activity log.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Edit(_) => "edit",
            Self::Hold => "hold",
            Self::Cancel => "cancel",
            Self::Restore => "restore",
            Self::Acknowledge => "acknowledge",
            Self::Assign(_) => "assign",
            Self::Note => "note",
            Self::Skip => "skip",
            Self::Revert => "revert",
            Self::Supersede => "supersede",
        }
    }
}

/// The entry that a command applies to, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The record.
    pub key: RecordKey,
    /// The entry's place in its lane.
    pub seq: u64,
}

/// Executes a command on one entry.
///
/// # Errors
/// The map or the entry does not exist, the reason is missing, the entry's state does not allow the command, or the
/// store does not answer.
pub async fn command<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    target: &Target,
    command: &Command,
    reason: &str,
) -> Result<(), AppError> {
    let done = execute(ports, caller, map, target, command, reason).await;
    done.map_err(|error| error.about(Subject::entry(map, &target.key, target.seq)))
}

async fn execute<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    target: &Target,
    command: &Command,
    reason: &str,
) -> Result<(), AppError> {
    let reason = checked(reason)?;
    if let Command::Assign(Some(to)) = command {
        check_name(to)?;
    }
    let map = maps::get(ports, map).await?;
    let lane = LaneKey { map: map.id.clone(), key: canonical_key(&map.config, &target.key)? };
    let operation = LaneOperation { ports, map: &map, lane: &lane, caller, reason };
    let mut head = operation.commit(target.seq, command).await?;
    // One commit archives a limited number of entries. The lane stays parked until the last of them is archived.
    while *command == Command::Supersede && head.parked {
        head = operation.commit(head.done_seq + 1, command).await?;
    }
    wake_if_writing(ports, &map, &lane, &head).await;
    Ok(())
}

/// Lists show the name of an assignee, so it is short and printable.
fn check_name(to: &str) -> Result<(), AppError> {
    let length = to.chars().count();
    if to.trim().is_empty() || length > MAX_NAME_CHARS || to.contains(char::is_control) {
        let message = format!("must name somebody in 1 to {MAX_NAME_CHARS} printable characters");
        return Err(AppError::mistake("to", &message));
    }
    Ok(())
}

/// Reads the head of a lane. A head of an earlier map of the same name does not count.
async fn read_head<P: AdminPorts>(ports: &P, map: &Map, lane: &LaneKey) -> Result<Head, AppError> {
    let head = ports.lanes().head(lane).await?.map(|(head, _)| head).filter(|head| head.map == map.uid);
    head.ok_or(AppError::NotFound(ResourceKind::Entry))
}

/// Builds the activity line of a commit on a lane. The id of the line contains the version that the commit replaces.
fn activity(map: &Map, what: ActivityKind, entry: &[u8], version: u64, by: &Attribution) -> LogEvent {
    LogEvent::Activity(Box::new(Activity {
        id: LogId::of(by.at, Order::Change(version), &[b"entry", entry, &version.to_be_bytes()]),
        at: by.at,
        map: Some(map.id.clone()),
        actor: by.actor.clone(),
        reason: by.reason.clone(),
        cause: Cause::Operator,
        what,
    }))
}

/// Wakes the drain for the lane if the map writes and the lane has something to do.
async fn wake_if_writing<P: AdminPorts>(ports: &P, map: &Map, lane: &LaneKey, head: &Head) {
    if map.state.intake() == Intake::Write {
        wake_if_due(ports, lane, head).await;
    }
}
