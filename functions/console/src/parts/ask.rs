//! A page that asks before something is done: what it does to how much, whether it can be undone, and why it is wanted.

use maud::{Markup, html};

use super::form;
use crate::http::visit::Visit;

/// A question.
pub(crate) struct Ask<'a> {
    /// What is asked.
    pub(crate) title: String,
    /// What it does, with numbers.
    pub(crate) effects: Vec<Markup>,
    /// How it can be undone, or that it cannot.
    pub(crate) undo: String,
    /// Further fields.
    pub(crate) fields: Markup,
    /// The reason that was given, if the question is asked once more.
    pub(crate) reason: Option<&'a str>,
    /// What is wrong with the reason.
    pub(crate) wrong: Option<&'a str>,
    /// The words on the button.
    pub(crate) button: String,
    /// It takes something away.
    pub(crate) is_danger: bool,
    /// Where the form is sent.
    pub(crate) to: String,
    /// Where to go instead.
    pub(crate) back: String,
    /// The same as a call of the API.
    pub(crate) call: String,
}

/// The question as a panel.
pub(crate) fn ask(visit: &Visit, ask: &Ask<'_>) -> Markup {
    let button = if ask.is_danger { "btn main danger" } else { "btn main" };
    let body = html! {
        (ask.fields)
        (form::reason(ask.reason, ask.wrong))
        p.row { button class=(button) { (ask.button) } a.btn href=(ask.back) { "Do nothing" } }
    };
    html! {
        section.panel {
            h1 { (ask.title) }
            ul.effects { @for effect in &ask.effects { li { (effect) } } }
            p { strong { "Undo: " } (ask.undo) }
            (form::post(visit, &ask.to, &body))
            (curl(&ask.call))
        }
    }
}

/// An action as a call of the API.
pub(crate) fn curl(call: &str) -> Markup {
    html! { details.curl { summary { "As a call of the API" } pre tabindex="0" { (call) } } }
}
