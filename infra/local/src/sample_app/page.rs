//! The app's page. This module renders it; a small script asks for its live parts every second.
//!
//! All text goes through `maud`, which escapes it. There is no other way into the page.

mod form;
mod parts;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value, json};

use super::api::Broken;
use super::app::{App, SharedApp};
use super::record::Row;
use super::settings::Settings;
use super::{calls, outbox, store};

/// Most records that the page shows.
const ROWS_MAX: u32 = 200;
/// Most rows of the outbox that the page shows.
const REPORTS_MAX: u32 = 20;
/// Most calls that the page shows.
const CALLS_MAX: u32 = 8;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The data of the page's live parts.
struct Moving {
    rows: Vec<(String, Row)>,
    row_count: u32,
    reports: Vec<outbox::Report>,
    report_count: u32,
    calls: Vec<calls::Call>,
    is_connected: bool,
}

impl Moving {
    fn load(app: &App) -> rusqlite::Result<Self> {
        app.store.run(|db| {
            Ok(Self {
                rows: store::page(db, None, 0, ROWS_MAX)?,
                row_count: store::count(db)?,
                reports: outbox::list(db, REPORTS_MAX)?,
                report_count: outbox::count(db)?,
                calls: calls::latest(db, CALLS_MAX)?,
                is_connected: Settings::load(db)?.link().is_some(),
            })
        })
    }
}

/// Answers with the live parts as HTML, by the id of the element that they fill.
pub(super) async fn live(State(app): State<SharedApp>) -> Result<Json<Value>, Broken> {
    let moving = Moving::load(&app)?;
    Ok(Json(json!({
        "parts": {
            "rows": parts::rows(&app, &moving.rows).into_string(),
            "count": parts::count(&app, moving.row_count, ROWS_MAX).into_string(),
            "outbox": parts::outbox(&moving.reports, moving.report_count).into_string(),
            "calls": parts::calls(&moving.calls).into_string(),
            "link": parts::link(moving.is_connected).into_string(),
        },
        "switch": app.switches.get(),
    })))
}

/// Answers with the whole page.
pub(super) async fn whole(State(app): State<SharedApp>) -> Result<([(HeaderName, &'static str); 2], String), Broken> {
    let moving = Moving::load(&app)?;
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, document(&app, &moving).into_string()))
}

fn document(app: &App, moving: &Moving) -> Markup {
    let flavor = app.flavor;
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (flavor.title) " · sample app" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/app.css";
                script src="/app.js" defer {}
            }
            body class=(flavor.name) data-key-name=(flavor.key) {
                header {
                    div.bar {
                        h1 { (flavor.title) }
                        p { "Sample app · kept in step with " strong { (app.other_name) } " by Tandem" }
                        span #link { (parts::link(moving.is_connected)) }
                    }
                }
                main {
                    section.records {
                        p #message role="status" data-testid="message" hidden {}
                        (form::editor(flavor))
                        (records(app, moving))
                    }
                    aside { (side(app, moving)) }
                }
            }
        }
    }
}

fn records(app: &App, moving: &Moving) -> Markup {
    let flavor = app.flavor;
    html! {
        div.card {
            div.card-head {
                h2 { (flavor.entity_set) }
                span.quiet #count { (parts::count(app, moving.row_count, ROWS_MAX)) }
                button.primary #new type="button" data-testid="new" { "New " (flavor.noun) }
            }
            div.scroll {
                table data-testid="records" {
                    thead {
                        tr {
                            th { (flavor.key) }
                            @for field in flavor.fields { th class=(parts::column(field)) { (field.label) } }
                            th.number { "Version" }
                            th { span.hidden-label { "Action" } }
                        }
                    }
                    tbody #rows { (parts::rows(app, &moving.rows)) }
                }
            }
        }
    }
}

fn side(app: &App, moving: &Moving) -> Markup {
    html! {
        div.card {
            div.card-head { h2 { "Break it" } }
            p.quiet { "How this app's data API treats its callers." }
            (form::switches(&app.switches.get()))
        }
        div.card {
            div.card-head { h2 { "Not reported yet" } }
            p.quiet { "Changes that are committed here, without a final answer of Tandem yet." }
            div #outbox data-testid="outbox" { (parts::outbox(&moving.reports, moving.report_count)) }
        }
        div.card {
            div.card-head { h2 { "Latest calls" } span.quiet { "of the data API" } }
            div #calls data-testid="calls" { (parts::calls(&moving.calls)) }
        }
    }
}
