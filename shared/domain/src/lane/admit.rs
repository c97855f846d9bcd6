//! What becomes of an arriving write.

use std::ops::ControlFlow;

use super::{
    ActiveEntry, Answer, Crossing, Echo, Echoes, Entry, Head, LaneVersion, Marker, MarkerState, Mode, OpenTransaction,
    SkipReason, Winner, Work, Write,
    guard::{Report, ReportKind, classify_report},
    plan::{content, plan},
};
use crate::{
    id::{EntryId, Owner, WriteId},
    limits::{BOUNCES_WITHIN_MS, MAX_BOUNCES},
    map::{Intake, Map, PerSide, SideIx},
    mapping::passes,
    record::{ContentHash, Image},
    side::SideConfig,
    time::Timestamp,
};

/// A write as a caller sent it, checked and with its sides found.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// The caller's id.
    pub id: WriteId,
    /// Fingerprint of the whole request.
    pub body: ContentHash,
    /// The side that has the change already. `None`: neither has it.
    pub origin: Option<SideIx>,
    /// Whose field names the images use.
    pub shape: SideIx,
    /// Whether the caller can still roll back.
    pub mode: Mode,
    /// The new image.
    pub image: Image,
    /// The image before the change, if the caller tells.
    pub before: Option<Image>,
    /// The newest version of Tandem's that the caller had received when it made the change.
    pub base: Option<LaneVersion>,
    /// The caller's own version of the record.
    pub version: Option<u64>,
    /// When the caller committed the change.
    pub committed_at: Option<Timestamp>,
}

/// What an admission is decided with, besides the lane.
#[derive(Clone, Copy, Debug)]
pub struct AdmitContext<'a> {
    /// The map.
    pub map: &'a Map,
    /// The settings of its two sides.
    pub sides: PerSide<&'a SideConfig>,
    /// The time now.
    pub now: Timestamp,
    /// Who will execute the entry, if it is executed now.
    pub owner: Owner,
    /// How long its calls may take at most.
    pub lease_ms: u64,
}

/// What becomes of an arriving write.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission {
    /// It came before, and this is the answer.
    Repeat(Answer),
    /// It came before and is in the journal: the marker says where.
    Queued(Marker),
    /// It came before and is being executed at this moment: wait, the answer may still be a refusal.
    InFlight,
    /// Nothing is to be done.
    Skip(SkipReason),
    /// It is an echo (or covered): these must be noted before the answer, so that a repeat of it is known.
    Echo(Echoes, SkipReason),
    /// The lane is idle: store the head, then call the apps.
    Execute {
        /// The head with the entry in flight.
        head: Box<Head>,
        /// The entry.
        entry: Box<Entry>,
    },
    /// The lane is busy or the map paused: store head and entry.
    Append {
        /// The head with one more place taken.
        head: Box<Head>,
        /// The entry.
        entry: Box<Entry>,
    },
}

/// Why a write cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The id was used for another request.
    IdReused,
    /// The id is so old that its answer may have been forgotten: it could be a late duplicate.
    IdTooOld,
}

/// Decides about an arriving write. `marker` is what the journal has under its id; it must have been read when the
/// lane is not idle.
///
/// # Errors
/// The id was used for something else, or is too old to tell.
pub fn admit(
    head: Option<&Head>,
    echoes: &Echoes,
    marker: Option<&Marker>,
    arrival: Arrival,
    entry: EntryId,
    context: AdmitContext<'_>,
) -> Result<Admission, Rejection> {
    let AdmitContext { map, now, .. } = context;
    let mut head = head.cloned().map_or_else(|| Head::new(map.uid, now), |head| head.of_map(map.uid, now));
    forget_seen_evictions(&mut head, echoes);
    if let Some(known) = find_known_id(&head, echoes, marker, &arrival)? {
        return Ok(known);
    }
    if let Some(reason) = find_reason_to_skip(&head, &arrival, map) {
        return Ok(Admission::Skip(reason));
    }
    let report = match arrival.origin {
        None => ReportFindings::default(),
        Some(origin) => match classify(&mut head, echoes, origin, &arrival, context) {
            ControlFlow::Break(admission) => return Ok(admission),
            ControlFlow::Continue(findings) => findings,
        },
    };
    Ok(take_place(head, arrival, report, entry, context))
}

/// Clears the filter of evicted contents of each side that has seen the newest evicted write: no later report can be the
/// echo of one. This comes first, because everything below asks the filter.
fn forget_seen_evictions(head: &mut Head, echoes: &Echoes) {
    for side in SideIx::BOTH {
        let seen = head.sides[side].seen_seq.max(echoes.newest(head.generation, side));
        if seen >= head.sides[side].evicted_seq {
            head.sides[side].evicted_filter = 0;
        }
    }
}

