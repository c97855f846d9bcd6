//! Deletions of records that the other app lacks: proposed by one run, and carried out by another one when an operator has approved
//! them.

use domain::{
    Failure, Owner, RecordKey, Timestamp,
    failure::CallEffect,
    lane::{Final, Head, HeadVersion, KnownPast, Look, MissingRecord, Outcome},
    map::SideIx,
    record::{Image, Record},
    sync::{Deletion, DeletionFate, LegChoice, RowEnd, Selection, SyncKind, SyncRun},
};

use super::{
    copy::{Later, Read, RecordCopy, RecordEnd},
    look::{Looked, not_read, read_head},
    step::{Draft, StepEnd, copy_id, is_copy_id},
    work::Worker,
};
use crate::{
    attempt::read_record,
    ports::{FINDINGS_AT_ONCE, FindingList, PortError, SyncPorts, SyncRuns},
};

/// Earlier runs of the map whose proposals a run may take the place of.
const RUNS_SEARCHED: usize = 10;

/// A record that was read in its app, and that the other app lacks.
pub(super) struct Lacking<'a> {
    pub(super) head: Option<&'a Head>,
    pub(super) record: Record,
    pub(super) asked_at: Timestamp,
}

/// Proposes the deletion of a record, if two looks have found the same.
pub(super) fn propose<P: SyncPorts>(
    worker: &Worker<'_, P>,
    run: &SyncRun,
    (leg, key): (SideIx, &RecordKey),
    (looks, seen): (u32, Option<Look>),
    lacking: Lacking<'_>,
) -> Looked {
    let (ports, map) = (worker.ports, worker.map);
    let Lacking { head, record, asked_at } = lacking;
    let past = KnownPast::of(head, &map.map, leg.other());
    if run.choice.kind == SyncKind::DryRun {
        return Looked::Deletion(Deletion { fate: DeletionFate::Proposed, at: ports.now(), look: None, past });
    }
    let missing = MissingRecord {
        missing_from: leg.other(),
        there: record,
        lane: HeadVersion::of(head),
        asked_at,
        unchanged_since: ports.now(),
    };
    let missing = if let Some(seen) = seen { missing.after(&seen, &map.config) } else { missing };
    let look = Some(missing.look(&map.config));
    let copy = deletion(worker, run, (leg, key), (looks, asked_at), look);
    match copy.decide(ports, head, Read::Missing(missing), Owner(ports.fresh_id())) {
        // What would be written is dropped: an operator decides.
        Ok(_) => Looked::Deletion(Deletion { fate: DeletionFate::Proposed, at: ports.now(), look, past }),
        Err(end) => Looked::Is(end),
    }
}

fn deletion<'a, P: SyncPorts>(
    worker: &'a Worker<'a, P>,
    run: &SyncRun,
    (leg, key): (SideIx, &'a RecordKey),
    (looks, asked_at): (u32, Timestamp),
    seen: Option<Look>,
) -> RecordCopy<'a> {
    RecordCopy {
        map: worker.map,
        winners: &worker.winners,
        key,
        id: copy_id(run, leg, key, asked_at),
        looks,
        end: RowEnd::Deleted,
        seen,
    }
}

