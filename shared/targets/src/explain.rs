//! Parses the error bodies that apps use.

mod xml;

use serde_json::{Map, Value};

/// Most messages about single fields that are joined into one.
const MAX_PARTS: usize = 5;

/// An error in the app's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// The app's error code.
    pub(crate) code: Option<String>,
    /// The app's message, with the names of the fields that it is about.
    pub(crate) message: Option<String>,
    /// Whether the application wrote this, not a gateway in front of it.
    pub(crate) explained: bool,
}

/// Reads an error body: JSON, an `OData` error in XML, or plain text. An HTML page explains nothing: it is for people,
/// and mostly from a proxy.
pub(crate) fn explain(text: &str, media_type: &str) -> Explanation {
    let text = text.trim();
    if let Ok(value) = serde_json::from_str(text) {
        return match &value {
            Value::Object(fields) => object(fields),
            Value::Array(items) => list(items),
            _ => Explanation::default(),
        };
    }
    if let Some((code, message)) = xml::error(text) {
        return Explanation { explained: message.is_some() || code.is_some(), code, message };
    }
    if media_type == "text/plain" && !text.is_empty() && !text.starts_with(['<', '{', '[']) {
        return Explanation { code: None, message: Some(text.to_owned()), explained: false };
    }
    Explanation::default()
}

fn object(fields: &Map<String, Value>) -> Explanation {
    match fields.get("error") {
        Some(Value::Object(error)) => odata(error),
        // RFC 6749: `{"error": "invalid_client", "error_description": "…"}`
        Some(Value::String(code)) => {
            let message = text(fields, "error_description").or_else(|| text(fields, "message"));
            coded(Some(code.clone()), message)
        }
        _ => problem(fields),
    }
}

/// Reads `{"error": {"code", "message", "target", "details", "innererror"}}`. SAP's `message` is `{"lang", "value"}`.
/// Finance & Operations leaves `code` empty, and has a generic sentence in `message` and the reason in `innererror`.
fn odata(error: &Map<String, Value>) -> Explanation {
    let outer = text(error, "message").or_else(|| text(error.get("message")?.as_object()?, "value"));
    let outer = outer.map(|message| with_field(text(error, "target").as_deref(), message));
    let mut parts: Vec<String> = outer.into_iter().collect();
    parts.extend(items(error.get("details")).filter_map(part));
    let mut inner = error.get("innererror").and_then(Value::as_object);
    while let Some(error) = inner {
        parts.extend(text(error, "message"));
        parts.extend(items(error.get("errordetails")).filter_map(part));
        inner = ["internalexception", "innererror"].iter().find_map(|name| error.get(*name)?.as_object());
    }
    let message = joined(parts);
    let code = scalar(error, "code");
    Explanation { explained: code.is_some() || message.is_some(), code, message }
}

/// Reads a problem of RFC 9457 with the messages about fields that frameworks add, or a body that only has a `message`.
/// Gateways send such bodies, too, so a message alone does not count as explained by the app.
fn problem(fields: &Map<String, Value>) -> Explanation {
    let kind = text(fields, "type").filter(|kind| kind != "about:blank");
    let detail = text(fields, "detail");
    let mut parts: Vec<String> = Vec::new();
    match (text(fields, "title"), &detail) {
        (Some(title), Some(detail)) => parts.push(format!("{}: {detail}", title.trim_end_matches('.'))),
        (title, detail) => parts.extend(title.or_else(|| detail.clone()).or_else(|| text(fields, "message"))),
    }
    let named = ["errors", "detail", "details", "fieldErrors", "violations", "validationErrors", "_issues"];
    let mut of_fields: Vec<String> =
        named.iter().filter_map(|name| fields.get(*name)).flat_map(self::of_fields).collect();
    if of_fields.is_empty() && is_only_of_fields(fields) {
        of_fields = self::of_fields(&Value::Object(fields.clone()));
    }
    // Eve has its general message beside the messages about fields.
    let general = fields.get("_error").and_then(Value::as_object);
    parts.extend(general.and_then(|error| text(error, "message")));
    let detailed = detail.is_some() || !of_fields.is_empty();
    parts.extend(of_fields);
    let code = scalar(fields, "code").or_else(|| scalar(fields, "errorCode")).or(kind);
    let code = code.or_else(|| scalar(general?, "code"));
    let found = coded(code, joined(parts));
    Explanation { explained: found.explained || detailed, ..found }
}

