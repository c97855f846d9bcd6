//! A state as word, sign and colour: never by colour alone.

use maud::{Markup, html};

/// How good or bad something is. Red is for what is wrong now, amber for what is held, blue for work in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Fine,
    Held,
    Bad,
    Work,
    Off,
}

impl Tone {
    /// Its class in the style.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Held => "warn",
            Self::Bad => "bad",
            Self::Work => "work",
            Self::Off => "off",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Fine => "●",
            Self::Held => "❚❚",
            Self::Bad => "▲",
            Self::Work => "▸▸",
            Self::Off => "○",
        }
    }
}

/// A chip.
pub(crate) fn chip(tone: Tone, word: &str) -> Markup {
    html! { span class={ "chip " (tone.class()) } { span aria-hidden="true" { (tone.sign()) } (word) } }
}

/// The state of a map.
pub(crate) fn state(name: &str) -> Markup {
    let (tone, word) = match name {
        "Running" => (Tone::Fine, "Running"),
        "Paused" => (Tone::Held, "Paused"),
        "CatchingUp" => (Tone::Work, "Catching up"),
        "Initializing" => (Tone::Work, "Initial sync"),
        "NotRunning" => (Tone::Off, "Not running"),
        "Stopped" => (Tone::Off, "Stopped"),
        other => (Tone::Off, other),
    };
    chip(tone, word)
}