/// Carries out a deletion that an operator has approved: only if both apps and the lane are as they were when it was proposed.
/// `proposed`: what was found then.
pub(super) async fn carry_out<P: SyncPorts>(
    worker: &Worker<'_, P>,
    run: &SyncRun,
    (leg, key): (SideIx, &RecordKey),
    looks: u32,
    proposed: Option<Look>,
) -> Result<Looked, PortError> {
    let (ports, map) = (worker.ports, worker.map);
    // The head first: what is read after it is conditional on it.
    let head = read_head(worker, key).await?;
    let asked_at = ports.now();
    let permit = worker.pace.permit().await;
    let read = futures::join!(read_record(ports, map, key, leg), read_record(ports, map, key, leg.other()));
    let (here, there) = match read {
        (Ok(here), Ok(there)) => (here, there),
        (Err(failure), _) => {
            permit.ended(Some(&failure), ports.now());
            return Ok(Looked::Is(keep_look(not_read(leg, failure, looks, ports.now()), proposed)));
        }
        (_, Err(failure)) => {
            permit.ended(Some(&failure), ports.now());
            return Ok(Looked::Is(keep_look(not_read(leg.other(), failure, looks, ports.now()), proposed)));
        }
    };
    let past = KnownPast::of(head.as_ref(), &map.map, leg.other());
    let fate = |fate| Ok(Looked::Deletion(Deletion { fate, at: ports.now(), look: proposed, past }));
    let own = head.as_ref().filter(|head| head.map == map.map.uid).and_then(|head| find_own(head, run, (leg, key)));
    let there = match (here, there) {
        (Image::Present(there), Image::Absent) => there,
        (Image::Absent, Image::Absent) => {
            permit.ended(None, ports.now());
            // A worker crashed before it counted that, or the outcome of the call was not known.
            let is_ours = matches!(own, Some(Outcome::Written { .. }));
            return fate(if is_ours { DeletionFate::Deleted } else { DeletionFate::Gone });
        }
        (_, Image::Present(_)) => {
            permit.ended(None, ports.now());
            return fate(DeletionFate::CameBack);
        }
    };
    let (lane, unchanged_since) = (HeadVersion::of(head.as_ref()), ports.now());
    let missing = MissingRecord { missing_from: leg.other(), there, lane, asked_at, unchanged_since };
    let copy = deletion(worker, run, (leg, key), (looks, asked_at), proposed);
    if head.as_ref().is_some_and(|head| !head.idle()) {
        permit.ended(None, ports.now());
        // The run's own call among others, if its outcome is not known.
        let parked = head.is_some_and(|head| head.parked);
        return Ok(Looked::Is(if parked { RecordEnd::Ended(RowEnd::Held) } else { copy.look_again(ports) }));
    }
    if let Some(Outcome::Refused { class, code, message, .. }) = own {
        permit.ended(None, ports.now());
        let failure = Failure::new(*class, CallEffect::Refused, code.clone(), message);
        return Ok(Looked::Is(RecordEnd::Failed(failure)));
    }
    let Some(before) = proposed.filter(|proposed| missing.is_as_in(proposed, &map.config)) else {
        permit.ended(None, ports.now());
        return fate(DeletionFate::ChangedSince);
    };
    let owner = Owner(ports.fresh_id());
    let missing = missing.after(&before, &map.config);
    let decided = match copy.decide(ports, head.as_ref(), Read::Missing(missing), owner) {
        Ok(decided) => decided,
        Err(end) => {
            permit.ended(None, ports.now());
            return Ok(Looked::Is(end));
        }
    };
    let (end, failure) = copy.write(ports, head.as_ref(), decided, owner).await?;
    permit.ended(failure.as_ref(), ports.now());
    if end == RecordEnd::Ended(RowEnd::Deleted) {
        return fate(DeletionFate::Deleted);
    }
    Ok(Looked::Is(end))
}

/// A record that is looked at again is compared with what was proposed.
fn keep_look(end: RecordEnd, proposed: Option<Look>) -> RecordEnd {
    match end {
        RecordEnd::Later(later) => RecordEnd::Later(Later { seen: proposed, ..later }),
        other => other,
    }
}

/// What the lane says about a deletion of this run.
fn find_own<'a>(head: &'a Head, run: &SyncRun, (leg, key): (SideIx, &RecordKey)) -> Option<&'a Outcome> {
    let own = head.recent.iter().filter(|last| is_copy_id(last.id, run, leg, key)).last();
    own.map(|last: &Final| &last.outcome)
}

/// A run of all records has the last word about what is missing: proposals of earlier runs leave their lists, with what came
/// back. A few at a time.
pub(super) async fn supersede_earlier<P: SyncPorts>(worker: &mut Worker<'_, P>) -> Result<StepEnd, PortError> {
    let choice = &worker.run.choice;
    let leg = choice.winner.other();
    if choice.kind == SyncKind::DryRun
        || choice.selection != Selection::All
        || choice.legs[leg] != LegChoice::ProposeDeletion
    {
        return Ok(StepEnd::Done);
    }
    let earlier = worker.ports.runs().runs(&worker.map.map, Some(worker.run.id), RUNS_SEARCHED).await?;
    for earlier in earlier.into_iter().filter(|earlier| earlier.is_over() && earlier.counts[leg].proposed > 0) {
        let open = worker.ports.runs().findings(earlier.id, FindingList::Deletions, None, FINDINGS_AT_ONCE).await?;
        if !open.is_empty() {
            let mut draft = Draft::of(&worker.run);
            open.into_iter().for_each(|proposed| draft.take_from_list(earlier.id, proposed));
            return worker.commit(draft).await;
        }
    }
    Ok(StepEnd::Done)
}
