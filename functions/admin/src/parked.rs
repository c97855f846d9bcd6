//! `/maps/{map}/errors`: entries that wait for an operator, and what is done to entries.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        lane::{Command, Target},
        maps,
        parked::{self, All, Each, Filter, MAX_LISTED, Page},
    },
    error::AppError,
    problem::Problem,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapId, RecordKey, Timestamp, lane::PARKED_FROM, map::Intake};

use crate::{
    answer::{Reply, json},
    backlog::{lane_cursor, limit, read_lane_cursor},
    read::{Json, Name, Params},
    views::{
        CommandName, CommandResult, CommandResults, Entries, EntryCommand, EntryRef, EntryView, RetryAll, RetryPreview,
        Send,
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["class", "to", "key_prefix", "acknowledged", "assigned_to", "after", "limit"])?;
    let filter = Filter {
        class: params.named("class")?,
        to: params.parsed("to")?,
        key_prefix: params.text("key_prefix").map(str::to_owned),
        acknowledged: params.named("acknowledged")?,
        assigned_to: params.text("assigned_to").map(str::to_owned),
    };
    let after = params.text("after").map(|text| read_lane_cursor(&id, text)).transpose()?;
    let map = maps::get(&*ports, &id).await?;
    let (parked, next) = parked::list(&*ports, &id, &filter, after, limit(&params)?).await?;
    let entries = parked.into_iter().map(|parked| EntryView::of(&map, &parked.key, parked.entry)).collect();
    json(StatusCode::OK, &Entries { entries, next: next.as_ref().map(lane_cursor) })
}

pub(crate) async fn preview<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<MapId>,
    Json(entry): Json<EntryRef>,
) -> Reply {
    let map = maps::get(&*ports, &id).await?;
    let target = target(&entry, "key")?;
    let sends = parked::preview(&*ports, &id, &target).await?;
    let sends = sends.into_iter().map(|(to, image)| Send::of(&map, to, image)).collect();
    json(StatusCode::OK, &RetryPreview { sends })
}

pub(crate) async fn command<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<EntryCommand>,
) -> Reply {
    if request.entries.is_empty() || request.entries.len() > MAX_LISTED {
        return Err(AppError::mistake("entries", &format!("must be 1 to {MAX_LISTED} entries")).into());
    }
    let named = request.entries.iter().enumerate().map(|(i, entry)| target(entry, &format!("entries[{i}].key")));
    let targets = named.collect::<Result<Vec<_>, _>>()?;
    let what = what(&request)?;
    if request.dry_run {
        if what != Command::Retry {
            return Err(AppError::mistake("dry_run", "goes with retry alone").into());
        }
        return would_send(&*ports, &id, targets, None).await;
    }
    let each = parked::each(&*ports, &caller, &id, targets, &what, &request.reason).await?;
    let later = if matches!(what, Command::Retry | Command::Edit(_)) { later(&*ports, &id).await? } else { None };
    json(StatusCode::OK, &results(each, None, later))
}

pub(crate) async fn retry_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RetryAll>,
) -> Reply {
    all(&*ports, &caller, &id, All::Retry, request).await
}

pub(crate) async fn hold_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RetryAll>,
) -> Reply {
    all(&*ports, &caller, &id, All::Hold, request).await
}

async fn all<P: AdminPorts>(ports: &P, caller: &Caller, id: &MapId, what: All, request: RetryAll) -> Reply {
    let RetryAll { reason, class, to, key_prefix, acknowledged, assigned_to, dry_run, after } = request;
    let filter = Filter { class, to, key_prefix, acknowledged, assigned_to };
    let page = after.as_deref().map(|text| read_page(id, text)).transpose()?;
    if dry_run {
        let (targets, next) = parked::choose(ports, id, what, &filter, page).await?;
        return would_send(ports, id, targets, next.as_ref().map(page_cursor)).await;
    }
    let (each, next) = parked::all(ports, caller, id, what, &filter, page, &reason).await?;
    let later = if what == All::Retry { later(ports, id).await? } else { None };
    json(StatusCode::OK, &results(each, next.as_ref().map(page_cursor), later))
}

