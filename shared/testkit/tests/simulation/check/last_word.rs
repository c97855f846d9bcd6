//! P5: what both apps have in the end is what somebody set last at one of them: nothing older comes back.

use std::collections::{BTreeMap, BTreeSet};

use domain::{RecordKey, SideIx};

use super::{parked, shown_at_first};
use crate::play::Played;

/// Holds without faults, and between apps that do not report what Tandem writes. Else the report of a call that was repeated,
/// or of one whose content somebody else set, too, may be taken for a change, and Tandem writes the older value once more.
pub(super) fn nothing_older_comes_back(played: &Played) -> Result<(), String> {
    let kind = played.kind;
    if kind.operators || kind.faults && !kind.silent {
        return Ok(());
    }
    let map = played.world.map();
    let mut last: BTreeMap<RecordKey, [Option<_>; 2]> = BTreeMap::new();
    for (ix, side) in SideIx::BOTH.into_iter().zip(&map.sides) {
        for change in played.world.apps.with(&side.id, |app| app.changes.clone()) {
            last.entry(change.key).or_default()[ix.at()] = Some(shown_at_first(played, ix, &change.image)?);
        }
    }
    let parked: BTreeSet<RecordKey> = parked(played);
    for (key, wanted) in last.iter().filter(|(key, _)| !parked.contains(*key)) {
        let there = played.world.apps.with(&map.sides[0].id, |app| app.image(key));
        let there = Some(shown_at_first(played, SideIx::First, &there)?);
        if !wanted.contains(&there) {
            return Err(format!("{key} is as nobody set it last"));
        }
    }
    Ok(())
}
