//! Looks at single records: reads them on both sides, and copies what differs if the run writes.

use domain::{
    Failure, Owner, RecordKey, Timestamp,
    failure::{CallEffect, backoff_ms},
    lane::{CopiedRow, Final, Head, HeadVersion, Look, Outcome, content},
    map::{Intake, SideIx},
    record::Image,
    sync::{Deletion, Difference, Finding, FindingState, LegChoice, RowEnd, Selection, SyncKind, SyncRun},
};
use futures::{StreamExt, stream};

use super::{
    compare::{Both, Compared, compare, read_both},
    copy::{Later, Read, RecordCopy, RecordEnd},
    deletion::{self, Lacking},
    select,
    step::{Draft, StepEnd, Wait, copy_id, is_copy_id},
    work::Worker,
};
use crate::ports::{FINDINGS_AT_ONCE, FindingList, LaneKey, Lanes, PortError, SyncMap, SyncPorts, SyncRuns};

/// Records looked at before they are committed: each takes its old finding out, and may put a new one in.
const LOOKS_AT_ONCE: usize = FINDINGS_AT_ONCE / 2;
/// A deletion leaves the list of the run that has proposed it, too.
const DELETIONS_AT_ONCE: usize = FINDINGS_AT_ONCE / 3;

/// What a look came to, and the row that was looked at, if it was read.
type RowLooked = (Looked, Option<Image>);

/// What a look came to.
#[derive(Debug, PartialEq)]
pub(super) enum Looked {
    /// What became of the record.
    Is(RecordEnd),
    /// The run does not write, and the two sides differ.
    Differs(Difference),
    /// The other app lacks the record, or lacked it: its deletion is proposed, or decided about.
    Deletion(Deletion),
}

impl Looked {
    /// Notes it. `looks`: the looks before.
    pub(super) fn note<P: SyncPorts>(
        &self,
        worker: &Worker<'_, P>,
        draft: &mut Draft,
        (leg, key): (SideIx, &RecordKey),
        row: Option<&Image>,
        looks: u32,
    ) {
        match self {
            Self::Is(end) => draft.note_end(worker.map, (leg, key), end, (row, looks), worker.ports.now()),
            Self::Differs(difference) => {
                let end = if difference.missing { RowEnd::Inserted } else { RowEnd::Updated };
                draft.end_with(leg, key, end, FindingState::Differs(difference.clone()));
            }
            Self::Deletion(deletion) => draft.decide_deletion((leg, key), deletion.clone()),
        }
    }
}

