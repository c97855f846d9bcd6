//! What a person sees when a page cannot be shown.

use app::problem::Problem;
use maud::{Markup, html};

use super::layout;
use crate::http::visit::{Place, Visit};

/// An error.
pub(crate) fn page(place: &Place, visit: Option<&Visit>, problem: &Problem) -> Markup {
    let body = html! {
        section.panel.say.bad {
            h1 { (problem.title) }
            p { (problem.detail) }
            @if !problem.errors.is_empty() {
                ul { @for error in &problem.errors { li { strong { (error.field) } " " (error.message) } } }
            }
            p.row { a.btn href=(place.link("")) { "Overview" } }
            p.small.soft {
                (problem.code)
                @if let Some(id) = &problem.request_id { " · request " code { (id) } " in the function's log" }
            }
        }
    };
    match visit {
        Some(visit) => layout::signed_in(visit, problem.title, &body),
        None => layout::bare(place, problem.title, &body),
    }
}

/// A form that another site has sent, or one of a session that is over.
pub(crate) fn foreign_form(place: &Place) -> Markup {
    let body = html! {
        section.panel.say.bad {
            h1 { "Nothing was changed" }
            p {
                "The form does not come from a page of this session. You may have signed in again since you opened it. "
                "Open the page once more, then send the form."
            }
            p.row { a.btn href=(place.link("")) { "Overview" } }
        }
    };
    layout::bare(place, "Nothing was changed", &body)
}
