//! Responses about configuration documents.

use crate::admin::document;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The steps of applying a document, in order.
#[derive(Serialize, ToSchema)]
pub struct Plan {
    /// One for each side and map of the document, then the deletions.
    pub items: Vec<Item>,
}

/// One step: a side or a map.
#[derive(Serialize, ToSchema)]
pub struct Item {
    /// `create`, `update`, `unchanged` or `delete`.
    pub action: &'static str,
    /// `side` or `map`.
    pub kind: &'static str,
    /// Its name.
    pub id: String,
    /// How it changes.
    pub changes: Vec<Change>,
    /// Why the step cannot be done now. A document with a blocked step is not applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub blocked_by: Option<String>,
}

/// One place where what is stored differs from the document.
#[derive(Serialize, ToSchema)]
pub struct Change {
    /// The path, e.g. `fields[2].names.crm`. Empty: the whole item.
    pub path: String,
    /// The stored value. Absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The value in the document. Absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
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
