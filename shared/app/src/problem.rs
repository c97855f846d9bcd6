//! Errors as callers see them: problem+json after RFC 9457.
//!
//! What is written here is all that is ever told: titles are constants, and so are details, but for the names of what
//! they are about; `errors` names fields of the request. Texts of AWS or of this program go to the log, with the request's id.

mod conflict;

use std::borrow::Cow;

use domain::{ErrorClass, side::Mistake};
use serde::Serialize;

use self::conflict::{conflict_text, takes};
use crate::{
    error::{AppError, AppSays, ResourceKind, StateConflict as Conflict, Subject},
    ports::PortError,
};

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error as callers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Names the kind of problem: `urn:tandem:problem:` and the code.
    pub r#type: String,
    /// The kind of problem in words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it means and what can be done.
    pub detail: Cow<'static, str>,
    /// The kind of problem for programs. Codes are never renamed.
    pub code: &'static str,
    /// The map, the record and the entry that it is about, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Subject>,
    /// The error class, when a record met an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<ErrorClass>,
    /// What the app said that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppSays>,
    /// Whether the record may have reached the app all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome_unknown: Option<bool>,
    /// What is wrong where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
    /// Finds the request in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Headers that go with it.
    #[serde(skip)]
    pub headers: Vec<(&'static str, String)>,
}

impl From<&AppError> for Problem {
    fn from(error: &AppError) -> Self {
        let about = match error {
            AppError::Of { about, .. } => Some(about.clone()),
            _ => None,
        };
        let error = error.without_subject();
        let (status, code, title, detail) = text(error);
        Self {
            r#type: format!("urn:tandem:problem:{code}"),
            title,
            status,
            detail: about.as_ref().map_or(Cow::Borrowed(detail), |about| Cow::Owned(named(about, detail))),
            code,
            about,
            class: class(error),
            app: says(error).cloned(),
            outcome_unknown: match error {
                AppError::NotKept { outcome_unknown, .. } => Some(*outcome_unknown),
                _ => None,
            },
            errors: errors(error),
            request_id: None,
            headers: headers(error),
        }
    }
}

/// A detail with the names of what it is about.
fn named(about: &Subject, detail: &str) -> String {
    let mut text = format!("{about}. {detail}");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    match &about.map {
        Some(map) => text.replace("{map}", map.as_str()),
        None => text,
    }
}

fn says(error: &AppError) -> Option<&AppSays> {
    match error {
        AppError::Refused(says) | AppError::NotKept { says, .. } => Some(says),
        _ => None,
    }
}

fn class(error: &AppError) -> Option<ErrorClass> {
    match error {
        AppError::Mapping(_) => Some(ErrorClass::Mapping),
        error => says(error).map(|says| says.class),
    }
}

