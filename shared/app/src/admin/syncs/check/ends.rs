//! What each app answers by itself: connection and rights, the settings of its side, its first page.

use domain::{
    listing::Listing,
    map::{KeyTemplate, MapSide},
    side::{AppKind, Side},
};

use super::{End, SyncProblem};
use crate::{
    admin::{
        AdminPorts,
        sides::{Check, EndExamined, Finding, Level, examine_end, level_of, reach},
    },
    ports::{Apps, PageError, PageRequest},
    sync::PAGE_ROWS,
};

/// Asks the app of one end, keeps what it tells, and says what is wrong.
pub(super) async fn examine<P: AdminPorts>(ports: &P, end: &mut End<'_>) -> Vec<SyncProblem> {
    let config = end.map.config.side(end.ix);
    let Some(side) = end.side.clone() else {
        let message = format!("there is no side {}", config.side);
        return vec![end.error("side_missing", message, "Create the side.")];
    };
    if let Some((failure, hint)) = reach(ports, &side, Some(&config.entity)).await {
        let message = format!("the app does not answer as it should: {} ({})", failure.message, failure.class);
        return vec![end.problem(level_of(&failure), "connection", message, &hint).at("connector")];
    }
    let EndExamined { findings, description, is_empty } = examine_end(ports, &side, end.map, &config.entity).await;
    end.description = description;
    // That an app has no record yet is no problem of a copy.
    let is_told = |finding: &Finding| {
        let about_records = matches!(finding.check, Check::Record | Check::List);
        finding.level != Level::Ok && !(is_empty && about_records && finding.level == Level::Warning)
    };
    let list_works = !findings.iter().any(|found| found.check == Check::List && found.level == Level::Error);
    let mut problems: Vec<_> = findings.into_iter().filter(is_told).map(|finding| of_finding(end, finding)).collect();
    problems.extend(find_missing_company(end, &side, config));
    if list_works {
        problems.extend(read_first_page(ports, end, &side).await);
    }
    problems
}

fn of_finding(end: &End<'_>, finding: Finding) -> SyncProblem {
    let Finding { check, level, asked, found, suggestion, .. } = finding;
    let (field, fix) = match suggestion {
        Some(suggestion) => {
            (Some(suggestion.setting.clone()), format!("Set {} to {}.", suggestion.setting, suggestion.value))
        }
        None => (setting_of(end, check), fix_of(check).to_owned()),
    };
    SyncProblem { field, ..end.problem(level, check.as_str(), format!("asked for {asked}: {found}"), &fix) }
}

fn setting_of(end: &End<'_>, check: Check) -> Option<String> {
    let at = end.ix.at();
    match check {
        Check::Entity | Check::Record => Some(format!("sides[{at}].entity")),
        Check::Key | Check::KeyField | Check::Absence => Some(format!("sides[{at}].key_field")),
        Check::List => Some("connector.list".to_owned()),
        Check::Etag => Some("capability".to_owned()),
        Check::Fields => Some("fields".to_owned()),
        Check::Reports => Some("reports_own_writes".to_owned()),
    }
}

fn fix_of(check: Check) -> &'static str {
    match check {
        Check::Entity | Check::Record => "Correct the entity's name, or give the user the right to read it.",
        Check::Key | Check::KeyField => "Correct the key field, its type, or the side's connector.key_style.",
        Check::Absence => "Correct the key field: a record that is not there must be told from one that is.",
        Check::List => "Correct connector.list of the side, or give the user that copies the right to read the entity.",
        Check::Etag => "Correct the capability of the side.",
        Check::Fields => "Correct the names of the fields in the map.",
        Check::Reports => "Correct reports_own_writes of the side.",
    }
}

/// Finance & Operations lists the records of all companies. The same key in two companies is two records there.
fn find_missing_company(end: &End<'_>, side: &Side, config: &MapSide) -> Option<SyncProblem> {
    let connector = &side.config.connector;
    let has_company = !config.fixed_key.is_empty()
        || config.list_filter.is_some()
        || KeyTemplate::of(&config.key_field).fields.len() > 1
        || connector.query.contains_key("cross-company");
    if connector.kind != AppKind::FinanceOperations || has_company {
        return None;
    }
    let level = match &end.description {
        Some(entity) if !entity.fields.keys().any(|name| name.eq_ignore_ascii_case("dataAreaId")) => return None,
        Some(_) => Level::Error,
        None => Level::Warning,
    };
    let message =
        "the list has the records of all companies, and the map takes records with the same key for one".to_owned();
    let fix = "Set fixed_key to the company, such as {\"dataAreaId\": \"usmf\"}, put dataAreaId into key_field, or set a list_filter.";
    Some(end.problem(level, "company", message, fix).at(format!("sides[{}].fixed_key", end.ix.at())))
}

/// Reads the first page as a run would.
async fn read_first_page<P: AdminPorts>(ports: &P, end: &mut End<'_>, side: &Side) -> Option<SyncProblem> {
    let size = PAGE_ROWS.min(side.config.connector.max_page_size());
    let listing = Listing::of(&end.map.config, end.ix);
    let request = PageRequest { cursor: None, size };
    let error = match ports.apps().read_page(side, &listing, &request).await {
        Ok(page) => {
            end.first_page = Some(page);
            return None;
        }
        Err(error) => error,
    };
    let level = match &error {
        // A run asks for fewer rows by itself.
        PageError::TooLarge(_) => Level::Warning,
        PageError::Failed(failure) | PageError::CursorExpired(failure) => level_of(failure),
    };
    let message = format!("the app gives one record of its list, but no page of {size}: {}", error.failure().message);
    let problem = end.problem(level, "page_size", message, "Set connector.list.max_page_size to what the app allows.");
    Some(problem.at("connector.list.max_page_size"))
}
