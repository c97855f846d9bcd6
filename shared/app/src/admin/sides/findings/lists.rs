//! What the list of an entity says: whether it can be copied.

use domain::{
    ErrorClass,
    listing::PageRow,
    side::{AppKind, Side},
};

use super::{Check, Finding, Level, records::level_of, told};
use crate::{
    admin::sides::examine::{Answers, Subject},
    ports::{Page, PageError},
};

pub(super) fn judge(side: &Side, subject: &Subject, answers: &Answers) -> Option<Finding> {
    let finding =
        |level, found: &str| Finding::new(Check::List, level, &subject.entity, "one record of its list", found);
    let Some(answer) = &answers.list else {
        let is_left = subject.listing.is_some() && answers.sample.is_some();
        return is_left.then(|| finding(Level::Warning, "not asked: no time was left"));
    };
    let (level, found) = match &answer.own {
        Ok(page) => listed(side, page),
        Err(error) => refused(side, error),
    };
    let finding = finding(level, &found);
    Some(match &answer.helps {
        None => finding,
        Some((name, value)) => finding.suggests(&format!("connector.list.{name}"), value),
    })
}

fn listed(side: &Side, page: &Page) -> (Level, String) {
    match &page.rows[..] {
        [] if page.next.is_some() => (Level::Ok, "an empty page, and a next one".to_owned()),
        [] => (Level::Warning, "no record".to_owned()),
        [PageRow::Unusable(row), ..] => (Level::Warning, format!("a row that cannot be copied: {}", row.why)),
        [PageRow::Record(_)] => (Level::Ok, format!("a record{}", quota(side))),
        rows => {
            let told = format!("{} records: the app does not heed the size of a page{}", rows.len(), quota(side));
            (Level::Ok, told)
        }
    }
}

/// These apps count calls by user.
fn quota(side: &Side) -> &'static str {
    let connector = &side.config.connector;
    let counts = matches!(connector.kind, AppKind::Dataverse | AppKind::FinanceOperations);
    if counts && connector.copy_auth.is_none() {
        ". A copy shares the quota of live writes; with connector.copy_auth it would have its own"
    } else {
        ""
    }
}

fn refused(side: &Side, error: &PageError) -> (Level, String) {
    let failure = error.failure();
    let mut found = format!("{}. Its records cannot be copied", told(failure));
    if failure.class == ErrorClass::Auth && side.config.connector.copy_auth.is_some() {
        found += ": check connector.copy_auth, its secret, and the user's rights";
    }
    (level_of(failure), found)
}
