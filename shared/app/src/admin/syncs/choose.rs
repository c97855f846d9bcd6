//! What a run is asked to do: checked, and filled in.

use domain::{
    Map, SideId,
    map::{PerSide, SideIx},
    sync::{LegChoice, Selection, SyncChoice, SyncRun},
};

use super::StartSync;
use crate::error::AppError;

/// Checks that the selection and the parent fit each other. It needs nothing that is stored.
pub(super) fn check_parent(wanted: &StartSync) -> Result<(), AppError> {
    match (&wanted.selection, wanted.parent) {
        (selection, None) if selection.needs_parent() => {
            Err(AppError::mistake("parent", "must name the run whose records are selected"))
        }
        (Selection::Record { .. }, Some(_)) => {
            Err(AppError::mistake("parent", "goes with a selection of its records, or with all records"))
        }
        _ => Ok(()),
    }
}

/// Checks what is asked for, and fills in what is left out. `parent`: the run whose records are selected.
pub(super) fn choose(map: &Map, wanted: &StartSync, parent: Option<&SyncRun>) -> Result<SyncChoice, AppError> {
    let side = |field: &str, name: &SideId| {
        map.config.side_ix(name).ok_or_else(|| {
            let [one, two] = map.config.sides.each_ref().map(|end| &end.side);
            AppError::mistake(field, &format!("is no side of the map: it joins {one} and {two}"))
        })
    };
    let winner = match &wanted.winner {
        Some(name) => side("winner", name)?,
        None => parent.map(|parent| parent.choice.winner).or(map.config.primary()).unwrap_or(SideIx::First),
    };
    let winner_of_field = match &wanted.winner_of_field {
        Some(named) => {
            let place = |(name, of): (&String, _)| Ok((name.clone(), side(&format!("winner_of_field.{name}"), of)?));
            named.iter().map(place).collect::<Result<_, AppError>>()?
        }
        None => parent.map(|parent| parent.choice.winner_of_field.clone()).unwrap_or_default(),
    };
    let mut legs = PerSide::default();
    for (name, leg) in &wanted.legs {
        legs[side(&format!("legs.{name}"), name)?] = *leg;
    }
    if legs.0 == [LegChoice::Off; 2] {
        return Err(AppError::mistake("legs", "must leave one side on"));
    }
    if wanted.kind.decides_deletions() || matches!(wanted.selection, Selection::Deletions(_)) {
        return Err(AppError::mistake("kind", "is started by the decision about proposed deletions"));
    }
    if legs[winner] == LegChoice::ProposeDeletion {
        let name = &map.config.side(winner).side;
        let says = "cannot be propose_deletion for the side that wins: what it lacks is deleted on the other one";
        return Err(AppError::mistake(&format!("legs.{name}"), says));
    }
    if wanted.selection == Selection::NewOnly && legs[winner.other()] == LegChoice::ProposeDeletion {
        let name = &map.config.side(winner.other()).side;
        let says = "cannot be propose_deletion with the selection `new_only`: what one side lacks is copied there, not deleted here";
        return Err(AppError::mistake(&format!("legs.{name}"), says));
    }
    let mut selection = wanted.selection.clone();
    if let Selection::Record { key } = &mut selection {
        let canonical = map.config.canonical_key(key);
        *key = canonical.map_err(|says| AppError::mistake("selection.key", &says))?;
    }
    let choice = SyncChoice { kind: wanted.kind, winner, winner_of_field, legs, selection, parent: wanted.parent };
    choice.winners(&map.config).map_err(AppError::Invalid)?;
    // What the parent has found is of the rows that its own winners decide about.
    if parent.is_some_and(|parent| choice.selection.needs_parent() && !choice.decides_as(&parent.choice)) {
        let field = if wanted.winner.is_some() { "winner" } else { "winner_of_field" };
        let says = "must be as in the parent run: it has found what its own winners decide. Select other records for other winners";
        return Err(AppError::mistake(field, says));
    }
    Ok(choice)
}
