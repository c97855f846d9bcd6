//! The meaning of an answer of `sync-write` for the app.

use std::time::Duration;

use serde_json::Value;

/// The meaning of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Verdict {
    /// Tandem has accepted the write: it is written, queued, parked or skipped.
    Taken,
    /// Tandem refuses the write, and would refuse it again.
    Refused,
    /// Tandem does not accept the write, because the other app is not available and the map queues nothing. If the
    /// write reached the other app after all, Tandem reverts it there.
    NotKept,
    /// The id is older than the ids that Tandem remembers.
    IdTooOld,
    /// Tandem is still executing an earlier call with this id.
    InProgress,
    /// Tandem did nothing: the app calls too often, or Tandem does not know the app's secret.
    NotNow,
    /// There is no answer, or it does not say what Tandem did.
    Unknown,
}

/// An answer, or the lack of one.
#[derive(Debug)]
pub(in super::super) struct Answer {
    /// Its meaning.
    pub(in super::super) verdict: Verdict,
    /// The body of Tandem's answer, or null.
    pub(in super::super) body: Value,
    /// The wait for which Tandem asks (`Retry-After`).
    pub(in super::super) retry_after: Option<Duration>,
    /// The reason in words, for everything but [`Verdict::Taken`].
    pub(in super::super) why: String,
}

impl Answer {
    /// Classifies an answer.
    pub(in super::super) fn new(status: u16, retry_after: Option<Duration>, body: Value) -> Self {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let verdict = match (status, text("code")) {
            (200 | 202, _) if text("status").is_some() => Verdict::Taken,
            (409, Some("write_in_progress")) => Verdict::InProgress,
            (409, Some("write_id_too_old")) => Verdict::IdTooOld,
            (401 | 429, _) | (503, Some("contended")) => Verdict::NotNow,
            (503, Some("app_unavailable")) => Verdict::NotKept,
            (400..=499, _) => Verdict::Refused,
            _ => Verdict::Unknown,
        };
        Self { verdict, retry_after, why: why(status, &body), body }
    }

    /// The lack of an answer, for the reason `why`.
    pub(in super::super) fn missing(why: String) -> Self {
        Self { verdict: Verdict::Unknown, body: Value::Null, retry_after: None, why }
    }

    /// The other app's message, if the problem comes from that app.
    pub(in super::super) fn other_app_says(&self) -> Option<&str> {
        self.body.get("app")?.get("message")?.as_str()
    }
}

/// The most exact text in an answer: the message of the other app, else the errors by field, else the title.
fn why(status: u16, body: &Value) -> String {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(said) = body.get("app").and_then(|app| text(app, "message")) {
        return said;
    }
    let mistakes = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let mistakes: Vec<String> = mistakes
        .filter_map(|mistake| Some(format!("{} {}", text(mistake, "field")?, text(mistake, "message")?)))
        .collect();
    let title = text(body, "title").unwrap_or_else(|| format!("Tandem answered with status {status}"));
    match (mistakes.is_empty(), text(body, "detail")) {
        (false, _) => format!("{title}: {}", mistakes.join("; ")),
        (true, Some(detail)) => format!("{title}. {detail}"),
        (true, None) => title,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_answer_of_sync_write_has_its_meaning() {
        for (status, body, verdict) in [
            (200, json!({"id": "x", "status": "written"}), Verdict::Taken),
            (200, json!({"id": "x", "status": "skipped", "reason": "echo"}), Verdict::Taken),
            (202, json!({"id": "x", "status": "queued"}), Verdict::Taken),
            (200, Value::Null, Verdict::Unknown),
            (302, Value::Null, Verdict::Unknown),
            (400, json!({"code": "invalid_request"}), Verdict::Refused),
            (401, Value::Null, Verdict::NotNow),
            (404, json!({"code": "map_not_found"}), Verdict::Refused),
            (409, json!({"code": "write_in_progress"}), Verdict::InProgress),
            (409, json!({"code": "write_id_too_old"}), Verdict::IdTooOld),
            (409, json!({"code": "write_id_reused"}), Verdict::Refused),
            (422, json!({"code": "refused"}), Verdict::Refused),
            (429, Value::Null, Verdict::NotNow),
            (500, Value::Null, Verdict::Unknown),
            (503, json!({"code": "app_unavailable"}), Verdict::NotKept),
            (503, json!({"code": "contended"}), Verdict::NotNow),
            (503, json!({"code": "unavailable"}), Verdict::Unknown),
        ] {
            assert_eq!(Answer::new(status, None, body.clone()).verdict, verdict, "{status} {body}");
        }
    }

    #[test]
    fn the_reason_is_the_most_exact_text_there_is() {
        let why = |body| Answer::new(422, None, body).why;
        let app = json!({"side": "crm", "class": "application", "message": "Credit limit above 1,000,000"});
        assert_eq!(why(json!({"title": "Refused", "detail": "See app.", "app": app})), "Credit limit above 1,000,000");
        let errors =
            json!([{"field": "Name", "message": "is required"}, {"field": "Group", "message": "has no value"}]);
        let told = why(json!({"title": "Not mapped", "detail": "x", "errors": errors}));
        assert_eq!(told, "Not mapped: Name is required; Group has no value");
        assert_eq!(why(json!({"title": "Contended", "detail": "Try again.", "errors": []})), "Contended. Try again.");
        assert_eq!(why(json!({"title": "Refused"})), "Refused");
        assert_eq!(why(Value::Null), "Tandem answered with status 422");
    }
}
