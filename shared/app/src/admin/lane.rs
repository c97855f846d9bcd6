//! What an operator does to entries of one record: try again, edit, hold, cancel, give up, note.
//!
//! Every command names the entry it was decided upon, by its place. When the lane has moved on in the meantime, the
//! operator is told, and nothing is done.

mod bring_back;
mod stored;

use domain::{
    EntryId, LogId, Map, MapId, Record, RecordKey, SideIx, Timestamp,
    lane::{
        ArchiveCause, Archiving, Attribution, Entry, Head, JournalEffect, LaneCommand, NotNow, NotPossible,
        RestoreCause, Work, append, archive, call_life_ms, operate,
    },
    limits::MAX_BODY_BYTES,
    log::{Activity, ActivityKind, LogEvent, Order},
    map::{Cause, Intake, MapConfig},
    record::Image,
};
use serde_json::Value;

pub(super) use self::bring_back::append_with;
use self::stored::{Tried, archive_id, was_stored};
use super::{AdminPorts, Caller, map_commands::checked, maps};
use crate::{
    error::{About, AppError, Conflict, Thing},
    ports::{ARCHIVED_AT_ONCE, Commit, CommitError, ConfigStore, LaneKey, Lanes, PortError, WakeUps, archived_at_once},
};

/// How often a command is decided anew because the lane changed under it.
const MAX_ROUNDS: u32 = 10;

/// Longest name of somebody who takes care of an entry, in characters.
const MAX_NAME_CHARS: usize = 100;

/// What is done to an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Try it again, now.
    Retry,
    /// Change some fields, then try it again: both apps get the new record. `null` takes a field out.
    Edit(Record),
    /// Do not try it until somebody says so.
    Hold,
    /// Do not write it when its turn comes.
    Cancel,
    /// Write a cancelled entry after all.
    Restore,
    /// Somebody has seen it.
    Acknowledge,
    /// Somebody takes care of it.
    Assign(Option<String>),
    /// Remember this.
    Note,
    /// Give it up: the two apps may differ in this record until its next change.
    Skip,
    /// Give it up, and give its own app what the other one has.
    Revert,
    /// Let the last write of the record take the place of all before it.
    Supersede,
}

impl Command {
    /// Its name.
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

/// An entry, as an operator saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The record.
    pub key: RecordKey,
    /// The entry's place in its lane.
    pub seq: u64,
}

/// Does it.
///
/// # Errors
/// There is no such map or entry, the reason is missing, the entry's state does not allow it, or the store does not
/// answer.
pub async fn command<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    target: &Target,
    command: &Command,
    reason: &str,
) -> Result<(), AppError> {
    let done = carry_out(ports, caller, map, target, command, reason).await;
    done.map_err(|error| error.about(About::entry(map, &target.key, target.seq)))
}

