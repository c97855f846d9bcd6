//! Responses about incidents: the errors they counted, the actions taken, the mails sent.

use domain::rule::{Delivery, NoticeKind, Sent, Top};
use serde::Serialize;
use utoipa::ToSchema;

use super::by_hand;

/// A page of incidents.
#[derive(Serialize, ToSchema)]
pub struct Incidents {
    /// Newest first.
    pub incidents: Vec<Incident>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A breach of a rule, from its opening to its recovery.
#[derive(Serialize, ToSchema)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// The map.
    pub map: String,
    /// When it was opened, RFC 3339.
    pub opened_at: String,
    /// When the first counted error happened, RFC 3339.
    pub first_at: String,
    /// When the last counted error happened, RFC 3339.
    pub last_at: String,
    /// How many errors were counted.
    pub count: u32,
    /// The log ids of the counted errors, newest first, at most 100.
    pub errors: Vec<String>,
    /// The most frequent errors first, at most five.
    pub top: Vec<TopView>,
    /// The rule's action: `none`, `pause` or `stop`.
    pub action: &'static str,
    /// The result of the action. Absent: the action is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acted: Option<ActedView>,
    /// Who acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acknowledged_by: Option<String>,
    /// How often `auto_resume` has resumed the map.
    pub auto_resumed: u32,
    /// When it ended, RFC 3339. Absent: it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recovered_at: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recovered_by: Option<String>,
    /// The notices sent about it.
    pub notices: Vec<NoticeView>,
}

/// Errors with the same fingerprint.
#[derive(Serialize, ToSchema)]
pub struct TopView {
    /// Equal for errors with the same cause.
    pub fingerprint: String,
    /// Their class.
    #[schema(schema_with = by_hand::error_class)]
    pub class: domain::ErrorClass,
    /// The app that was called.
    pub to: String,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The app's own message, of the newest of them.
    pub message: String,
    /// How many errors.
    pub count: u32,
    /// Some of the records.
    pub keys: Vec<String>,
}

impl From<Top> for TopView {
    fn from(top: Top) -> Self {
        Self {
            fingerprint: top.fingerprint.to_string(),
            class: top.class,
            to: top.to.to_string(),
            code: top.code,
            message: top.message,
            count: top.count,
            keys: top.keys.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a rule's action did.
#[derive(Serialize, ToSchema)]
pub struct ActedView {
    /// When, RFC 3339.
    pub at: String,
    /// The state into which the action brought the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub state: Option<&'static str>,
    /// Why the action did not change the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub left: Option<String>,
}

/// A notice to the recipients of the rule.
#[derive(Serialize, ToSchema)]
pub struct NoticeView {
    /// `opened`, `again`, `reminder` or `recovered`.
    #[schema(value_type = String)]
    pub kind: NoticeKind,
    /// When it became due, RFC 3339.
    pub at: String,
    /// One delivery for each recipient.
    pub to: Vec<DeliveryView>,
}

/// One mail to one person.
#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    /// The recipient.
    pub to: String,
    /// `waiting`, `taken`, `failed` or `bounced`.
    pub state: &'static str,
    /// The mail service's id of the mail, or its error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub says: Option<String>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let (state, says) = match delivery.sent {
            Sent::Waiting { says, .. } => ("waiting", says),
            Sent::Taken { message_id, .. } => ("taken", Some(message_id)),
            Sent::Failed { says, .. } => ("failed", Some(says)),
            Sent::Bounced { says, .. } => ("bounced", Some(says)),
        };
        Self { to: delivery.to.to_string(), state, says }
    }
}

impl From<domain::rule::Incident> for Incident {
    fn from(incident: domain::rule::Incident) -> Self {
        let (recovered_at, recovered_by) = incident.recovered.map(|(at, how)| (at.to_string(), how)).unzip();
        let notice = |notice: domain::rule::Notice| NoticeView {
            kind: notice.kind,
            at: notice.at.to_string(),
            to: notice.to.into_iter().flatten().map(DeliveryView::from).collect(),
        };
        Self {
            id: incident.id.to_string(),
            rule: incident.rule.to_string(),
            title: incident.config.title,
            map: incident.map.to_string(),
            opened_at: incident.opened_at.to_string(),
            first_at: incident.first_at.to_string(),
            last_at: incident.last_at.to_string(),
            count: incident.count,
            errors: incident.errors.iter().map(ToString::to_string).collect(),
            top: incident.top.into_iter().map(TopView::from).collect(),
            action: incident.config.action.as_str(),
            acted: incident.acted.map(|acted| ActedView {
                at: acted.at.to_string(),
                state: acted.state.map(|state| state.as_str()),
                left: acted.left,
            }),
            acknowledged_by: incident.acknowledged.map(|by| by.actor),
            auto_resumed: incident.auto_resumed,
            recovered_at,
            recovered_by,
            notices: incident.notices.into_iter().map(notice).collect(),
        }
    }
}
