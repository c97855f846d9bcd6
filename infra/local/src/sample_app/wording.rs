//! The messages about a change for people.

use serde_json::Value;

use super::tandem::{Answer, Verdict};

/// The message about a change that Tandem has accepted.
pub(super) fn saved(other: &str, answer: &Value, is_delete: bool) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let done = if is_delete { "Deleted" } else { "Saved" };
    let failure = answer.get("failure").and_then(|failure| failure.get("message")).and_then(Value::as_str);
    let because = failure.map(|why| format!(" ({})", why.trim_end_matches('.'))).unwrap_or_default();
    match (text("status"), text("reason")) {
        ("written", _) if is_delete => format!("{done}; {other} has deleted it too."),
        ("written", _) => format!("{done}; {other} has it too."),
        ("queued", _) => format!("{done}; {other} gets it as soon as possible, Tandem has queued it{because}."),
        ("parked", _) => format!("{done} here, but {other} could not take it: Tandem has parked it{because}."),
        ("skipped", "echo") => format!("{done}; {other} has the same already."),
        ("skipped", "stopped") => format!("{done} here only; the map is stopped."),
        ("skipped", reason) => format!("{done} here; Tandem skipped it ({reason})."),
        (status, _) => format!("{done}; Tandem says: {status}."),
    }
}

/// The message about a change while the app is not connected to Tandem.
pub(super) fn saved_here_only(is_delete: bool) -> String {
    let done = if is_delete { "Deleted" } else { "Saved" };
    format!("{done} here only; not connected to Tandem yet.")
}

/// The message about a change that was rolled back.
pub(super) fn not_saved(other: &str, answer: &Answer, may_be_written: bool) -> String {
    let why = answer.why.trim_end_matches('.');
    let mut text = match (answer.verdict, answer.other_app_says()) {
        (Verdict::Refused, Some(_)) => format!("Not saved: {other} refused: {why}."),
        (Verdict::NotKept, _) => format!("Not saved: {other} is not available: {why}."),
        (Verdict::InProgress, _) => "Not saved: Tandem is still working on it. Try again.".to_owned(),
        _ => format!("Not saved: {why}."),
    };
    if may_be_written {
        text.push_str(&format!(" If it reached {other} nevertheless, Tandem takes it back there."));
    }
    text
}

/// The message about a change that was not tried because an earlier one of the record has not been reported.
pub(super) fn earlier_change_waits(why: &str) -> String {
    let why = why.trim_end_matches('.');
    format!("Not saved: an earlier change of this record has not reached Tandem yet ({why}). Try again.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn not_taken(status: u16, body: Value) -> String {
        not_saved("crm", &Answer::new(status, None, body), false)
    }

    #[test]
    fn sentences_name_the_other_app() {
        assert_eq!(saved("crm", &json!({"status": "written"}), false), "Saved; crm has it too.");
        assert_eq!(saved("crm", &json!({"status": "written"}), true), "Deleted; crm has deleted it too.");
        let failure = json!({"side": "crm", "message": "timed out"});
        let text = saved("crm", &json!({"status": "queued", "failure": failure}), false);
        assert_eq!(text, "Saved; crm gets it as soon as possible, Tandem has queued it (timed out).");
        let app = json!({"side": "crm", "message": "Credit limit above 1,000,000."});
        let text = not_taken(422, json!({"code": "refused", "app": app}));
        assert_eq!(text, "Not saved: crm refused: Credit limit above 1,000,000.");
        let app = json!({"side": "crm", "message": "connection reset"});
        let text = not_taken(503, json!({"code": "app_unavailable", "app": app}));
        assert_eq!(text, "Not saved: crm is not available: connection reset.");
        let errors = json!([{"field": "CreditLimit", "message": "is not a number"}]);
        let text = not_taken(422, json!({"code": "mapping", "title": "Cannot be mapped", "errors": errors}));
        assert_eq!(text, "Not saved: Cannot be mapped: CreditLimit is not a number.");
    }
}