/// What trying entries again would send. Nothing is done.
async fn would_send<P: AdminPorts>(ports: &P, id: &MapId, targets: Vec<Target>, next: Option<String>) -> Reply {
    let map = maps::get(ports, id).await?;
    let mut results = Vec::with_capacity(targets.len());
    for target in targets {
        let told = parked::preview(ports, id, &target).await;
        let (key, seq) = (target.key.to_string(), target.seq);
        let (sends, problem) = match told {
            Ok(sends) => (Some(sends.into_iter().map(|(to, image)| Send::of(&map, to, image)).collect()), None),
            Err(error) => (None, Some(Problem::from(&error))),
        };
        results.push(CommandResult { key, seq, done: false, problem, sends });
    }
    json(StatusCode::OK, &CommandResults { results, next, note: None })
}

/// Says when entries are tried again, if not now.
async fn later<P: AdminPorts>(ports: &P, id: &MapId) -> Result<Option<String>, AppError> {
    let map = maps::get(ports, id).await?;
    let says = |when: &str| format!("the map is {}: nothing is sent before it is {when}", map.state);
    Ok(match map.state.intake() {
        Intake::Write => None,
        Intake::Keep => Some(says("resumed")),
        Intake::Skip => Some(says("run")),
    })
}

/// A page of all as text: `until.time.key`.
fn page_cursor(page: &Page) -> String {
    format!("{}.{}", page.until.0, lane_cursor(&page.after))
}

fn read_page(map: &MapId, text: &str) -> Result<Page, AppError> {
    let wrong = || AppError::mistake("after", "is no cursor that this list gave");
    let (until, after) = text.split_once('.').ok_or_else(wrong)?;
    let until = Timestamp(until.parse().map_err(|_| wrong())?);
    // The places of parked lanes are times far behind all others: sums with more than that are none of ours.
    if until >= PARKED_FROM {
        return Err(wrong());
    }
    Ok(Page { after: read_lane_cursor(map, after)?, until })
}

fn target(entry: &EntryRef, field: &str) -> Result<Target, AppError> {
    let key: RecordKey = entry.key.parse().map_err(|says: String| AppError::mistake(field, &says))?;
    Ok(Target { key, seq: entry.seq })
}

fn what(request: &EntryCommand) -> Result<Command, AppError> {
    let only = |field: &str, given: bool, with: CommandName| {
        if given && request.command != with {
            let with = format!("{with:?}").to_lowercase();
            return Err(AppError::mistake(field, &format!("goes with {with} alone")));
        }
        Ok(())
    };
    only("to", request.to.is_some(), CommandName::Assign)?;
    only("record", request.record.is_some(), CommandName::Edit)?;
    Ok(match request.command {
        CommandName::Retry => Command::Retry,
        CommandName::Hold => Command::Hold,
        CommandName::Cancel => Command::Cancel,
        CommandName::Restore => Command::Restore,
        CommandName::Skip => Command::Skip,
        CommandName::Revert => Command::Revert,
        CommandName::Supersede => Command::Supersede,
        CommandName::Acknowledge => Command::Acknowledge,
        CommandName::Assign => Command::Assign(request.to.clone()),
        CommandName::Note => Command::Note,
        CommandName::Edit => {
            let missing = || AppError::mistake("record", "must have the fields to change");
            Command::Edit(request.record.clone().filter(|record| !record.is_empty()).ok_or_else(missing)?)
        }
    })
}

fn results(each: Vec<Each>, next: Option<String>, note: Option<String>) -> CommandResults {
    let result = |(target, result): Each| CommandResult {
        key: target.key.to_string(),
        seq: target.seq,
        done: result.is_ok(),
        problem: result.err().as_ref().map(Problem::from),
        sends: None,
    };
    CommandResults { results: each.into_iter().map(result).collect(), next, note }
}
