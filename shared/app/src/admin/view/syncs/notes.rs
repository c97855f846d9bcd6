//! What happened to a sync run, as operators see it.

use domain::{SideIx, sync::RunNote};
use serde::Serialize;
use utoipa::ToSchema;

/// What happened to a run.
#[derive(Serialize, ToSchema)]
pub struct SyncNote {
    pub at: String,
    /// The app it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub side: Option<String>,
    pub what: String,
}

impl SyncNote {
    pub(super) fn of(note: &RunNote, name: &impl Fn(SideIx) -> String) -> Self {
        Self { at: note.at.to_string(), side: note.side.map(name), what: note.what.describe() }
    }
}
