//! What a sync run has noted about records, as operators see it.

use domain::{
    ErrorClass, Map, Record,
    sync::{DeletionFate, FieldDifference, Finding, FindingState},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::view::by_hand;

/// Records of a run.
#[derive(Serialize, ToSchema)]
pub struct SyncRecords {
    /// The records, those with one cause together.
    pub records: Vec<SyncRecord>,
    /// The `after` of the next page. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A record of a run.
#[derive(Serialize, ToSchema)]
pub struct SyncRecord {
    /// The side whose row it is.
    pub from: String,
    pub key: String,
    /// `look_again`, `failed`, `differs` or `changing`; of a deletion `proposed`, `deleted`, `gone`, `came_back`, `changed_since` or
    /// `rejected`.
    pub state: &'static str,
    /// When it failed, is looked at again, or its deletion was proposed or decided about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::error_class)]
    pub class: Option<ErrorClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// What somebody can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub what_to_do: Option<&'static str>,
    /// The row as it was, if it was at hand. Values that the map hides are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub row: Option<Record>,
    /// The other app lacks the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub missing: Option<bool>,
    /// Fields that differ and that this side wins, by the names of the other side. Those that the other side wins are in a record of
    /// that side.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<SyncField>,
    /// Of a deletion: when Tandem last wrote the record, so that both apps had it. Absent: that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub in_step_at: Option<String>,
    /// Of a deletion: when the record was deleted in the app that lacks it, as far as Tandem was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub deleted_at: Option<String>,
}

/// A field that differs.
#[derive(Serialize, ToSchema)]
pub struct SyncField {
    pub field: String,
    /// The side that wins it.
    pub winner: String,
    /// What would be written.
    #[schema(value_type = Object)]
    pub wanted: Value,
    /// What is there.
    #[schema(value_type = Object)]
    pub there: Value,
}

/// What somebody can do about a proposed deletion.
const DECIDE: &str = "approve the deletion, or reject it and make the record in the app that lacks it";

/// What somebody can do about a record that failed.
fn what_to_do(class: ErrorClass, no_record: bool) -> &'static str {
    use ErrorClass::{
        Application, Auth, BadRequest, Conflict, Mapping, Network, OtherHttp, Throttled, Timeout, Unavailable,
    };
    match class {
        _ if no_record => "give the row a key that the map can use, in its app; then start a run of all records",
        Mapping => "correct the value, or the mapping of the field; then rerun what failed",
        Application | BadRequest => {
            "correct the record in its app, or the rule of the other app that refuses it; then rerun what failed"
        }
        Conflict => "look at the record in both apps: somebody changed it at the same time; then rerun it",
        Auth => "let the user of Tandem read and write the entity; then rerun what failed",
        Throttled | Unavailable | Network | Timeout | OtherHttp => "see that the app answers; then rerun what failed",
    }
}

impl SyncRecord {
    pub fn of(map: &Map, finding: Finding) -> Self {
        let (from, key) = (map.config.side(finding.leg).side.to_string(), finding.key.to_string());
        let bare = |state| Self {
            from,
            key,
            state,
            at: None,
            cause: None,
            class: None,
            code: None,
            message: None,
            what_to_do: None,
            row: None,
            missing: None,
            fields: Vec::new(),
            in_step_at: None,
            deleted_at: None,
        };
        match finding.state {
            FindingState::LookAgain(look) => Self { at: Some(look.due.to_string()), ..bare("look_again") },
            FindingState::Changing => bare("changing"),
            FindingState::Deletion(deletion) => Self {
                at: Some(deletion.at.to_string()),
                missing: (deletion.fate == DeletionFate::Proposed).then_some(true),
                what_to_do: (deletion.fate == DeletionFate::Proposed).then_some(DECIDE),
                in_step_at: deletion.past.in_step_at.map(|at| at.to_string()),
                deleted_at: deletion.past.deleted_at.map(|at| at.to_string()),
                ..bare(deletion.fate.as_str())
            },
            FindingState::Failed(failed) => Self {
                at: Some(failed.at.to_string()),
                cause: Some(failed.cause.to_string()),
                class: Some(failed.class),
                code: failed.code,
                message: Some(failed.message),
                what_to_do: Some(what_to_do(failed.class, failed.no_record)),
                row: failed.row,
                ..bare("failed")
            },
            FindingState::Differs(difference) => {
                let fields = difference.fields.into_iter();
                let winner = map.config.side(finding.leg).side.to_string();
                let field = |found: FieldDifference| {
                    let FieldDifference { field, wanted, there } = found;
                    SyncField { field, winner: winner.clone(), wanted, there }
                };
                Self { missing: Some(difference.missing), fields: fields.map(field).collect(), ..bare("differs") }
            }
        }
    }
}