type Text = (u16, &'static str, &'static str, &'static str);

fn text(error: &AppError) -> Text {
    match error {
        AppError::Invalid(_) => (
            400,
            "invalid_request",
            "The request has mistakes",
            "`errors` names each field and what is wrong with it. Nothing was changed.",
        ),
        AppError::UnsupportedMediaType { .. } => (
            415,
            "unsupported_media_type",
            "Unsupported content type",
            "Send the body with one of the content types in `errors`.",
        ),
        AppError::TooLarge { .. } => {
            (413, "body_too_large", "The body is too large", "`errors` names the limit. Nothing was changed.")
        }
        AppError::Unauthenticated => (
            401,
            "unauthenticated",
            "Authentication required",
            "Send `Authorization: Bearer <token>` with a token that has not been revoked.",
        ),
        AppError::Forbidden { .. } => (
            403,
            "forbidden",
            "Your role does not allow this",
            "`errors` names the role that is needed. Ask an admin for a token with that role.",
        ),
        AppError::NotFound(ResourceKind::Map) => {
            (404, "map_not_found", "There is no such map", "`GET /maps` lists all.")
        }
        AppError::NotFound(ResourceKind::Side) => {
            (404, "side_not_found", "There is no such side", "`GET /sides` lists all.")
        }
        AppError::NotFound(ResourceKind::Rule) => {
            (404, "rule_not_found", "There is no such rule", "`GET /rules` lists all.")
        }
        AppError::NotFound(ResourceKind::Group) => {
            (404, "group_not_found", "There is no such group", "`GET /groups` lists all.")
        }
        AppError::NotFound(ResourceKind::Incident) => (
            404,
            "incident_not_found",
            "There is no such incident",
            "`GET /incidents` lists all. Tandem keeps closed incidents for as long as the logs.",
        ),
        AppError::NotFound(ResourceKind::FlaggedAddress) => (
            404,
            "address_not_flagged",
            "This address is not flagged",
            "Tandem sends mail to this address. `GET /mail/flagged` lists the addresses that get none.",
        ),
        AppError::NotFound(ResourceKind::FailedEvent) => (
            404,
            "failed_event_not_found",
            "There is no such event",
            "Somebody may have dismissed it; `GET /log/activity` shows who. `GET /log/failed` lists the events that are left.",
        ),
        AppError::NotFound(ResourceKind::Token) => {
            (404, "token_not_found", "There is no such token", "`GET /tokens` lists all.")
        }
        AppError::NotFound(ResourceKind::Entry) => (
            404,
            "entry_not_found",
            "There is no such entry",
            "It may have ended in the meantime. `GET /maps/{map}/queue/entries?key=` lists the entries of a record that wait; \
             `GET /writes/{id}` of sync-write has the status of a write.",
        ),
        AppError::NotFound(ResourceKind::Archived) => {
            (404, "archived_not_found", "There is no such archived entry", "`GET /maps/{map}/archive` lists all.")
        }
        AppError::NotFound(ResourceKind::SyncRun) => (
            404,
            "unknown_sync_run",
            "No such sync run",
            "`GET /maps/{map}/syncs` lists the runs of the map. A run is kept for a year.",
        ),
        AppError::NotFound(ResourceKind::Conflict) => {
            (404, "conflict_not_found", "There is no such conflict", "`GET /maps/{map}/conflicts` lists all.")
        }
        AppError::NotFound(ResourceKind::Write) => (
            404,
            "write_not_found",
            "There is no such write",
            "Tandem has no record of this id: the write was never accepted, or it ended too long ago.",
        ),
        AppError::UnknownRoute => {
            (404, "unknown_route", "Unknown address", "The OpenAPI document lists all addresses.")
        }
        AppError::MethodNotAllowed { .. } => {
            (405, "method_not_allowed", "Method not allowed", "The `Allow` header lists the methods of this address.")
        }
        AppError::VersionMissing { .. } => (
            428,
            "version_missing",
            "`If-Match` is required",
            "Read the current version and send its `ETag` as `If-Match`, or send `If-Match: *` to overwrite any version.",
        ),
        AppError::VersionChanged { .. } => (
            412,
            "version_changed",
            "The resource has changed",
            "Somebody changed or deleted it since you read it. Read it again, compare, and repeat your change.",
        ),
        AppError::Exists { .. } => (
            412,
            "exists",
            "The resource already exists",
            "`If-None-Match: *` only creates. Send `If-Match` to change an existing resource.",
        ),
        AppError::Conflict(conflict) => conflict_text(conflict),
        AppError::Mapping(_) => (
            422,
            "mapping",
            "The record cannot be mapped",
            "`errors` names the field that cannot be mapped. Nothing was written.",
        ),
        AppError::Refused(_) => (
            422,
            "refused",
            "The target app refused the record",
            "`app` has the app's own code and message. Nothing was changed. Correct the record before you send it again.",
        ),
        AppError::NotKept { .. } => (
            503,
            "app_unavailable",
            "The target app is unavailable",
            "This map does not queue changes while an app is down. Roll back. If `outcome_unknown` is true, Tandem restores the target app.",
        ),
        AppError::Of { error, .. } => text(error),
        AppError::Contended => (
            503,
            "contended",
            "Too many concurrent changes of the record",
            "This request changed nothing. It is safe to retry.",
        ),
        AppError::Port(PortError::Transient(_)) => {
            (503, "unavailable", "A service that Tandem depends on did not respond", "It is safe to retry.")
        }
        AppError::Port(PortError::Permanent(_)) => {
            (500, "internal", "Internal error", "See the log entry for this request id.")
        }
    }
}

fn errors(error: &AppError) -> Vec<Mistake> {
    let one = |field: &str, message: String| vec![Mistake { field: field.to_owned(), message }];
    match error {
        AppError::Of { error, .. } => errors(error),
        AppError::Invalid(mistakes)
        | AppError::Conflict(
            Conflict::SideMissing(mistakes)
            | Conflict::Blocked(mistakes)
            | Conflict::Interrupted(mistakes)
            | Conflict::SyncProblems(mistakes),
        ) => mistakes.iter().cloned().map(whole_body).collect(),
        AppError::UnsupportedMediaType { wanted } => one("Content-Type", format!("must be {wanted}")),
        AppError::TooLarge { limit_bytes } => one("body", format!("has more than {limit_bytes} bytes")),
        AppError::Forbidden { needs } => one("Authorization", format!("needs the role {}", needs.as_str())),
        AppError::VersionMissing { stored } => one("If-Match", format!("is missing; the stored version is {stored}")),
        AppError::VersionChanged { stored: Some(stored) } => {
            one("If-Match", format!("does not match the stored version, {stored}"))
        }
        AppError::VersionChanged { stored: None } => one("If-Match", "does not match what is stored now".to_owned()),
        AppError::Exists { stored } => one("If-None-Match", format!("does not hold: version {stored} is stored")),
        AppError::Mapping(mapping) => one(&mapping.field, mapping.message.clone()),
        AppError::Conflict(Conflict::SideInUse(maps)) => maps
            .iter()
            .map(|map| Mistake { field: "side".to_owned(), message: format!("is used by the map {map}") })
            .collect(),
        AppError::Conflict(Conflict::GroupInUse(rules)) => rules
            .iter()
            .map(|rule| Mistake { field: "group".to_owned(), message: format!("is named by the rule {rule}") })
            .collect(),
        AppError::Conflict(Conflict::SyncActive(run)) => one("map", format!("has the run {run}")),
        AppError::Conflict(Conflict::MapActive(state)) => one("map", format!("is {state}")),
        AppError::Conflict(Conflict::MapSettling { until, .. }) => one("map", format!("settles until {until}")),
        AppError::Conflict(Conflict::EntryInFlight { until, .. }) => one("seq", format!("is in flight until {until}")),
        AppError::Conflict(Conflict::IllegalCommand { state, command }) => {
            one("map", format!("is {state}: it takes {}, not {}", takes(*state), command.as_str()))
        }
        AppError::Conflict(Conflict::ArchiveWaits { some, more }) => {
            let named = some.iter().map(|(key, id)| ("archive", format!("has {id} of {key}")));
            let more = more.then(|| ("archive", "has more".to_owned()));
            named.chain(more).map(|(field, message)| Mistake { field: field.to_owned(), message }).collect()
        }
        AppError::Conflict(
            Conflict::MapNotEmpty
            | Conflict::TokenNameTaken
            | Conflict::TooManyTokens
            | Conflict::TooManyRules
            | Conflict::IncidentOver
            | Conflict::WriteIdReused
            | Conflict::WriteIdTooOld
            | Conflict::WriteInProgress
            | Conflict::NotNext
            | Conflict::NotParked
            | Conflict::NotAWrite
            | Conflict::Unreadable
            | Conflict::NothingBehind
            | Conflict::AlreadySo
            | Conflict::NewerAccepted
            | Conflict::SyncOver
            | Conflict::ParentGoesOn
            | Conflict::MapPaused,
        )
        | AppError::Refused(_)
        | AppError::NotKept { .. }
        | AppError::Contended
        | AppError::Unauthenticated
        | AppError::NotFound(_)
        | AppError::UnknownRoute
        | AppError::MethodNotAllowed { .. }
        | AppError::Port(_) => Vec::new(),
    }
}

/// A mistake without a field is one of the body as a whole.
fn whole_body(mistake: Mistake) -> Mistake {
    if mistake.field.is_empty() { Mistake { field: "body".to_owned(), ..mistake } } else { mistake }
}

fn headers(error: &AppError) -> Vec<(&'static str, String)> {
    match error {
        AppError::Unauthenticated => vec![("www-authenticate", "Bearer realm=\"tandem\"".to_owned())],
        AppError::MethodNotAllowed { allow } => vec![("allow", allow.clone())],
        AppError::Conflict(
            Conflict::MapSettling { retry_after_s, .. } | Conflict::EntryInFlight { retry_after_s, .. },
        ) => {
            vec![("retry-after", retry_after_s.to_string())]
        }
        AppError::Port(PortError::Transient(_))
        | AppError::Contended
        | AppError::Conflict(Conflict::WriteInProgress) => {
            vec![("retry-after", "1".to_owned())]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
