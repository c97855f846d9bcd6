//! The live parts of the page.

use maud::{Markup, html};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::calls::Call;
use super::super::contacts;
use super::super::field::{Field, Kind};
use super::super::outbox::Report;
use super::super::record::Row;

/// The rows of the table. Each carries its record as JSON, for the form.
pub(super) fn rows(app: &App, rows: &[(String, Row)]) -> Markup {
    let flavor = app.flavor;
    html! {
        @for (key, row) in rows {
            @let fields = row.fields.clone().unwrap_or_default();
            tr data-key=(key) data-version=(row.version) data-record=(Value::Object(fields.clone())) {
                td data-field=(flavor.key) { code { (key) } }
                @for field in flavor.fields {
                    @let value = fields.get(field.name).unwrap_or(&Value::Null);
                    td data-field=(field.name) data-value=(value) class=(column(field)) { (shown(field, value)) }
                }
                td.number.quiet data-field="version" { (row.version) }
                td.action { button.small type="button" data-testid="edit" { "Edit" } }
            }
        }
        @if rows.is_empty() {
            tr.empty { td colspan=(flavor.fields.len() + 3) { "No " (flavor.noun) "s yet." } }
        }
    }
}

/// The CSS class of a field's column.
pub(super) fn column(field: &Field) -> &'static str {
    match field.kind {
        Kind::Amount { .. } => "number",
        Kind::Name { .. } => "name",
        Kind::Note { .. } | Kind::Choice(_) | Kind::Options(_) | Kind::Flag | Kind::Moment { .. } | Kind::Contact => "",
    }
}

/// Formats a value for people: options and contacts by their names, and the date that stands for none as nothing.
fn shown(field: &Field, value: &Value) -> String {
    match (field.kind, value) {
        (Kind::Options(options), value) => {
            let label = options.iter().find(|(number, _)| value.as_i64() == Some(*number));
            label.map_or_else(|| value.to_string(), |(_, label)| (*label).to_owned())
        }
        (Kind::Contact, Value::String(id)) => {
            contacts::by_id(id).map_or_else(|| id.clone(), |contact| contact.name.to_owned())
        }
        (Kind::Moment { nothing: Some(nothing) }, Value::String(at)) if at == nothing => String::new(),
        (_, Value::Null) => String::new(),
        (_, Value::Bool(true)) => "Yes".to_owned(),
        (_, Value::Bool(false)) => "No".to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// The number of records.
pub(super) fn count(app: &App, all: u32, shown_max: u32) -> Markup {
    let noun = app.flavor.noun;
    html! {
        (all) " " (noun) @if all != 1 { "s" }
        @if all > shown_max { ", the first " (shown_max) " shown" }
    }
}

/// The changes for which Tandem has given no final answer.
pub(super) fn outbox(reports: &[Report], all: u32) -> Markup {
    html! {
        @if reports.is_empty() { p.good { "Nothing: Tandem has answered for every change." } }
        ul {
            @for report in reports {
                li.(report.state) data-testid="report" data-state=(report.state) {
                    code { (report.write.key) }
                    " " (report.write.op) " to version " (report.write.version)
                    @if report.state == "failed" { strong { " refused" } }
                    @if report.attempts > 0 { ", tried " (report.attempts) "×" }
                    @if let Some(problem) = &report.problem { br; span.quiet { (problem) } }
                }
            }
        }
        @if reports.len() < all as usize { p.quiet { "… and " (all as usize - reports.len()) " more" } }
    }
}

/// The latest calls of the data API.
pub(super) fn calls(calls: &[Call]) -> Markup {
    html! {
        @if calls.is_empty() { p.quiet { "None yet." } }
        ul {
            @for call in calls {
                li {
                    (call.method) " "
                    @if let Some(key) = &call.key { code { (key) } " " }
                    @match call.status {
                        Some(status) => { span.status.bad[status >= 400] { (status) } }
                        None => { span.status.bad { "cut off" } }
                    }
                    @if call.applied { span.quiet { " applied" } }
                }
            }
        }
    }
}

/// A label that says whether the app is connected to Tandem.
pub(super) fn link(is_connected: bool) -> Markup {
    match is_connected {
        true => html! { span.pill.on { "connected to Tandem" } },
        false => html! { span.pill.off { "not connected to Tandem" } },
    }
}

/// The word for a field's kind that the form's script knows.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Name { .. } => "text",
        Kind::Note { .. } | Kind::Moment { .. } | Kind::Contact => "note",
        Kind::Amount { .. } => "number",
        Kind::Choice(_) => "choice",
        Kind::Options(_) => "option",
        Kind::Flag => "flag",
    }
}

/// The value that the form of a new record starts with.
pub(super) fn initial(field: &Field) -> Value {
    field.default().unwrap_or(json!(""))
}
