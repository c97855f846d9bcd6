//! What the records say: whether one is read, found by its key, has an `ETag`, and whether the absence of one is told.

use domain::{
    ErrorClass, Failure,
    side::{Capability, ConnectorKind, KeyStyle, Side},
};

use super::{Check, Finding, Level, told};
use crate::admin::sides::examine::{Answers, Subject};

pub(super) fn judge(side: &Side, subject: &Subject, answers: &Answers) -> Vec<Finding> {
    let mut found = vec![record(side, subject, answers)];
    found.extend(key(side, subject, answers));
    found.extend(etag(side, subject, answers));
    found.extend(absence(subject, answers));
    found
}

fn record(side: &Side, subject: &Subject, answers: &Answers) -> Finding {
    let finding = |level, found: &str| Finding::new(Check::Record, level, &subject.entity, "one record", found);
    if let Some((help, sample)) = answers.sample_help.as_ref().zip(answers.sample.as_ref()) {
        let found = match sample {
            Err(failure) => format!("{}. With this setting the app shows one", told(failure)),
            Ok(_) => format!(
                "no record, but one without the parameter `{}`: the app takes it for a filter, so all lists would be empty",
                side.config.connector.list.size_parameter().unwrap_or_default()
            ),
        };
        return finding(Level::Error, &found).suggests(help.setting, &help.value);
    }
    let (level, found) = match &answers.sample {
        None => (Level::Warning, "not asked: no time was left".to_owned()),
        Some(Ok(Some(_))) => (Level::Ok, "a record".to_owned()),
        Some(Ok(None)) => (Level::Warning, "no record: what needs one was not looked at".to_owned()),
        Some(Err(failure)) => (level_of(failure), told(failure)),
    };
    finding(level, &found)
}

fn key(side: &Side, subject: &Subject, answers: &Answers) -> Option<Finding> {
    let key_field = &subject.key.as_ref()?.key_field;
    let (own, first) = answers.by_key.first()?;
    let asked = format!("that record, by its {key_field}");
    let finding = |level, found: &str| Finding::new(Check::Key, level, &subject.entity, &asked, found);
    if let Some(help) = &answers.key_help {
        let first = first.as_ref().map_or_else(told, |_| "no record, though it is there".to_owned());
        let found = format!("{first}. With this setting the app finds it");
        return Some(finding(Level::Error, &found).suggests(help.setting, &help.value));
    }
    let failure = match first {
        Ok(Some(_)) => return Some(finding(Level::Ok, "the record")),
        Ok(None) => {
            let found = format!(
                "no record, though it is there: {key_field} may not be what the key style `{}` names",
                name(*own)
            );
            return Some(finding(Level::Error, &found));
        }
        Err(failure) => failure,
    };
    let works = answers.by_key.iter().skip(1).find(|(_, found)| matches!(found, Ok(Some(_))));
    let found = told(failure);
    Some(match works {
        Some((style, _)) => {
            let found = format!("{found}. In the key style `{}` the app finds it", name(*style));
            finding(Level::Error, &found).suggests("connector.key_style", name(*style))
        }
        None if failure.class == ErrorClass::Mapping && side.config.connector.key_style() != KeyStyle::Alias => {
            finding(Level::Error, &found).suggests("connector.key_encoding", "twice")
        }
        None => finding(level_of(failure), &found),
    })
}

fn etag(side: &Side, subject: &Subject, answers: &Answers) -> Option<Finding> {
    let by_key = answers.by_key.iter().find_map(|(_, found)| found.as_ref().ok()?.as_ref());
    let sample = answers.sample.as_ref().and_then(|found| found.as_ref().ok()?.as_ref());
    // REST apps send it with a single record only, so a list without one says nothing.
    let found = by_key.or(sample.filter(|sample| sample.etag.is_some()))?;
    let finding = |level, says: &str| Finding::new(Check::Etag, level, &subject.entity, "the record's ETag", says);
    // By the standard If-Match never matches a weak ETag (RFC 9110, 13.1.1). Express makes one for every answer and compares none;
    // OData apps make weak ones and compare them all the same.
    let is_rest = side.config.connector.protocol() == ConnectorKind::Http;
    if is_rest && found.etag.as_deref().is_some_and(|etag| etag.starts_with("W/")) {
        return Some(match side.config.capability {
            Capability::Versioned => {
                let says = "a weak one, of the server and not of the record: If-Match does not protect a record by it";
                finding(Level::Error, says).suggests("capability", "plain")
            }
            Capability::Idempotent | Capability::Plain => finding(Level::Ok, "a weak one, and none is needed"),
        });
    }
    Some(match (found.etag.is_some(), side.config.capability) {
        (true, Capability::Versioned) => finding(Level::Ok, "an ETag, as `versioned` needs it"),
        (true, Capability::Idempotent) => finding(Level::Ok, "an ETag, which `idempotent` does not need"),
        (true, Capability::Plain) => finding(
            Level::Ok,
            "an ETag. If the app honours If-Match, `versioned` spares the wait after an unknown outcome",
        )
        .suggests("capability", "versioned"),
        (false, Capability::Versioned) => {
            finding(Level::Error, "none. A `versioned` side cannot be written without").suggests("capability", "plain")
        }
        (false, Capability::Idempotent | Capability::Plain) => finding(Level::Ok, "none, and none is needed"),
    })
}

fn absence(subject: &Subject, answers: &Answers) -> Option<Finding> {
    let (level, found) = match answers.missing.as_ref()? {
        Ok(None) => (Level::Ok, "that there is no such record".to_owned()),
        Ok(Some(_)) => (Level::Error, "a record: the app takes another key for this one".to_owned()),
        Err(failure) => {
            let says = format!("{}. Tandem does not take this for the absence of a record", told(failure));
            (level_of(failure), says)
        }
    };
    Some(Finding::new(Check::Absence, level, &subject.entity, "a record by a key that none has", &found))
}

/// What may be over in a moment is no error of the settings.
pub(in crate::admin) fn level_of(failure: &Failure) -> Level {
    use ErrorClass as C;
    match failure.class {
        C::Throttled | C::Unavailable | C::Network | C::Timeout => Level::Warning,
        C::Application | C::BadRequest | C::Auth | C::OtherHttp | C::Conflict | C::Mapping => Level::Error,
    }
}

/// A key style as settings name it.
fn name(style: KeyStyle) -> &'static str {
    match style {
        KeyStyle::Quoted => "quoted",
        KeyStyle::Bare => "bare",
        KeyStyle::Named => "named",
        KeyStyle::Alias => "alias",
    }
}
