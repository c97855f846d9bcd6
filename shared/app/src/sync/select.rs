//! Takes the records of a run's selection from the run that found them.

use std::collections::BTreeSet;

use domain::{
    Map, RecordKey, Timestamp,
    id::SyncRunId,
    map::SideIx,
    record::ContentHash,
    sync::{
        Deletion, DeletionFate, FailedCopy, Finding, FindingState, LookAgain, RunPhase, Selection, SyncKind, SyncRun,
    },
};
use futures::future::try_join_all;

use super::{
    step::{Draft, StepEnd},
    work::Worker,
};
use crate::ports::{FINDINGS_AT_ONCE, FindingList, PortError, SyncPorts, SyncRuns, finding_place};

/// Runs of which a run of new records leaves the failures alone: its parent, and that one's parent if it has left some alone, too.
const MAX_PARENTS: usize = 20;

/// A run whose failures matter to another one, and their causes: what a failure is found by.
pub(super) struct FailedBefore {
    run: SyncRunId,
    causes: Vec<ContentHash>,
}

/// Finds the runs whose failures decide what belongs to the selection of a run.
pub(super) async fn find_failed_before<P: SyncPorts>(
    ports: &P,
    map: &Map,
    run: &SyncRun,
) -> Result<Vec<FailedBefore>, PortError> {
    let (mut found, mut selection, mut next) = (Vec::new(), run.choice.selection.clone(), run.choice.parent);
    while let Some(parent) = next.filter(|_| selection.ends_at_start() && found.len() < MAX_PARENTS) {
        let Some(parent) = ports.runs().run(map, parent).await? else { break };
        let causes: BTreeSet<_> = parent.causes.iter().map(|cause| cause.cause).collect();
        found.push(FailedBefore { run: parent.id, causes: causes.into_iter().collect() });
        let goes_on = run.choice.selection == Selection::NewOnly && parent.choice.selection == Selection::NewOnly;
        (selection, next) = (parent.choice.selection, parent.choice.parent.filter(|_| goes_on));
    }
    Ok(found)
}

/// Finds the failure of a record in the runs that the selection of this run refers to; `None` if it refers to none.
pub(super) async fn find_failure<P: SyncPorts>(
    worker: &Worker<'_, P>,
    (leg, key): (SideIx, &RecordKey),
) -> Result<Option<FailedCopy>, PortError> {
    let of =
        |run: SyncRunId, cause: ContentHash| async move { worker.ports.runs().failure(run, cause, (leg, key)).await };
    let asked = worker.failed_before.iter().flat_map(|before| before.causes.iter().map(|cause| of(before.run, *cause)));
    Ok(try_join_all(asked).await?.into_iter().flatten().next())
}

/// Takes the next records of the selection. The parent is over, so its lists do not grow.
pub(super) async fn select_next<P: SyncPorts>(worker: &mut Worker<'_, P>) -> Result<StepEnd, PortError> {
    let mut draft = Draft::of(&worker.run);
    let now = worker.ports.now();
    let list = match &worker.run.choice.selection {
        Selection::All | Selection::NewOnly => None,
        Selection::Failed | Selection::Edited => Some(FindingList::Failed { cause: None }),
        Selection::Cause { cause } => Some(FindingList::Failed { cause: Some(*cause) }),
        Selection::Differences => Some(FindingList::Differs),
        Selection::Deletions(_) => Some(FindingList::Deletions),
        Selection::Record { key } => {
            let (key, winner) = (key.clone(), worker.run.choice.winner);
            for leg in [winner, winner.other()] {
                draft.run.counts[leg].read_row();
                draft.look_again(leg, &key, LookAgain { due: now, noted: 0, looks: 0, seen: None });
            }
            None
        }
    };
    let (Some(list), Some(parent)) = (list, worker.run.choice.parent) else {
        draft.run.phase = RunPhase::Looking;
        return worker.commit(draft).await;
    };
    let after = worker.run.progress[SideIx::First.at()].cursor.clone();
    // One that is rejected leaves the list of its run, and is noted in this one's.
    let at_once = if list == FindingList::Deletions { FINDINGS_AT_ONCE / 2 } else { FINDINGS_AT_ONCE };
    let found = worker.ports.runs().findings(parent, list, after.as_deref(), at_once).await?;
    for Finding { leg, key, state } in &found {
        if let (Selection::Deletions(set), FindingState::Deletion(proposed)) = (&worker.run.choice.selection, state) {
            if set.has(key, &proposed.past) {
                draft.run.counts[*leg].read_row();
                take_deletion(&mut draft, (*leg, key), proposed, now);
            }
            continue;
        }
        draft.run.counts[*leg].read_row();
        if let FindingState::Failed(failed) = state
            && failed.no_record
        {
            draft.fail_row(*leg, key, failed.clone());
            continue;
        }
        draft.look_again(*leg, key, LookAgain { due: now, noted: 0, looks: 0, seen: None });
    }
    match found.last() {
        Some(last) => draft.run.progress[SideIx::First.at()].cursor = Some(finding_place(last)),
        None => draft.run.phase = RunPhase::Looking,
    }
    worker.commit(draft).await
}

/// A deletion that the parent has proposed: it is looked at, or an operator has rejected it.
fn take_deletion(draft: &mut Draft, (leg, key): (SideIx, &RecordKey), proposed: &Deletion, now: Timestamp) {
    if draft.run.choice.kind == SyncKind::RejectDeletions {
        let rejected = Deletion { fate: DeletionFate::Rejected, at: now, ..proposed.clone() };
        return draft.decide_deletion((leg, key), rejected);
    }
    draft.look_again(leg, key, LookAgain { due: now, noted: 0, looks: 0, seen: proposed.look });
}