/// Looks at one record. `seen`: what the look before found.
pub(super) async fn look_at<P: SyncPorts>(
    worker: &Worker<'_, P>,
    run: &SyncRun,
    (leg, key): (SideIx, &RecordKey),
    looks: u32,
    seen: Option<Look>,
) -> Result<RowLooked, PortError> {
    let is = |end| Ok((Looked::Is(end), None));
    let (ports, map, kind) = (worker.ports, worker.map, run.choice.kind);
    if kind.writes() && map.state.intake() != Intake::Write {
        return is(RecordEnd::MapNotWriting);
    }
    if worker.is_out_of_time() {
        return is(RecordEnd::PutOff);
    }
    let failed_before = select::find_failure(worker, (leg, key)).await?;
    if run.choice.selection == Selection::NewOnly && failed_before.is_some() {
        return is(RecordEnd::Ended(RowEnd::Filtered));
    }
    if kind == SyncKind::ApproveDeletions {
        return Ok((deletion::carry_out(worker, run, (leg, key), looks, seen).await?, None));
    }
    // The head first: what is read after it is conditional on it.
    let reads_head = kind != SyncKind::DryRun || run.choice.selection.ends_at_start();
    let head = if reads_head { read_head(worker, key).await? } else { None };
    let asked_at = ports.now();
    let permit = worker.pace.permit().await;
    let both = read_both(ports, map, key, leg).await;
    let (record, there) = match both {
        Ok(Both::Records(record, there)) => (record, there),
        Ok(nothing) => {
            permit.ended(None, ports.now());
            let end = if matches!(nothing, Both::Filtered) { RowEnd::Filtered } else { RowEnd::Gone };
            return is(RecordEnd::Ended(end));
        }
        Err((side, failure)) => {
            permit.ended(Some(&failure), ports.now());
            return is(not_read(side, failure, looks, ports.now()));
        }
    };
    let image = Image::Present(record.clone());
    let content_before = failed_before.and_then(|failed| failed.content);
    if run.choice.selection == Selection::Edited && content_before == Some(content(&map.config, leg, &image)) {
        return is(RecordEnd::Ended(RowEnd::Filtered));
    }
    let is = |end| Ok((Looked::Is(end), Some(image.clone())));
    let later = run.choice.selection.ends_at_start() && is_changed_since(map, head.as_ref(), run, leg);
    let new_only = run.choice.selection == Selection::NewOnly;
    if there == Image::Absent && run.choice.legs[leg] == LegChoice::ProposeDeletion && !later && !new_only {
        permit.ended(None, ports.now());
        let lacking = Lacking { head: head.as_ref(), record, asked_at };
        return Ok((deletion::propose(worker, run, (leg, key), (looks, seen), lacking), Some(image)));
    }
    let difference = match compare(map, &worker.winners, leg, &record, &there) {
        Ok(Compared::Differs(difference)) => difference,
        Ok(same) => {
            let end = match same {
                Compared::Loses if later => RowEnd::Later,
                Compared::Loses if new_only => RowEnd::Filtered,
                Compared::Loses => RowEnd::Loses,
                Compared::Same | Compared::Differs(_) => RowEnd::Equal,
            };
            let ours = find_own_copy(map, head.as_ref(), run, (leg, key), seen.as_ref());
            return is(RecordEnd::Ended(ours.unwrap_or(end)));
        }
        Err(failure) => return is(RecordEnd::Failed(failure)),
    };
    if later {
        return is(RecordEnd::Ended(RowEnd::Later));
    }
    let end = match run.choice.legs[leg] {
        LegChoice::Off | LegChoice::ProposeDeletion => return is(RecordEnd::Ended(RowEnd::Filtered)),
        LegChoice::CreateOnly if !difference.missing => return is(RecordEnd::Ended(RowEnd::Filtered)),
        LegChoice::All if !difference.missing && new_only => return is(RecordEnd::Ended(RowEnd::Filtered)),
        LegChoice::All | LegChoice::CreateOnly if difference.missing => RowEnd::Inserted,
        LegChoice::All | LegChoice::CreateOnly => RowEnd::Updated,
    };
    if kind == SyncKind::DryRun {
        return Ok((Looked::Differs(difference), None));
    }
    let lane = HeadVersion::of(head.as_ref());
    let row = CopiedRow { from: leg, record, there, lane, asked_at, unchanged_since: ports.now() };
    let row = if let Some(seen) = seen { row.after(&seen, &map.config) } else { row };
    let (owner, id) = (Owner(ports.fresh_id()), copy_id(run, leg, key, asked_at));
    let copy = RecordCopy { map, winners: &worker.winners, key, id, looks, end, seen: Some(row.look(&map.config)) };
    let decided = match copy.decide(ports, head.as_ref(), Read::Row(row), owner) {
        Ok(decided) => decided,
        Err(end) => return is(end),
    };
    if kind == SyncKind::Reconcile {
        return Ok((Looked::Differs(difference), None));
    }
    let (end, failure) = copy.write(ports, head.as_ref(), decided, owner).await?;
    permit.ended(failure.as_ref(), ports.now());
    is(end)
}

/// Whether an app has changed its record since the run began, and the lane has accepted that: live changes carry it.
fn is_changed_since(map: &SyncMap, head: Option<&Head>, run: &SyncRun, leg: SideIx) -> bool {
    let head = head.filter(|head| head.map == map.map.uid);
    head.is_some_and(|head| head.sides[leg].last_reported_at > run.began)
}

/// What it means that a record could not be read.
pub(super) fn not_read(side: SideIx, failure: Failure, looks: u32, now: Timestamp) -> RecordEnd {
    match failure.effect {
        CallEffect::Refused => RecordEnd::Failed(failure),
        _ if failure.is_side_wide() => RecordEnd::SideTrouble(side, failure),
        _ => {
            let due = now.plus_ms(backoff_ms(looks + 1, failure.retry_after_ms));
            RecordEnd::Later(Later { due, seen: None, failure: Some(failure) })
        }
    }
}

/// The end of a record that both apps have alike because this run has copied it: a worker crashed before it counted that, or the
/// outcome of the call was not known. `seen`: what was there before.
fn find_own_copy(
    map: &SyncMap,
    head: Option<&Head>,
    run: &SyncRun,
    (leg, key): (SideIx, &RecordKey),
    seen: Option<&Look>,
) -> Option<RowEnd> {
    let (head, seen) = (head.filter(|head| head.map == map.map.uid)?, seen?);
    let is_ours = |last: &Final| is_copy_id(last.id, run, leg, key) && matches!(last.outcome, Outcome::Written { .. });
    let was_missing = seen.there == content(&map.config, leg.other(), &Image::Absent);
    let end = if was_missing { RowEnd::Inserted } else { RowEnd::Updated };
    head.recent.iter().any(is_ours).then_some(end)
}

