//! The way through a list of unknown length: no page numbers, for nobody counts the rows.

use maud::{Markup, html};

use crate::http::params::Params;

/// Links to the first and the next page. `cursor` is the parameter that says where a page begins.
pub(crate) fn pagination(params: &Params, cursor: &str, next: Option<&str>) -> Markup {
    let is_first = params.text(cursor).is_none();
    html! {
        @if !is_first || next.is_some() {
            nav.pages aria-label="Pages" {
                @if !is_first { a.btn href={ "?" (params.with(cursor, None)) } { "First page" } }
                @if let Some(next) = next { a.btn rel="next" href={ "?" (params.with(cursor, Some(next))) } { "Next page" } }
            }
        }
    }
}
