//! Values that an app has stored in another form than they were sent in.

use serde_json::Value;

use crate::record::{ContentHash, Record};

/// The record that was sent, with each value in the form in which the app says it has stored it. A value that differs in more than
/// its form stays as it was sent: it is the app's own change, and its report must not be taken for an echo.
#[must_use]
pub fn in_stored_form(sent: &Record, stored: &Record) -> Record {
    let formed = |(name, sent): (&String, &Value)| {
        let stored = stored.get(name).filter(|stored| differs_in_form_only(sent, stored));
        (name.clone(), stored.unwrap_or(sent).clone())
    };
    sent.iter().map(formed).collect()
}

/// Blank or null, another case, other spaces and punctuation (a phone number), or a time without its fraction.
fn differs_in_form_only(sent: &Value, stored: &Value) -> bool {
    let blank = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    if blank(sent) && blank(stored) || ContentHash::of_value(sent) == ContentHash::of_value(stored) {
        return true;
    }
    let (Some(sent), Some(stored)) = (sent.as_str(), stored.as_str()) else { return false };
    let bare =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (one, other) = (bare(sent), bare(stored));
    if !one.is_empty() && one == other {
        return true;
    }
    let is_time = sent.len() >= 19 && sent.as_bytes()[4] == b'-' && sent.as_bytes()[13] == b':';
    let (one, other) = (one.trim_end_matches('z'), other.trim_end_matches('z'));
    is_time && other.len() >= "20261127100000".len() && (one.starts_with(other) || other.starts_with(one))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_takes_the_stored_form_and_a_value_of_the_apps_own_does_not() {
        for (sent, stored, form_only) in [
            (json!(null), json!(""), true),
            (json!("  "), json!(null), true),
            (json!(" Ada "), json!("ADA"), true),
            (json!("+1 (555) 0100"), json!("+15550100"), true),
            (json!("2026-11-24T10:00:00.250Z"), json!("2026-11-24T10:00:00Z"), true),
            (json!(1.50), json!(1.5), true),
            (json!("Ada"), json!("Adam"), false),
            (json!("Ada"), json!(""), false),
            (json!("!"), json!("?"), false),
            (json!(50), json!(30), false),
            (json!("2026-11-24T10:00:00Z"), json!("2026-11-24T11:00:00Z"), false),
            (json!("2026-11-24"), json!("2026"), false),
        ] {
            let record = |value: &Value| Record::from_iter([("a".to_owned(), value.clone())]);
            let wanted = if form_only { &stored } else { &sent };
            assert_eq!(in_stored_form(&record(&sent), &record(&stored)), record(wanted), "{sent} {stored}");
        }
    }

    #[test]
    fn only_what_was_sent_counts() {
        let sent = Record::from_iter([("a".to_owned(), json!("x"))]);
        let stored = Record::from_iter([("b".to_owned(), json!("changed by a user meanwhile"))]);
        assert_eq!(in_stored_form(&sent, &stored), sent);
    }
}
