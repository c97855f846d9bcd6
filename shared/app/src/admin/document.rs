//! The whole configuration as one document: export it, see what a changed one would do, and apply it.

use std::collections::BTreeMap;

use domain::{
    MapConfig, MapId, SideId,
    side::{Mistake, SideConfig},
};
use serde::{Deserialize, Serialize};

use super::{
    AdminPorts, Caller, DiscardPolicy, archive_guard, lost, maps,
    plan::{self, Step},
    renames, sides,
};
pub use super::{
    diff::Change,
    plan::{Action, Item, Kind, Plan},
};
use crate::{
    error::{AppError, StateConflict},
    ports::{CommitError, ConfigStore},
    problem::Problem,
};

/// Sides and maps by name. What state a map is in is no configuration and not in it; secrets are references.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The sides.
    #[serde(default)]
    pub sides: BTreeMap<SideId, SideConfig>,
    /// The maps.
    #[serde(default)]
    pub maps: BTreeMap<MapId, MapConfig>,
}

/// What is stored now.
///
/// # Errors
/// The store does not answer.
pub async fn export<P: AdminPorts>(ports: &P) -> Result<Document, AppError> {
    let stored = plan::Stored::read(ports.store()).await?;
    Ok(Document {
        sides: stored.sides.into_iter().map(|(id, side)| (id, side.config)).collect(),
        maps: stored.maps.into_iter().map(|(id, map)| (id, map.config)).collect(),
    })
}

/// What applying a document would do. With `prune`, what is not in the document is deleted.
///
/// # Errors
/// The document has mistakes (all are listed), or the store does not answer.
pub async fn plan<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    document: Document,
    prune: bool,
) -> Result<Plan, AppError> {
    let stored = plan::Stored::read(ports.store()).await?;
    let fresh = || ports.fresh_id();
    let mut plan = plan::make(document, &stored, prune, &caller.name, ports.now(), &fresh)?;
    for item in plan.items.iter_mut().filter(|item| item.leaves_lanes) {
        let Some(map) = item.id.parse().ok().and_then(|id: MapId| stored.maps.get(&id)) else { continue };
        item.blocked = archive_guard::find_obstacle(ports, map, DiscardPolicy::Keep).await?;
    }
    let mut mistakes = Vec::new();
    for item in plan.items.iter().filter(|item| !item.leaves_lanes) {
        let Step::SaveMap(map, _) = &item.step else { continue };
        let Some(before) = stored.maps.get(&map.id) else { continue };
        let undeclared = renames::find_undeclared(ports, before, &map.config).await?;
        let at = |mistake: Mistake| Mistake { field: format!("maps.{}.{}", map.id, mistake.field), ..mistake };
        mistakes.extend(undeclared.into_iter().map(at));
    }
    if mistakes.is_empty() { Ok(plan) } else { Err(AppError::Invalid(mistakes)) }
}

/// Does what the plan says, sides before maps, deletions last.
///
/// # Errors
/// The document has mistakes, or the state of a map stands against it: nothing is written then. Somebody else changed
/// something at the same time, or the store stops to answer: what was not written is listed, and applying the document
/// again does only that.
pub async fn apply<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    document: Document,
    prune: bool,
) -> Result<Plan, AppError> {
    let plan = plan(ports, caller, document, prune).await?;
    let blocked: Vec<_> =
        plan.items.iter().filter_map(|item| item.blocked.clone().map(|why| not_done(item, &says(why)))).collect();
    if !blocked.is_empty() {
        return Err(AppError::Conflict(StateConflict::Blocked(blocked)));
    }
    let mut written = false;
    for (at, item) in plan.items.iter().enumerate() {
        match execute(ports, caller, item).await {
            Ok(()) if item.action == Action::Unchanged => {}
            Ok(()) => {
                written = true;
                let (kind, action) = (item.kind.as_str(), item.action.as_str());
                tracing::info!(actor = caller.name, kind, id = item.id, action, "applied");
            }
            Err(error) if !written => return Err(lost(error)),
            Err(error) => {
                let later = plan.items[at + 1..].iter().filter(|item| item.action != Action::Unchanged);
                let left = std::iter::once(not_done(item, why(error)))
                    .chain(later.map(|item| not_done(item, "was not reached")));
                return Err(AppError::Conflict(StateConflict::Interrupted(left.collect())));
            }
        }
    }
    Ok(plan)
}

async fn execute<P: AdminPorts>(ports: &P, caller: &Caller, item: &Item) -> Result<(), CommitError> {
    let (store, actor, now) = (ports.store(), &*caller.name, ports.now());
    let changes = || item.changes.clone();
    match &item.step {
        Step::Nothing => Ok(()),
        Step::SaveSide(side, expected) => {
            store.save_side(side, *expected, &sides::line(&side.id, side.version, actor, now, changes())).await
        }
        Step::SaveMap(map, expected) => {
            maps::save(ports, map, *expected, &maps::line(map, actor, now, changes())).await
        }
        Step::DeleteMap(map) => {
            store.delete_map(&map.id, map.version, &maps::deletion(map, actor, now)).await?;
            maps::forget_queue(ports, map).await;
            Ok(())
        }
        Step::DeleteSide(side) => {
            let line = sides::line(&side.id, side.version + 1, actor, now, changes());
            store.delete_side(&side.id, side.version, &line).await
        }
    }
}

fn why(error: CommitError) -> &'static str {
    match error {
        CommitError::Stale | CommitError::Duplicate => "was changed by somebody else at the same time",
        CommitError::Port(error) => {
            tracing::error!(error = %error, "could not apply the rest of a document; applying it again goes on");
            "could not be written"
        }
    }
}

fn not_done(item: &Item, why: &str) -> Mistake {
    Mistake { field: format!("{}s.{}", item.kind.as_str(), item.id), message: why.to_owned() }
}

/// A conflict in one sentence.
fn says(conflict: StateConflict) -> String {
    Problem::from(&AppError::Conflict(conflict)).title.to_owned()
}

impl Item {
    /// Why the item cannot be done now, in one sentence.
    #[must_use]
    pub fn blocked_by(&self) -> Option<String> {
        self.blocked.clone().map(says)
    }
}