async fn carry_out<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    target: &Target,
    command: &Command,
    reason: &str,
) -> Result<(), AppError> {
    let reason = checked(reason)?;
    if let Command::Assign(Some(to)) = command {
        checked_name(to)?;
    }
    let map = maps::get(ports, map).await?;
    let lane = LaneKey { map: map.id.clone(), key: target.key.clone() };
    let (mut seq, mut round) = (target.seq, 0);
    let mut tried: Option<Tried> = None;
    let mut failed = AppError::Contended;
    while round < MAX_ROUNDS {
        if round > 0 {
            ports.sleep(10 << round.min(5)).await;
        }
        let head = head(ports, &map, &lane).await?;
        let ours = match &tried {
            Some(tried) => was_stored(ports, &map, &lane, tried).await?,
            None => false,
        };
        let next = match tried.take().filter(|_| ours) {
            Some(tried) => tried.next, // our own commit, whose answer was lost
            None => {
                let entry = entry(ports, &lane, &head, seq).await?;
                let by = Attribution { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
                let done = line(&map, &lane, &entry, &head, command, &by);
                let (write, stamp) = (entry.write().map(|write| write.id), by.clone());
                let (next, mut effects) = decide(ports, &map, &lane, &head, entry, command, by).await?;
                let kept = effects.iter().find_map(archive_id);
                effects.push(JournalEffect::Log(done));
                let commit = Commit::of(Some(&head), next.clone(), effects);
                match ports.lanes().commit(&lane, commit).await {
                    Ok(()) => next,
                    Err(CommitError::Port(error @ PortError::Permanent(_))) => return Err(error.into()),
                    Err(error) => {
                        failed = match error {
                            CommitError::Port(error) => error.into(),
                            CommitError::Stale | CommitError::Duplicate => AppError::Contended,
                        };
                        tried = Some(Tried { next, seq, by: stamp, kept, write, command: command.clone() });
                        round += 1;
                        continue;
                    }
                }
            }
        };
        if *command == Command::Supersede && next.parked {
            (seq, round) = (next.done_seq + 1, 0);
            continue;
        }
        wake(ports, &map, &lane, &next).await;
        return Ok(());
    }
    Err(failed)
}

/// Whoever takes care of an entry is named in lists.
fn checked_name(to: &str) -> Result<(), AppError> {
    let length = to.chars().count();
    if to.trim().is_empty() || length > MAX_NAME_CHARS || to.contains(char::is_control) {
        return Err(AppError::mistake(
            "to",
            &format!("must name somebody in 1 to {MAX_NAME_CHARS} printable characters"),
        ));
    }
    Ok(())
}

async fn head<P: AdminPorts>(ports: &P, map: &Map, lane: &LaneKey) -> Result<Head, AppError> {
    let head = ports.lanes().head(lane).await?.map(|(head, _)| head).filter(|head| head.map == map.uid);
    head.ok_or(AppError::NotFound(Thing::Entry))
}

async fn entry<P: AdminPorts>(ports: &P, lane: &LaneKey, head: &Head, seq: u64) -> Result<Entry, AppError> {
    let direct = head.inflight.as_ref().and_then(|inflight| inflight.direct.as_deref().cloned());
    let found = match direct.filter(|entry| entry.seq == seq) {
        Some(entry) => Some(entry),
        None => ports.lanes().entry(lane, seq).await?,
    };
    found.ok_or(AppError::NotFound(Thing::Entry))
}

/// The command's line in the activity log.
fn line(map: &Map, lane: &LaneKey, entry: &Entry, head: &Head, command: &Command, by: &Attribution) -> LogEvent {
    let (command, key) = (command.as_str().to_owned(), lane.key.clone());
    activity(map, ActivityKind::Entry { command, key, seq: entry.seq }, &entry.id.0.to_be_bytes(), head.version, by)
}

/// A line about a record, made by a commit that follows this version of its lane.
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

type Decided = (Head, Vec<JournalEffect>);

async fn decide<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    head: &Head,
    entry: Entry,
    command: &Command,
    by: Attribution,
) -> Result<Decided, AppError> {
    let next = entry.seq == head.done_seq + 1;
    let simple = match command {
        Command::Retry => LaneCommand::Retry,
        Command::Edit(patch) => {
            let (image, sides) = (edited(&map.config, &entry, patch)?, sides(ports, map).await?);
            let (id, kept) = (EntryId(ports.fresh_id()), EntryId(ports.fresh_id()));
            LaneCommand::Edit { image, id, kept, call_life_ms: call_life_ms([&sides[0], &sides[1]]) }
        }
        Command::Hold => LaneCommand::Hold,
        // What is next is archived at once; what waits behind others when its turn comes.
        Command::Cancel if next => {
            return give_up(ports, map, lane, head, vec![entry], ArchiveCause::Cancelled, by).await;
        }
        Command::Cancel => LaneCommand::Cancel,
        Command::Restore => LaneCommand::Restore,
        Command::Acknowledge => LaneCommand::Acknowledge,
        Command::Assign(to) => LaneCommand::Assign(to.clone()),
        Command::Note => LaneCommand::Note,
        Command::Skip | Command::Revert | Command::Supersede if !next => {
            return Err(AppError::Conflict(Conflict::NotNext));
        }
        Command::Skip => return give_up(ports, map, lane, head, vec![entry], ArchiveCause::Skipped, by).await,
        Command::Revert => return revert(ports, map, lane, head, entry, by).await,
        Command::Supersede => return supersede(ports, map, lane, head, by).await,
    };
    operate(head, &lane.key, &entry, simple, by).map_err(|why| impossible(why, ports.now()))
}

/// The record with some fields changed.
fn edited(config: &MapConfig, entry: &Entry, patch: &Record) -> Result<Image, AppError> {
    let Some(write) = entry.write() else { return Err(AppError::Conflict(Conflict::NotAWrite)) };
    let Image::Present(mut record) = write.image.clone() else {
        return Err(AppError::mistake("record", "the entry deletes the record: there is nothing to edit"));
    };
    let side = config.side(write.shape);
    for (name, value) in patch {
        let known = config.fields.iter().any(|field| field.names.get(&side.side) == Some(name));
        if !known {
            let message = format!("is not a mapped field of {}", side.side);
            return Err(AppError::mistake(&format!("record.{name}"), &message));
        }
        if *value == Value::String(domain::redact::REDACTED.to_owned()) {
            return Err(AppError::mistake(&format!("record.{name}"), "is the redaction placeholder, not a value; leave the field out to keep the stored value"));
        }
        record.insert(name.clone(), value.clone());
    }
    let bytes = serde_json::to_vec(&record).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BODY_BYTES {
        let message = format!("would have {bytes} bytes with these fields; a record has {MAX_BODY_BYTES} at most");
        return Err(AppError::mistake("record", &message));
    }
    let image = Image::Present(record);
    domain::mapping::translate(config, write.shape, &image).map_err(AppError::Mapping)?;
    Ok(image)
}

