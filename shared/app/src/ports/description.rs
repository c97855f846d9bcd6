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
    /// Its references to other entities (`OData`: navigation properties).
    pub references: BTreeSet<String>,
    /// Whether its records may have fields that the description does not name.
    pub is_open: bool,
}
