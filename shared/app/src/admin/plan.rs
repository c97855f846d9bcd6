//! What applying a document would do: decided first, for all of it, before anything is written.

use std::collections::BTreeMap;

use super::{
    diff::{Change, changes},
    document::Document,
    maps, sides,
};
use crate::{
    error::{AppError, StateConflict},
    ports::{ConfigStore, PortError},
};
use domain::{
    Map, MapConfig, MapId, SideId, Timestamp,
    id::MapUid,
    side::{Mistake, Side, SideConfig},
};

/// What applying a document would do, in the order in which it is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One for each side and map of the document, then the deletions.
    pub items: Vec<Item>,
}

/// What is done with one side or map.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is done.
    pub action: Action,
    /// With what kind of thing.
    pub kind: Kind,
    /// Its name.
    pub id: String,
    /// How it changes.
    pub changes: Vec<Change>,
    /// The lanes of the map are left behind.
    pub(super) leaves_lanes: bool,
    /// Why it cannot be done now.
    pub(super) blocked: Option<StateConflict>,
    pub(super) step: Step,
}

/// What is done with a side or map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is not stored yet.
    Create,
    /// It is stored otherwise.
    Update,
    /// It is stored just so.
    Unchanged,
    /// It is stored, and not in the document.
    Delete,
}

/// A side or a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A side.
    Side,
    /// A map.
    Map,
}

impl Action {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Unchanged => "unchanged",
            Self::Delete => "delete",
        }
    }
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Side => "side",
            Self::Map => "map",
        }
    }
}

/// The one conditional write that does it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Nothing,
    SaveSide(Box<Side>, u64),
    SaveMap(Box<Map>, u64),
    DeleteMap(Box<Map>),
    DeleteSide(Box<Side>),
}

/// What is stored now.
pub(super) struct Stored {
    pub(super) sides: BTreeMap<SideId, Side>,
    pub(super) maps: BTreeMap<MapId, Map>,
}

impl Stored {
    pub(super) async fn read<S: ConfigStore>(store: &S) -> Result<Self, PortError> {
        let sides = store.list_sides().await?.into_iter().map(|side| (side.id.clone(), side)).collect();
        let maps = store.list_maps().await?.into_iter().map(|map| (map.id.clone(), map)).collect();
        Ok(Self { sides, maps })
    }
}

/// What applying a document would do to what is stored.
pub(super) fn make(
    document: Document,
    stored: &Stored,
    prune: bool,
    actor: &str,
    now: Timestamp,
    fresh: &dyn Fn() -> u128,
) -> Result<Plan, AppError> {
    let mistakes = mistakes(&document, stored, prune)?;
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    let mut deletions = Vec::new();
    if prune {
        let gone = stored.maps.values().filter(|map| !document.maps.contains_key(&map.id));
        deletions.extend(gone.map(Item::delete_map));
        let gone = stored.sides.values().filter(|side| !document.sides.contains_key(&side.id));
        deletions.extend(gone.map(Item::delete_side));
    }
    let mut items = Vec::new();
    for (id, config) in document.sides {
        items.push(Item::save_side(id.clone(), config, stored.sides.get(&id))?);
    }
    for (id, config) in document.maps {
        let uid = MapUid(fresh());
        let item = match stored.maps.get(&id) {
            Some(map) => Item::change_map(map, config, uid)?,
            None => Item::create_map(Map::new(id, uid, config, actor, now))?,
        };
        items.push(item);
    }
    items.append(&mut deletions);
    Ok(Plan { items })
}

/// Every mistake in the document, each with its path in it.
fn mistakes(document: &Document, stored: &Stored, prune: bool) -> Result<Vec<Mistake>, AppError> {
    let mut found = Vec::new();
    let mut add = |at: String, mistakes: Vec<Mistake>| {
        found.extend(mistakes.into_iter().map(|m| Mistake { field: format!("{at}.{}", m.field), message: m.message }));
    };
    for (id, config) in &document.sides {
        add(format!("sides.{id}"), sides::mistakes(config)?);
    }
    for (id, config) in &document.maps {
        let known = |side: &SideId| document.sides.contains_key(side) || (!prune && stored.sides.contains_key(side));
        let mut mistakes = maps::mistakes(config)?;
        for (i, end) in config.sides.iter().enumerate().filter(|(_, end)| !known(&end.side)) {
            mistakes.push(maps::no_such_side(&format!("sides[{i}].side"), &end.side));
        }
        add(format!("maps.{id}"), mistakes);
    }
    Ok(found)
}

impl Item {
    fn new(action: Action, kind: Kind, id: String, changes: Vec<Change>, step: Step) -> Self {
        Self { action, kind, id, changes, leaves_lanes: false, blocked: None, step }
    }

    fn save_side(id: SideId, config: SideConfig, stored: Option<&Side>) -> Result<Self, AppError> {
        let name = id.to_string();
        let Some(stored) = stored else {
            let changes = changes(None, Some(&config))?;
            let step = Step::SaveSide(Box::new(Side { id, config, version: 1 }), 0);
            return Ok(Self::new(Action::Create, Kind::Side, name, changes, step));
        };
        if stored.config == config {
            return Ok(Self::new(Action::Unchanged, Kind::Side, name, Vec::new(), Step::Nothing));
        }
        let changes = changes(Some(&stored.config), Some(&config))?;
        let step = Step::SaveSide(Box::new(Side { id, config, version: stored.version + 1 }), stored.version);
        Ok(Self::new(Action::Update, Kind::Side, name, changes, step))
    }

    fn create_map(map: Map) -> Result<Self, AppError> {
        let (name, changes) = (map.id.to_string(), changes(None, Some(&map.config))?);
        Ok(Self::new(Action::Create, Kind::Map, name, changes, Step::SaveMap(Box::new(map), 0)))
    }

    fn change_map(stored: &Map, config: MapConfig, uid: MapUid) -> Result<Self, AppError> {
        let name = stored.id.to_string();
        if stored.config == config {
            return Ok(Self::new(Action::Unchanged, Kind::Map, name, Vec::new(), Step::Nothing));
        }
        let changes = changes(Some(&stored.config), Some(&config))?;
        let leaves_lanes = maps::syncs_other_records(&stored.config, &config);
        let step = Step::SaveMap(Box::new(maps::changed(stored.clone(), config, uid)), stored.version);
        Ok(Self { leaves_lanes, ..Self::new(Action::Update, Kind::Map, name, changes, step) })
    }

    fn delete_map(map: &Map) -> Self {
        let step = Step::DeleteMap(Box::new(map.clone()));
        Self { leaves_lanes: true, ..Self::new(Action::Delete, Kind::Map, map.id.to_string(), Vec::new(), step) }
    }

    fn delete_side(side: &Side) -> Self {
        let step = Step::DeleteSide(Box::new(side.clone()));
        Self::new(Action::Delete, Kind::Side, side.id.to_string(), Vec::new(), step)
    }
}
