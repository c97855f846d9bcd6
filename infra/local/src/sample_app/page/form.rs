//! The forms of the page: one record, and the switches.

use maud::{Markup, html};

use super::super::contacts::CONTACTS;
use super::super::field::{Field, Kind};
use super::super::flavor::Flavor;
use super::super::record::KEY_BYTES_MAX;
use super::super::switches::{All, FAULTS};
use super::parts::{initial, kind_word};

/// The form for one record. It is hidden until a person opens a record.
pub(super) fn editor(flavor: &Flavor) -> Markup {
    html! {
        form.card #edit-form data-testid="edit-form" autocomplete="off" novalidate hidden {
            div.card-head { h2 #edit-title { "Edit" } }
            p.notice #stale hidden { "This record has changed in the meantime. Only fields that you change are saved." }
            div.fields {
                label {
                    span { (flavor.key) }
                    input #key name=(flavor.key) maxlength=(KEY_BYTES_MAX) required;
                }
                @for field in flavor.fields {
                    label { span { (field.label) } (input(field)) }
                }
            }
            div.buttons {
                button.primary #save type="submit" data-testid="save" { "Save" }
                button #cancel type="button" data-testid="cancel" { "Cancel" }
                button.danger #delete type="button" data-testid="delete" { "Delete" }
            }
        }
    }
}

fn input(field: &Field) -> Markup {
    let kind = kind_word(field.kind);
    let start = initial(field);
    html! {
        @match field.kind {
            Kind::Choice(choices) => {
                select name=(field.name) data-kind=(kind) data-initial=(start) {
                    @for choice in choices { option value=(choice) { (choice) } }
                }
            }
            Kind::Options(options) => {
                select name=(field.name) data-kind=(kind) data-initial=(start) {
                    @for (number, label) in options { option value=(number) { (label) } }
                }
            }
            Kind::Contact => {
                select name=(field.name) data-kind=(kind) data-initial=(start) {
                    option value="" { "–" }
                    @for contact in &CONTACTS { option value=(contact.id) { (contact.name) } }
                }
            }
            Kind::Moment { .. } => {
                input name=(field.name) data-kind=(kind) data-initial=(start) placeholder="2026-12-31T12:00:00Z";
            }
            Kind::Flag => {
                select name=(field.name) data-kind=(kind) data-initial=(start) {
                    option value="false" { "No" }
                    option value="true" { "Yes" }
                }
            }
            Kind::Amount { .. } => {
                input name=(field.name) data-kind=(kind) data-initial=(start) inputmode="decimal";
            }
            Kind::Name { .. } | Kind::Note { .. } => {
                input name=(field.name) data-kind=(kind) data-initial=(start);
            }
        }
    }
}

/// The switches. A change takes effect at once.
pub(super) fn switches(now: &All) -> Markup {
    let (fault, habits) = (&now.fault, &now.habits);
    html! {
        form #switch-form autocomplete="off" {
            label.wide {
                span.hidden-label { "Fault" }
                select #switch name="mode" data-testid="switch" {
                    @for (known, word, text) in FAULTS {
                        option value=(word) selected[known == fault.mode] { (text) }
                    }
                }
            }
            div.pair {
                label {
                    span { "number of calls" }
                    input #remaining name="remaining" type="number" min="1" placeholder="all"
                        value=[fault.remaining];
                }
                label data-only="slow" {
                    span { "delay, ms" }
                    input #delay name="delay_ms" type="number" min="0" value=(fault.delay_ms);
                }
                label data-only="429" {
                    span { "retry after, s" }
                    input #retry-after name="retry_after_seconds" type="number" min="0"
                        value=(fault.retry_after_seconds);
                }
            }
        }
        form #habit-form autocomplete="off" {
            (habit("reports_own_writes", "Reports what Tandem writes", habits.reports_own_writes))
            (habit("tells_before", "Tells what a record was before", habits.tells_before))
            (habit("tidies", "Tidies: cuts blanks at both ends, and fractions of a second", habits.tidies))
            (habit("idempotency_keys", "Honours Idempotency-Key", habits.idempotency_keys))
            div.pair {
                label {
                    span { "ms between Tandem's answer and the commit" }
                    input name="commits_late_ms" type="number" min="0" value=(habits.commits_late_ms);
                }
            }
        }
    }
}

fn habit(name: &str, text: &str, is_on: bool) -> Markup {
    html! {
        label.habit { input type="checkbox" name=(name) data-testid=(name) checked[is_on]; " " (text) }
    }
}