async fn give_up<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    head: &Head,
    entries: Vec<Entry>,
    cause: ArchiveCause,
    by: Attribution,
) -> Result<Decided, AppError> {
    let sides = sides(ports, map).await?;
    let ids: Vec<_> = entries.iter().map(|_| EntryId(ports.fresh_id())).collect();
    let sides = [&sides[0], &sides[1]];
    let now = ports.now();
    let what = Archiving { map: &lane.map, key: &lane.key, entries: &entries, cause, by: &by, ids: &ids, sides, now };
    archive(head, &what).map_err(|why| {
        AppError::Conflict(match why {
            NotNow::InFlight(until) | NotNow::MayLand(until) => in_flight(until, now),
            NotNow::Changed => Conflict::NotNext,
        })
    })
}

/// The settings of the map's two sides, in map order.
async fn sides<P: AdminPorts>(ports: &P, map: &Map) -> Result<[domain::side::SideConfig; 2], AppError> {
    let side = async |ix: SideIx| -> Result<_, AppError> {
        let found = ports.store().side(&map.config.side(ix).side).await?;
        Ok(found.ok_or(AppError::NotFound(Thing::Side))?.config)
    };
    Ok([side(SideIx::First).await?, side(SideIx::Second).await?])
}

/// Gives a change up, and its own app what the other one has.
async fn revert<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    head: &Head,
    entry: Entry,
    by: Attribution,
) -> Result<Decided, AppError> {
    let to = match (&entry.work, entry.done.0) {
        (Work::Write(write), _) if write.origin.is_some() => write.origin,
        // Neither app had it: the one that took it gets back what the other has.
        (Work::Write(_), [true, false]) => Some(SideIx::First),
        (Work::Write(_), [false, true]) => Some(SideIx::Second),
        // The first is called first: it may have taken it, and its answer was lost.
        (Work::Write(_), [false, false]) if entry.outcome_unknown || head.inflight.is_some() => Some(SideIx::First),
        (Work::Write(_), _) => None,
        (Work::Restore { from, .. }, _) => Some(*from),
    };
    let (head, mut effects) = give_up(ports, map, lane, head, vec![entry], ArchiveCause::Reverted, by.clone()).await?;
    let Some(to) = to else { return Ok((head, effects)) };
    let work = Work::Restore { from: to.other(), to, cause: RestoreCause::Reverted };
    let version = head.version;
    let (head, restore) = append(&head, work, EntryId(ports.fresh_id()), map.epoch, by.at);
    effects.push(JournalEffect::Append(restore, None));
    Ok((Head { version, ..head }, effects)) // one commit, one version
}

/// Archives everything but the last entry, as much of it as fits into one commit. Until the last part the lane stays
/// parked, so that nothing of it is tried in between.
async fn supersede<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    head: &Head,
    by: Attribution,
) -> Result<Decided, AppError> {
    let before_last = usize::try_from(head.next_seq - head.done_seq - 2).unwrap_or(usize::MAX);
    if before_last == 0 {
        return Err(AppError::Conflict(Conflict::NothingBehind));
    }
    let entries = ports.lanes().entries(lane, head.done_seq + 1, before_last.min(ARCHIVED_AT_ONCE)).await?;
    let entries = archived_at_once(entries);
    let all = entries.len() == before_last;
    let (next, effects) = give_up(ports, map, lane, head, entries, ArchiveCause::Superseded, by).await?;
    Ok((Head { parked: !all, ..next }, effects))
}

fn impossible(why: NotPossible, now: Timestamp) -> AppError {
    AppError::Conflict(match why {
        NotPossible::InFlight(until) => in_flight(until, now),
        NotPossible::NotNext => Conflict::NotNext,
        NotPossible::NotParked => Conflict::NotParked,
        NotPossible::NotAWrite => Conflict::NotAWrite,
        NotPossible::Already => Conflict::AlreadySo,
    })
}

fn in_flight(until: Timestamp, now: Timestamp) -> Conflict {
    Conflict::EntryInFlight { until, retry_after_s: until.ms_since(now).div_ceil(1_000).max(1) }
}

/// Has somebody go on with the lane, if the map writes and there is something to do.
async fn wake<P: AdminPorts>(ports: &P, map: &Map, lane: &LaneKey, head: &Head) {
    let due = head.due().is_some_and(|due| due <= ports.now());
    if due
        && map.state.intake() == Intake::Write
        && let Err(error) = ports.wakes().wake_lane(lane).await
    {
        tracing::warn!(map.id = %lane.map, %error, "a lane could not be woken; the sweep will find it");
    }
}
