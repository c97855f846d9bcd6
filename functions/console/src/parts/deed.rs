//! A line of the activity log in words.

use app::admin::view::ActivityView;
use maud::{Markup, html};
use serde_json::Value;

use super::{chip, number};

/// What was done.
pub(crate) fn deed(line: &ActivityView) -> Markup {
    let what = &line.what;
    let text = |name: &str| what[name].as_str().unwrap_or_default().to_owned();
    let count = |name: &str| what[name].as_u64().unwrap_or_default();
    match what["kind"].as_str().unwrap_or_default() {
        "map_created" => html! { "Map created" },
        "map_changed" => html! { "Settings changed: " (fields(&what["changes"], count("more"))) },
        "map_deleted" => html! { "Map deleted" },
        "state_changed" => html! { (chip::state(&text("from"))) " → " (chip::state(&text("to"))) },
        "side_changed" => html! { "Side " b { (text("side")) } " changed: " (fields(&what["changes"], 0)) },
        "rule_changed" => html! { "Alert setting " b { (text("rule")) } " changed: " (fields(&what["changes"], 0)) },
        "entry" => html! { (text("command")) " of " code { (text("key")) } ", change " (number::number(count("seq"))) },
        "errors_resolved" => html! { (number::of(count("count"), "error")) " resolved: " (text("filter")) },
        "incident" => html! {
            "Incident " (text("step")) ": alert setting " b { (text("rule")) } ", " (number::of(count("errors"), "error"))
        },
        other => html! { (other.replace('_', " ")) },
    }
}

fn fields(changes: &Value, more: u64) -> Markup {
    let changes = changes.as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        ul.changes {
            @for change in changes {
                li { code { (change["path"].as_str().unwrap_or_default()) } ": " (value(&change["from"])) " → " (value(&change["to"])) }
            }
            @if more > 0 { li { "and " (number::number(more)) " more" } }
        }
    }
}

fn value(value: &Value) -> Markup {
    match value {
        Value::Null => html! { "nothing" },
        Value::String(text) => html! { "“" (text) "”" },
        other => html! { code { (other.to_string()) } },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(what: Value) -> String {
        let line = ActivityView {
            id: String::new(),
            at: String::new(),
            map: None,
            actor: String::new(),
            reason: String::new(),
            cause: "operator",
            what,
        };
        deed(&line).into_string()
    }

    #[test]
    fn a_line_says_what_was_done() {
        let state = told(json!({"kind": "state_changed", "from": "Running", "to": "Paused", "epoch": 3}));
        assert!(state.contains("Running</span> → ") && state.contains("Paused</span>"), "{state}");
        let changes = json!([{"path": "primary", "to": "<crm>"}, {"path": "window", "from": 5, "to": 7}]);
        let changed = told(json!({"kind": "map_changed", "changes": changes, "more": 2}));
        for text in ["<code>primary</code>: nothing → “&lt;crm&gt;”", "<code>5</code> → <code>7</code>", "and 2 more"]
        {
            assert!(changed.contains(text), "{changed}");
        }
        let entry = told(json!({"kind": "entry", "command": "skip", "key": "C-1", "seq": 4}));
        assert_eq!(entry, "skip of <code>C-1</code>, change 4");
        assert_eq!(told(json!({"kind": "something_new"})), "something new");
    }
}