/// Why there is nothing to do about a write, whatever its content: its map is stopped, its side's filter excludes it, or
/// its caller has reported a newer version of the record.
fn find_reason_to_skip(head: &Head, arrival: &Arrival, map: &Map) -> Option<SkipReason> {
    if map.state.intake() == Intake::Skip {
        return Some(SkipReason::Stopped);
    }
    let origin = arrival.origin?;
    if !passes(&map.config.side(origin).filter, &arrival.image) {
        return Some(SkipReason::Filtered);
    }
    let known = head.sides[origin].reported_version;
    let superseded = arrival.version.zip(known).is_some_and(|(new, known)| new < known);
    (superseded && !is_made_anew(head, origin, arrival)).then_some(SkipReason::Superseded)
}

/// Whether a report makes a record anew that its side was known to have lost: the app counts its versions from the beginning.
fn is_made_anew(head: &Head, origin: SideIx, arrival: &Arrival) -> bool {
    let side = &head.sides[origin];
    let absent = ContentHash::of(&Image::Absent);
    let was_deleted =
        side.last_reported == Some(absent) || side.recent_writes.last().is_some_and(|last| last.content == absent);
    was_deleted && arrival.before == Some(Image::Absent) && arrival.image != Image::Absent
}

/// Classifies the report of a side. An echo, and a report that a waiting resync covers, end here; a change is noted as
/// the last report of its side.
fn classify(
    head: &mut Head,
    echoes: &Echoes,
    origin: SideIx,
    arrival: &Arrival,
    context: AdmitContext<'_>,
) -> ControlFlow<Admission, ReportFindings> {
    let config = &context.map.config;
    let reported = content(config, arrival.shape, &arrival.image);
    let before = arrival.before.as_ref().map(|image| content(config, origin, image));
    let echo_of = |version, covered| {
        let (id, body) = (arrival.id.value(), arrival.body);
        echoes.with(Echo { id, origin, body, version, covered, content: reported })
    };
    let report = Report { origin, content: reported, before, arrival, side: context.sides[origin] };
    let mut findings = ReportFindings::default();
    match classify_report(head, echoes, report, config, context.now) {
        ReportKind::Echo(version) => {
            return ControlFlow::Break(Admission::Echo(echo_of(version, false), SkipReason::Echo));
        }
        ReportKind::Ambiguous => {
            let resync = head.sides[origin].resync_seq;
            let waits = resync > head.done_seq && head.inflight.as_ref().is_none_or(|inflight| inflight.seq != resync);
            // A change that was admitted behind the copy is older than this report, and would overwrite what the copy carries.
            let waits = waits && head.sides[origin.other()].last_write_seq <= resync;
            if waits && arrival.mode == Mode::Committed {
                let covered = echo_of(head.version_of(resync), true);
                return ControlFlow::Break(Admission::Echo(covered, SkipReason::Covered));
            }
            findings.ambiguous = true;
        }
        ReportKind::Change { seen, crossing } => {
            head.sides[origin].seen_seq = head.sides[origin].seen_seq.max(seen);
            let loses = config.primary().is_some_and(|primary| primary != origin);
            let winner = if loses { Winner::TheOther } else { Winner::ThisWrite };
            findings.crossing = crossing.then_some(Crossing { winner });
        }
    }
    let (made_anew, seq) = (is_made_anew(head, origin, arrival), head.next_seq);
    // Only apps that both report what Tandem writes can answer each other.
    let both_report = context.sides.0.iter().all(|side| side.reports_own_writes);
    findings.bounces = count_bounces(head, origin, reported, context.now) >= MAX_BOUNCES && both_report;
    let side = &mut head.sides[origin];
    if made_anew {
        side.reported_version = None;
    }
    (side.last_reported, side.last_reported_seq, side.echoes_at_report) = (Some(reported), seq, echoes.count(origin));
    ControlFlow::Continue(findings)
}

/// Counts how often in a row a side has reported the same content again, each time soon after it was written what the other
/// side had reported. Two apps that each store a value in their own form, and report that, would go on for ever. A user who
/// sets a value back does so at one side; users whose changes wait in the lane have not seen each other's.
fn count_bounces(head: &mut Head, origin: SideIx, reported: ContentHash, now: Timestamp) -> u32 {
    let other = head.sides[origin.other()].last_reported_seq;
    let inflight = head.inflight.as_ref().is_some_and(|inflight| inflight.seq == other);
    let side = &mut head.sides[origin];
    let written = inflight || side.recent_writes.iter().any(|write| write.seq == other);
    let again = side.last_reported == Some(reported)
        && other > side.last_reported_seq
        && written
        && now.ms_since(side.last_reported_at) < BOUNCES_WITHIN_MS;
    side.bounces = if again { side.bounces + 1 } else { 0 };
    side.last_reported_at = now;
    side.bounces
}

