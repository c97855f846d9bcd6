//! What the answers of an app mean for the settings of its side and of the maps that use it.

mod lists;
mod names;
mod records;

#[cfg(test)]
mod tests;

use domain::{Failure, MapId, side::Side};

pub(in crate::admin) use self::records::level_of;
use super::examine::{Answers, MAX_ENTITIES, Subject};
use crate::ports::Description;

/// What a question was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Can one record of the entity be read?
    Record,
    /// Is it found by its key?
    Key,
    /// Does it come with an `ETag`, and does the side's `capability` fit?
    Etag,
    /// Is a key that no record has answered as the absence of a record?
    Absence,
    /// Can its records be listed, as a copy of all of them needs it?
    List,
    /// Does the app's description know the entity?
    Entity,
    /// Does it know the key field?
    KeyField,
    /// Does it know the fields of a map?
    Fields,
    /// Do its reports fit `reports_own_writes`?
    Reports,
}

impl Check {
    /// The name used in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Key => "key",
            Self::Etag => "etag",
            Self::Absence => "absence",
            Self::List => "list",
            Self::Entity => "entity",
            Self::KeyField => "key_field",
            Self::Fields => "fields",
            Self::Reports => "reports",
        }
    }
}

/// Whether something has to be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as it should be.
    Ok,
    /// It could not be found out, or may be wrong.
    Warning,
    /// Writes will fail, or do harm.
    Error,
}

impl Level {
    /// The name used in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A setting that would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The path of the setting in the side, or, if the finding names a map, in that map.
    pub setting: String,
    /// Its value.
    pub value: String,
}

/// One answer, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What the question was about.
    pub check: Check,
    /// Whether something has to be done.
    pub level: Level,
    /// The entity.
    pub entity: String,
    /// The map whose setting it is about.
    pub map: Option<MapId>,
    /// What was asked.
    pub asked: String,
    /// What was found.
    pub found: String,
    /// The setting that would help.
    pub suggestion: Option<Suggestion>,
}

impl Finding {
    fn new(check: Check, level: Level, entity: &str, asked: &str, found: &str) -> Self {
        let (entity, asked, found) = (entity.to_owned(), asked.to_owned(), found.to_owned());
        Self { check, level, entity, map: None, asked, found, suggestion: None }
    }

    fn suggests(mut self, setting: &str, value: &str) -> Self {
        self.suggestion = Some(Suggestion { setting: setting.to_owned(), value: value.to_owned() });
        self
    }

    fn of(mut self, map: &MapId) -> Self {
        self.map = Some(map.clone());
        self
    }
}

/// What the reports of the side contradict.
pub(super) fn judge_reports(side: &Side, found: &str) -> Finding {
    let value = if side.config.reports_own_writes { "false" } else { "true" };
    let asked = "whether it reports what Tandem writes";
    Finding::new(Check::Reports, Level::Warning, "*", asked, found).suggests("reports_own_writes", value)
}

/// Judges all answers. `left_out` were not asked about.
pub(super) fn judge(
    side: &Side,
    subjects: &[Subject],
    answers: &[Answers],
    description: &Result<Option<Description>, Failure>,
    left_out: &[Subject],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for (subject, answers) in subjects.iter().zip(answers) {
        found.extend(records::judge(side, subject, answers));
        found.extend(lists::judge(side, subject, answers));
        found.extend(names::judge(side, subject, answers, description));
    }
    found.extend(left_out.iter().map(|subject| {
        let says = format!("not looked at: a test looks at {MAX_ENTITIES} entities; name this one in the request");
        Finding::new(Check::Entity, Level::Warning, &subject.entity, "nothing", &says)
    }));
    found
}

/// A failure in one line.
fn told(failure: &Failure) -> String {
    match &failure.code {
        Some(code) if !failure.message.contains(code.as_str()) => {
            format!("{}: {code}: {}", failure.class, failure.message)
        }
        _ => format!("{}: {}", failure.class, failure.message),
    }
}
