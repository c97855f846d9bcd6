//! What an app says of its entities.

use std::collections::{BTreeMap, BTreeSet};

/// What an app says of its entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The names of all of its entities.
    pub names: BTreeSet<String>,
    /// Those that were asked for, as far as it has them.
    pub entities: BTreeMap<String, EntityDescription>,
}

/// What an app says of one entity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityDescription {
    /// The fields of its key.
    pub key: Vec<String>,
    /// Its fields, each with its type as the app calls it, e.g. `Edm.String`.
    pub fields: BTreeMap<String, String>,
    /// What it says of a field besides its type. A field without an entry: nothing.
    pub facets: BTreeMap<String, FieldFacets>,
    /// Its references to other entities (`OData`: navigation properties).
    pub references: BTreeSet<String>,
    /// Whether its records may have fields that the description does not name.
    pub is_open: bool,
}

/// What an app says of a field besides its type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldFacets {
    /// It must have a value, and the app says no default.
    pub is_required: bool,
    /// Most characters of a text.
    pub max_length: Option<usize>,
    /// The app computes it, or lets nobody write it.
    pub is_read_only: bool,
}
