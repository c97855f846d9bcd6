//! What must hold of a map that fails when an app is away: who is told 503 rolls back, and no app keeps what it wanted.

use std::collections::BTreeSet;

use domain::{
    EntryId,
    lane::{Answer, Entry, Mode, RestoreCause, Work},
};

use crate::play::Played;

fn restores(entry: &Entry) -> bool {
    matches!(entry.work, Work::Restore { cause: RestoreCause::CallerRollsBack, .. })
}

/// Entries that restore an app because their caller rolled back.
pub(crate) fn restoring(played: &Played) -> BTreeSet<EntryId> {
    let lanes = &played.world.lanes;
    let ended = lanes.history().ended.into_iter().map(|ended| ended.entry);
    let archived = lanes.archive().into_iter().map(|one| one.entry);
    let open = lanes.journal().into_iter().map(|(_, entry)| entry);
    ended.chain(archived).chain(open).filter(restores).map(|entry| entry.id).collect()
}

/// A 503 says the truth: nothing happened, or what may have happened is undone.
pub(super) fn a_503_leaves_nothing(played: &Played) -> Result<(), String> {
    let (accepted, restoring) = (played.world.lanes.history().accepted, restoring(played));
    let mut taken = BTreeSet::new();
    for side in &played.world.map().sides {
        played.world.apps.with(&side.id, |app| taken.extend(app.effects.iter().map(|effect| effect.entry)));
    }
    for heard in played.users.heard() {
        let Ok(Answer::Unavailable { outcome_unknown, .. }) = heard.answer else { continue };
        if !played.kind.fails || heard.mode != Mode::Sync {
            return Err(format!("{} was answered 503, and is not to roll back", heard.id));
        }
        let id: u128 = heard.id.parse().map(|ulid: ulid::Ulid| ulid.0).unwrap_or_default();
        let entries = accepted.get(&id).cloned().unwrap_or_default();
        if outcome_unknown && entries.is_disjoint(&restoring) {
            return Err(format!(
                "{} was answered 503 after an unknown outcome, and nothing restores the app",
                heard.id
            ));
        }
        if let Some(entry) = entries.iter().find(|entry| taken.contains(entry) && !restoring.contains(entry)) {
            return Err(format!("{} was answered 503, and an app has its entry {entry}", heard.id));
        }
    }
    if played.kind.fails { one_is_kept_per_id(played, &restoring) } else { Ok(()) }
}

/// Of a write that came again after a 503 which its caller never got, only one entry is written.
fn one_is_kept_per_id(played: &Played, restoring: &BTreeSet<EntryId>) -> Result<(), String> {
    let history = played.world.lanes.history();
    let gone = |entry: &EntryId| history.ended.iter().any(|ended| ended.entry.id == *entry && ended.outcome.is_none());
    for (id, entries) in &history.accepted {
        let kept: Vec<_> = entries.iter().filter(|entry| !gone(entry) && !restoring.contains(entry)).collect();
        if kept.len() > 1 {
            return Err(format!("{id:032x} was accepted twice, as {kept:?}"));
        }
    }
    Ok(())
}
