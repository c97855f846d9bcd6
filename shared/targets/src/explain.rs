//! What an error body says, in the forms in use.

use serde_json::Value;

/// The app's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// Its error code.
    pub(crate) code: Option<String>,
    /// Its message.
    pub(crate) message: Option<String>,
    /// Whether these are words of the application, not of a gateway in front of it.
    pub(crate) explained: bool,
}

/// Reads an error body. Only JSON is listened to: an HTML page was written for somebody else, mostly by a proxy.
pub(crate) fn explain(body: &[u8]) -> Explanation {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => {
            let fields = Value::Object(fields);
            match &fields["error"] {
                Value::Object(_) => odata(&fields["error"]),
                // RFC 6749: `{"error": "invalid_client", "error_description": "…"}`
                Value::String(code) => {
                    explanation(Some(code.clone()), text(&fields, "error_description").or(text(&fields, "message")))
                }
                _ => problem(&fields),
            }
        }
        _ => Explanation::default(),
    }
}

/// `{"error": {"code", "message", "innererror"}}`. Finance & Operations leaves `code` empty, answers with a sentence
/// that says nothing, and tells the reason in `innererror`.
fn odata(error: &Value) -> Explanation {
    let inner = text(&error["innererror"], "message");
    let message = match (text(error, "message"), inner) {
        (Some(outer), Some(inner)) if !outer.contains(&inner) => Some(format!("{outer} {inner}")),
        (outer, inner) => outer.or(inner),
    };
    let explained = message.is_some();
    let found = explanation(scalar(error, "code"), message);
    Explanation { explained: found.explained || explained, ..found }
}

/// RFC 9457, and bodies that only have a `message`. Those come from gateways as well, so a message alone does not count
/// as the application's word.
fn problem(fields: &Value) -> Explanation {
    let kind = text(fields, "type").filter(|kind| kind != "about:blank");
    let message = match (text(fields, "title"), text(fields, "detail")) {
        (Some(title), Some(detail)) => Some(format!("{}: {detail}", title.trim_end_matches('.'))),
        (title, detail) => title.or(detail).or_else(|| text(fields, "message")),
    };
    let detailed = text(fields, "detail").is_some();
    let found = explanation(scalar(fields, "code").or(kind), message);
    Explanation { explained: found.explained || detailed, ..found }
}

fn explanation(code: Option<String>, message: Option<String>) -> Explanation {
    Explanation { explained: code.is_some(), code, message }
}

fn text(fields: &Value, name: &str) -> Option<String> {
    fields[name].as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Codes come as text and as numbers.
fn scalar(fields: &Value, name: &str) -> Option<String> {
    text(fields, name).or_else(|| fields[name].as_number().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_apps_own_words_are_found_in_every_form_in_use() {
        for (body, code, message, explained) in [
            (
                json!({"error": {"code": "0x80040237", "message": "A record with matching key values already exists."}}),
                Some("0x80040237"),
                Some("A record with matching key values already exists."),
                true,
            ),
            (
                json!({"error": {"code": "", "message": "An error has occurred.",
                    "innererror": {"message": "Customer group X is not found.", "stacktrace": "at …"}}}),
                None,
                Some("An error has occurred. Customer group X is not found."),
                true,
            ),
            (
                json!({"error": {"code": "x", "message": "Same.", "innererror": {"message": "Same."}}}),
                Some("x"),
                Some("Same."),
                true,
            ),
            (json!({"error": {}}), None, None, false),
            (
                json!({"type": "https://a.example/out-of-credit", "title": "No credit.", "detail": "Balance is 30."}),
                Some("https://a.example/out-of-credit"),
                Some("No credit: Balance is 30."),
                true,
            ),
            (json!({"type": "about:blank", "title": "Bad Request"}), None, Some("Bad Request"), false),
            (
                json!({"title": "Bad", "detail": "name is empty", "code": 17}),
                Some("17"),
                Some("Bad: name is empty"),
                true,
            ),
            (json!({"message": "Bad Request"}), None, Some("Bad Request"), false),
            (json!({"message": "m", "code": "E1"}), Some("E1"), Some("m"), true),
            (
                json!({"error": "invalid_client", "error_description": "AADSTS7000215"}),
                Some("invalid_client"),
                Some("AADSTS7000215"),
                true,
            ),
            (json!({"message": 7, "code": null}), None, None, false),
            (json!(["x"]), None, None, false),
            (json!("x"), None, None, false),
        ] {
            let wanted = Explanation { code: code.map(Into::into), message: message.map(Into::into), explained };
            assert_eq!(explain(body.to_string().as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_listened_to() {
        for body in [&b"<html>Bad Gateway</html>"[..], b"", b"{\"message\": \"cut o", b"\xff\xfe"] {
            assert_eq!(explain(body), Explanation::default());
        }
    }
}