/// The head of a record's lane, as it is stored; one of an earlier map of the same name, too.
pub(super) async fn read_head<P: SyncPorts>(
    worker: &Worker<'_, P>,
    key: &RecordKey,
) -> Result<Option<Head>, PortError> {
    let lane = LaneKey { map: worker.map.map.id.clone(), key: key.clone() };
    Ok(worker.ports.lanes().head(&lane).await?.map(|(head, _)| head))
}

/// Looks at the records that are due.
pub(super) async fn look_at_due<P: SyncPorts>(worker: &mut Worker<'_, P>) -> Result<StepEnd, PortError> {
    let now = worker.ports.now();
    let deletes = worker.run.choice.kind == SyncKind::ApproveDeletions;
    let at_once = if deletes { DELETIONS_AT_ONCE } else { LOOKS_AT_ONCE };
    let waiting = worker.ports.runs().findings(worker.run.id, FindingList::LookAgain, None, at_once).await?;
    let Some(first) = waiting.first().and_then(due) else { return Ok(StepEnd::Done) };
    if first > now {
        let writes = worker.map.state.intake() == Intake::Write;
        return Ok(match worker.run.choice.kind.writes() && !writes {
            true => worker.map_does_not_write(),
            false => StepEnd::Wait(Wait { until: first, why: None, side: None }),
        });
    }
    let mut draft = Draft::of(&worker.run);
    let run = worker.run.clone();
    let looks = stream::iter(waiting.into_iter().filter(|finding| due(finding).is_some_and(|due| due <= now)));
    let looks = looks.map(|finding| {
        let (worker, run) = (&*worker, &run);
        async move {
            let FindingState::LookAgain(look) = &finding.state else { return Ok((finding, None, None, (0, None))) };
            let (looks, seen) = (look.looks, look.seen);
            let (looked, row) = look_at(worker, run, (finding.leg, &finding.key), looks, seen).await?;
            Ok::<_, PortError>((finding, Some(looked), row, (looks, seen)))
        }
    });
    // To its end, whatever fails: a write that is under way must not be cut off.
    let ended: Vec<_> = looks.buffer_unordered(LOOKS_AT_ONCE).collect().await;
    let (mut trouble, mut troubled, mut failed) = (None, Vec::new(), None);
    let mut others_ended = false;
    for ended in ended {
        let (finding, looked, row, (looks, seen)) = match ended {
            Ok((finding, Some(looked), row, looks)) => (finding, looked, row, looks),
            Ok((_, None, ..)) => continue,
            Err(error) => {
                failed = Some(error);
                continue;
            }
        };
        match &looked {
            Looked::Is(RecordEnd::SideTrouble(side, failure)) => {
                trouble.get_or_insert_with(|| worker.trouble(*side, failure));
                troubled.push((finding, failure.clone(), (looks, seen)));
                continue;
            }
            Looked::Is(RecordEnd::MapNotWriting) => {
                trouble.get_or_insert_with(|| worker.map_does_not_write());
                continue; // it stays as it is
            }
            Looked::Is(RecordEnd::PutOff) => continue,
            Looked::Is(RecordEnd::Later(_)) => {}
            Looked::Is(RecordEnd::Ended(_) | RecordEnd::Failed(_)) | Looked::Differs(_) | Looked::Deletion(_) => {
                others_ended = true;
            }
        }
        draft.looked_at(&finding);
        looked.note(worker, &mut draft, (finding.leg, &finding.key), row.as_ref(), looks);
    }
    if others_ended {
        // The trouble may be these records' own.
        for (finding, failure, (looks, seen)) in troubled {
            let due = worker.ports.now().plus_ms(backoff_ms(looks + 1, failure.retry_after_ms));
            draft.looked_at(&finding);
            let later = Looked::Is(RecordEnd::Later(Later { due, seen, failure: Some(failure) }));
            later.note(worker, &mut draft, (finding.leg, &finding.key), None, looks);
        }
    }
    if !draft.changes.is_empty() {
        match worker.commit(draft).await? {
            StepEnd::Moved => {}
            other => return Ok(other),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(trouble.unwrap_or(StepEnd::Moved)),
    }
}

fn due(finding: &Finding) -> Option<Timestamp> {
    match &finding.state {
        FindingState::LookAgain(look) => Some(look.due),
        FindingState::Failed(_) | FindingState::Differs(_) | FindingState::Changing | FindingState::Deletion(_) => None,
    }
}
