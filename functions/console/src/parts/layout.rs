//! The frame of every page: head, navigation, who is signed in, as of when.

use maud::{DOCTYPE, Markup, html};

use super::{form, time::clock};
use crate::{
    http::{
        assets::PATHS,
        visit::{Place, Visit},
    },
    pages::PAGES,
};

/// A page for somebody who is signed in.
pub(crate) fn signed_in(visit: &Visit, title: &str, body: &Markup) -> Markup {
    let nav = PAGES.iter().filter_map(|page| page.nav.map(|name| (page.path.trim_start_matches('/'), name)));
    let place = &visit.place;
    let top = html! {
        header.top {
            a.brand href=(place.link("")) { "Tandem" }
            nav aria-label="Main" {
                @for (path, name) in nav {
                    a href=(place.link(path)) aria-current=[place.is_in(path).then_some("page")] { (name) }
                }
            }
            div.who {
                span { (visit.stack) " · " (visit.caller.name) " (" (visit.caller.role.as_str()) ")" }
                span #as-of data-live { "as of " (clock(&visit.at.to_string())) }
                (form::post(visit, &place.link("sign-out"), &html! { button.plain { "Sign out" } }))
            }
        }
    };
    document(place, title, &top, body)
}

/// A page for everybody.
pub(crate) fn bare(place: &Place, title: &str, body: &Markup) -> Markup {
    document(place, title, &html! { header.top { span.brand { "Tandem" } } }, body)
}

fn document(place: &Place, title: &str, top: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Tandem" }
                link rel="icon" href=(place.link(&PATHS.icon)) type="image/svg+xml";
                link rel="stylesheet" href=(place.link(&PATHS.style));
                script src=(place.link(&PATHS.script)) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (top)
                main #main tabindex="-1" { (body) }
                footer.foot {
                    span #refresh role="status" {}
                    button #keys type="button" hidden aria-pressed="true" { "Shortcuts: / finds, j and k go through a list" }
                }
            }
        }
    }
}
