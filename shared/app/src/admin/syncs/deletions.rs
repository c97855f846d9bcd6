//! Deletions that a run has proposed, as operators decide about them. Each decision is a run of its own: a child of the run that
//! has proposed them, with its reason, its counts, and its lines in the activity log.

use domain::{
    MapId,
    id::SyncRunId,
    map::Intake,
    sync::{DeletionSet, Selection, SyncChoice, SyncKind, SyncRun},
};

use super::{find_writing_run, get, store_new, wake};
use crate::{
    admin::{AdminPorts, Caller, map_commands::checked, maps},
    error::{AppError, StateConflict, Subject},
};

/// Most records that a request names.
const MAX_LISTED_KEYS: usize = 100;

/// What an operator decides about proposed deletions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecideDeletions {
    /// They are carried out.
    pub approve: bool,
    /// Which.
    pub set: DeletionSet,
    /// Why.
    pub reason: String,
}

/// Decides about deletions that a run has proposed, by a run that carries that out.
///
/// # Errors
/// There is no such map or run, the run goes on or has proposed none, another run writes, or the store does not answer.
pub async fn decide_deletions<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    run: SyncRunId,
    wanted: &DecideDeletions,
) -> Result<SyncRun, AppError> {
    let reason = checked(&wanted.reason)?.to_owned();
    let map = maps::get(ports, id).await?;
    let parent = get(ports, id, run).await?;
    let conflict = |what| Err(AppError::Conflict(what).about(Subject::map(id)));
    if !parent.is_over() {
        return conflict(StateConflict::ParentGoesOn);
    }
    if parent.choice.kind == SyncKind::DryRun {
        let says = "is a dry run: it only tells what a reconcile, or an initial sync, would propose";
        return Err(AppError::mistake("run", says));
    }
    if parent.counts.0.iter().all(|counts| counts.proposed == 0) {
        return Err(AppError::mistake("run", "has proposed no deletion"));
    }
    let kind = if wanted.approve { SyncKind::ApproveDeletions } else { SyncKind::RejectDeletions };
    if kind.writes() {
        if let Some(other) = find_writing_run(ports, &map).await? {
            return conflict(StateConflict::SyncActive(other));
        }
        if map.state.intake() == Intake::Keep {
            return conflict(StateConflict::MapPaused);
        }
    }
    let mut set = wanted.set.clone();
    let canonical = |key: &mut _, field: &str| {
        *key = map.config.canonical_key(key).map_err(|says| AppError::mistake(field, &says))?;
        Ok::<_, AppError>(())
    };
    match &mut set {
        DeletionSet::Listed { keys } if keys.is_empty() || keys.len() > MAX_LISTED_KEYS => {
            return Err(AppError::mistake("keys", &format!("must be 1 to {MAX_LISTED_KEYS} keys")));
        }
        DeletionSet::Listed { keys } => {
            let mut all: Vec<_> = keys.iter().cloned().collect();
            all.iter_mut().try_for_each(|key| canonical(key, "keys"))?;
            *keys = all.into_iter().collect();
        }
        DeletionSet::Through { key } => canonical(key, "key")?,
        DeletionSet::All | DeletionSet::OnceInStep => {}
    }
    let selection = Selection::Deletions(set);
    let choice = SyncChoice { kind, selection, parent: Some(parent.id), ..parent.choice };
    let decided = SyncRun::new(SyncRunId(ports.fresh_id()), &map, choice, (&caller.name, &reason), ports.now());
    store_new(ports, &map, &decided).await?;
    wake(ports, &decided).await;
    Ok(decided)
}
