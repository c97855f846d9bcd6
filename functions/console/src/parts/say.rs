//! A panel that says something, in plain words.

use maud::{Markup, html};

use super::chip::Tone;

/// A panel whose first line is a sentence.
pub(crate) fn say(tone: Tone, title: &Markup, more: &Markup) -> Markup {
    html! { section class={ "panel say " (tone.class()) } #say data-live { h1 { (title) } (more) } }
}

/// What was done just now. The state on the page was read after it.
pub(crate) fn done(text: &str) -> Markup {
    html! { p.panel.say.ok role="status" { (text) } }
}
