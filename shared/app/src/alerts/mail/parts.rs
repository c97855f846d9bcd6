//! What a mail says, before it is text or HTML.

use std::fmt::Write;

use domain::rule::{SAMPLE_KEYS, Top};

/// How urgent a mail looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something is to be done.
    Alarm,
    /// It is over, though nothing was mended.
    Grave,
    /// All is well.
    Calm,
}

/// A name and a value.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) value: String,
}

impl Row {
    pub(super) fn new(name: &'static str, value: String) -> Self {
        Self { name, value }
    }
}

/// Something people can do, and the call that does it.
pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) call: String,
}

impl Step {
    pub(super) fn new(what: &'static str, call: String) -> Self {
        Self { what, call }
    }
}

/// What a mail says.
pub(super) struct Facts {
    pub(super) headline: String,
    pub(super) lead: String,
    pub(super) tone: Tone,
    pub(super) rows: Vec<Row>,
    pub(super) top: Vec<Top>,
    pub(super) steps: Vec<Step>,
    /// A page of the console and what it is called.
    pub(super) link: Option<(&'static str, String)>,
}

/// What stands behind a kind of message: how often it came, from where, and for which records.
pub(super) fn about(top: &Top) -> String {
    let code = top.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
    format!("{} \u{00d7} {}{code} from {}", top.count, top.class, top.to)
}

/// Some of the records.
pub(super) fn keys(top: &Top) -> Option<String> {
    let keys: Vec<_> = top.keys.iter().map(ToString::to_string).collect();
    let more = if keys.len() >= SAMPLE_KEYS { ", \u{2026}" } else { "" };
    (!keys.is_empty()).then(|| format!("e.g. {}{more}", keys.join(", ")))
}

impl Facts {
    /// As plain text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n\n", self.headline, self.lead);
        for Row { name, value } in &self.rows {
            let _ = writeln!(text, "{name:<8} {value}");
        }
        if !self.top.is_empty() {
            text.push_str("\nWhat the errors say:\n");
        }
        for top in &self.top {
            let _ = writeln!(text, "- {}\n  {}", about(top), top.message);
            if let Some(keys) = keys(top) {
                let _ = writeln!(text, "  {keys}");
            }
        }
        text.push_str("\nWhat you can do:\n");
        for Step { what, call } in &self.steps {
            let _ = writeln!(text, "- {what}:\n  {call}");
        }
        if let Some((what, link)) = &self.link {
            let _ = writeln!(text, "\n{what}: {link}");
        }
        text
    }
}
