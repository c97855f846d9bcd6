//! Plans as they are told.

use app::admin::document;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What applying a document does, in the order in which it is done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Plan {
    /// One for each side and map of the document, then the deletions.
    items: Vec<Item>,
}

/// What is done with one side or map.
#[derive(Serialize, ToSchema)]
pub(crate) struct Item {
    /// `create`, `update`, `unchanged` or `delete`.
    action: &'static str,
    /// `side` or `map`.
    kind: &'static str,
    /// Its name.
    id: String,
    /// How it changes.
    changes: Vec<Change>,
    /// Why it cannot be done now. A document with such an item is not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    blocked_by: Option<String>,
}

/// One place where what is stored differs from the document.
#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    /// Where, e.g. `fields[2].names.crm`; empty: all of it.
    path: String,
    /// What is stored; left out: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    /// What the document says; left out: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

impl From<document::Plan> for Plan {
    fn from(plan: document::Plan) -> Self {
        Self { items: plan.items.into_iter().map(Item::from).collect() }
    }
}

impl From<document::Item> for Item {
    fn from(item: document::Item) -> Self {
        let blocked_by = item.blocked_by();
        let changes =
            item.changes.into_iter().map(|change| Change { path: change.path, from: change.from, to: change.to });
        Self {
            action: item.action.as_str(),
            kind: item.kind.as_str(),
            id: item.id,
            changes: changes.collect(),
            blocked_by,
        }
    }
}