/// Whether the body has messages by field and nothing else, as Django REST framework and Rails answer:
/// `{"name": ["This field is required."]}`.
fn is_only_of_fields(fields: &Map<String, Value>) -> bool {
    let is_texts =
        |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string));
    !fields.is_empty() && fields.values().all(is_texts)
}

/// Reads `[{"message", "errorCode", "fields"}]`, as Salesforce answers.
fn list(errors: &[Value]) -> Explanation {
    let code = errors.iter().find_map(|error| {
        let error = error.as_object()?;
        scalar(error, "errorCode").or_else(|| scalar(error, "code"))
    });
    let message = joined(errors.iter().filter(|error| error.is_object()).filter_map(part).collect());
    Explanation { explained: code.is_some() || message.is_some(), code, message }
}

/// Reads messages by field: `{"name": ["is empty"]}`, or a list of objects or texts.
fn of_fields(errors: &Value) -> Vec<String> {
    match errors {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, said)| match said {
                Value::Array(all) => all.iter().filter_map(words).map(|says| with_field(Some(field), says)).collect(),
                one => words(one).map(|says| with_field(Some(field), says)).into_iter().collect::<Vec<_>>(),
            })
            .collect(),
        Value::Array(all) => all.iter().filter_map(part).collect(),
        _ => Vec::new(),
    }
}

/// Reads one item of a list: a text, or an object with a message and the field that it is about.
fn part(item: &Value) -> Option<String> {
    let fields = match item {
        Value::Object(fields) => fields,
        other => return words(other),
    };
    let says =
        ["detail", "message", "msg", "description", "title", "reason"].iter().find_map(|name| text(fields, name))?;
    let names = ["target", "field", "propertyName", "property", "path", "loc", "fields", "source"];
    let field = names.iter().find_map(|name| field_name(fields.get(*name)?));
    Some(with_field(field.as_deref(), says))
}

/// Reads the name of a field: a text, a path in parts (`["body", "name"]`), or `{"pointer": "/data/name"}`.
fn field_name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()).filter(|name| !name.is_empty()),
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(words).collect();
            (!parts.is_empty()).then(|| parts.join("."))
        }
        Value::Object(source) => text(source, "pointer").or_else(|| text(source, "parameter")),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Puts the field before the message, unless the message names it.
fn with_field(field: Option<&str>, message: String) -> String {
    match field {
        Some(field) if !message.contains(field) => format!("{field}: {message}"),
        _ => message,
    }
}

/// Joins messages. Drops each one that another one contains.
fn joined(parts: Vec<String>) -> Option<String> {
    let mut whole: Vec<String> = Vec::new();
    for part in parts {
        if whole.len() < MAX_PARTS && !whole.iter().any(|known| known.contains(&part)) {
            whole.push(part);
        }
    }
    let ended = |part: String| if part.ends_with(['.', '!', '?', ':', ';']) { part } else { part + ";" };
    let last = whole.pop()?;
    Some(whole.into_iter().map(ended).chain([last]).collect::<Vec<_>>().join(" "))
}

fn coded(code: Option<String>, message: Option<String>) -> Explanation {
    Explanation { explained: code.is_some(), code, message }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).filter(|value| value.is_string()).and_then(words)
}

/// The member `name` as text. Apps send codes as texts and as numbers.
fn scalar(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(words)
}

#[cfg(test)]
mod tests;