/// Finds the answer to an id that came before.
fn find_known_id(
    head: &Head,
    echoes: &Echoes,
    marker: Option<&Marker>,
    arrival: &Arrival,
) -> Result<Option<Admission>, Rejection> {
    let same = |body: ContentHash| if body == arrival.body { Ok(()) } else { Err(Rejection::IdReused) };
    let direct = head.inflight.as_ref().and_then(|inflight| inflight.direct.as_ref()).and_then(|entry| entry.write());
    if let Some(write) = direct
        && write.id.value() == arrival.id.value()
    {
        same(write.body)?;
        return Ok(Some(Admission::InFlight));
    }
    if let Some(last) = head.recent.get(arrival.id) {
        same(last.body)?;
        return Ok(Some(Admission::Repeat(Answer::replay(&last.outcome, head.version_of(last.seq), None))));
    }
    if let Some(echo) = echoes.get(arrival.id) {
        same(echo.body)?;
        return Ok(Some(Admission::Repeat(Answer::Skipped(echo.reason()))));
    }
    if let Some(marker) = marker {
        same(marker.body)?;
        return Ok(Some(match &marker.state {
            MarkerState::Final { outcome, .. } => {
                Admission::Repeat(Answer::replay(outcome, head.version_of(marker.seq), Some(marker.entry)))
            }
            MarkerState::Open | MarkerState::WrittenBackLater => Admission::Queued(marker.clone()),
        }));
    }
    let forgotten = head.recent.too_old(arrival.origin, arrival.id)
        || arrival.origin.is_some_and(|origin| echoes.too_old(origin, arrival.id));
    if forgotten { Err(Rejection::IdTooOld) } else { Ok(None) }
}

/// What the report of a change was found to be.
#[derive(Clone, Copy, Default)]
struct ReportFindings {
    crossing: Option<Crossing>,
    ambiguous: bool,
    /// Both apps have reported what they report now before.
    bounces: bool,
}

/// Takes the next place in the lane.
fn take_place(
    mut head: Head,
    arrival: Arrival,
    found: ReportFindings,
    id: EntryId,
    context: AdmitContext<'_>,
) -> Admission {
    let AdmitContext { map, now, .. } = context;
    let idle = head.idle() && !head.parked;
    let seq = head.next_seq;
    note_reporter_and_targets(&mut head, &arrival, found, seq, context);
    head.next_seq += 1;
    head.version += 1;
    let Arrival { id: write_id, body, origin, shape, mode, image, .. } = arrival;
    let write = Write { id: write_id, body, origin, shape, mode, image };
    let mut entry = Entry::new(seq, id, Work::Write(write), now);
    (entry.crossing, entry.needs_resync, entry.epoch) = (found.crossing, found.ambiguous, map.epoch);
    if found.bounces {
        entry.note_bounce(map, now);
    }
    if idle && !found.bounces && !entry.waits_for_answer() && map.state.intake() == Intake::Write {
        let (head, entry) = execute_directly(head, entry, context);
        return Admission::Execute { head: Box::new(head), entry: Box::new(entry) };
    }
    if idle {
        head.not_before = head.due_from(&entry, now);
    }
    Admission::Append { head: Box::new(head), entry: Box::new(entry) }
}

/// Puts an entry in flight that is in no journal, for its first attempt.
pub(super) fn execute_directly(mut head: Head, mut entry: Entry, context: AdmitContext<'_>) -> (Head, Entry) {
    let AdmitContext { map, now, owner, lease_ms, .. } = context;
    entry.attempts = 1;
    head.inflight = Some(ActiveEntry {
        seq: entry.seq,
        entry: entry.id,
        owner: Some(owner),
        lease_end: now.plus_ms(lease_ms),
        writing: writing(&entry, map),
        direct: Some(Box::new(entry.clone())),
    });
    (head, entry)
}

/// Notes the side that reported, and the sides that will be written to.
fn note_reporter_and_targets(
    head: &mut Head,
    arrival: &Arrival,
    found: ReportFindings,
    seq: u64,
    context: AdmitContext<'_>,
) {
    let AdmitContext { now, sides, .. } = context;
    let ReportFindings { crossing, ambiguous, .. } = found;
    let loses = crossing.is_some_and(|crossing| crossing.winner == Winner::TheOther);
    for to in SideIx::BOTH {
        let is_origin = arrival.origin == Some(to);
        let side = &mut head.sides[to];
        if is_origin {
            side.reported_version = side.reported_version.max(arrival.version);
            side.etag = None;
            if arrival.mode == Mode::Sync {
                let longest_ms = sides[to].longest_transaction_ms;
                side.open_transaction = Some(OpenTransaction { accepted_at: now, longest_ms });
            }
            if ambiguous {
                side.resync_seq = seq;
            }
        }
        if is_origin == loses || (is_origin && crossing.is_some()) || arrival.origin.is_none() {
            side.last_write_seq = seq;
            side.last_write_at = now;
        }
    }
}

/// What an entry's calls will bring to each side.
pub(super) fn writing(entry: &Entry, map: &Map) -> PerSide<Option<ContentHash>> {
    let mut writing = PerSide::default();
    for step in plan(entry, &map.config).unwrap_or_default() {
        if let super::Action::Put(image) = &step.action {
            writing[step.to] = Some(content(&map.config, step.to, image));
        }
    }
    writing
}
