//! `/maps/{map}/errors`: entries that wait for an operator. `/maps/{map}/entries`: commands on entries.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        cursor::{lane_cursor, not_a_cursor, read_lane_cursor},
        lane::{Command, Target},
        maps,
        parked::{self, BulkAction, BulkPage, MAX_LISTED, ParkedFilter, TargetResult},
        view::{CommandResult, CommandResults, Entries, EntryView, RetryPreview, Send},
    },
    error::AppError,
    problem::Problem,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapId, RecordKey, Timestamp, lane::PARKED_FROM, map::Intake};

use crate::{
    bodies::{CommandName, EntryCommand, EntryRef, RetryAll},
    http::{
        extract::{Json, Name, Params},
        page::page_limit,
        reply::{Reply, json},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["class", "to", "key_prefix", "acknowledged", "assigned_to", "after", "limit"])?;
    let filter = ParkedFilter {
        class: params.named("class")?,
        to: params.parsed("to")?,
        key_prefix: params.text("key_prefix").map(str::to_owned),
        acknowledged: params.named("acknowledged")?,
        assigned_to: params.text("assigned_to").map(str::to_owned),
    };
    let after = params.text("after").map(|text| read_lane_cursor(&id, text)).transpose()?;
    let map = maps::get(&*ports, &id).await?;
    let (parked, next) = parked::list(&*ports, &id, &filter, after, page_limit(&params)?).await?;
    let entries = parked.into_iter().map(|parked| EntryView::of(&map, &parked.key, parked.entry)).collect();
    json(StatusCode::OK, &Entries { entries, next: next.as_ref().map(lane_cursor) })
}

pub(crate) async fn preview<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<MapId>,
    Json(entry): Json<EntryRef>,
) -> Reply {
    let map = maps::get(&*ports, &id).await?;
    let target = read_target(&entry, "key")?;
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
    let named = request.entries.iter().enumerate().map(|(i, entry)| read_target(entry, &format!("entries[{i}].key")));
    let targets = named.collect::<Result<Vec<_>, _>>()?;
    let command = read_command(&request)?;
    if request.dry_run {
        if command != Command::Retry {
            return Err(AppError::mistake("dry_run", "goes with retry alone").into());
        }
        return preview_each(&*ports, &id, targets, None).await;
    }
    let each = parked::command_each(&*ports, &caller, &id, targets, &command, &request.reason).await?;
    let note =
        if matches!(command, Command::Retry | Command::Edit(_)) { retry_note(&*ports, &id).await? } else { None };
    json(StatusCode::OK, &results(each, None, note))
}

pub(crate) async fn retry_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RetryAll>,
) -> Reply {
    apply_to_page(&*ports, &caller, &id, BulkAction::Retry, request).await
}

pub(crate) async fn hold_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RetryAll>,
) -> Reply {
    apply_to_page(&*ports, &caller, &id, BulkAction::Hold, request).await
}

async fn apply_to_page<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    action: BulkAction,
    request: RetryAll,
) -> Reply {
    let RetryAll { reason, class, to, key_prefix, acknowledged, assigned_to, dry_run, after } = request;
    let filter = ParkedFilter { class, to, key_prefix, acknowledged, assigned_to };
    let page = after.as_deref().map(|text| read_page(id, text)).transpose()?;
    if dry_run {
        let (targets, next) = parked::choose_targets(ports, id, action, &filter, page).await?;
        return preview_each(ports, id, targets, next.as_ref().map(page_cursor)).await;
    }
    let (each, next) = parked::apply_to_page(ports, caller, id, action, &filter, page, &reason).await?;
    let note = if action == BulkAction::Retry { retry_note(ports, id).await? } else { None };
    json(StatusCode::OK, &results(each, next.as_ref().map(page_cursor), note))
}

/// Replies with the records that a retry of each entry would send. Changes nothing.
async fn preview_each<P: AdminPorts>(ports: &P, id: &MapId, targets: Vec<Target>, next: Option<String>) -> Reply {
    let map = maps::get(ports, id).await?;
    let mut results = Vec::with_capacity(targets.len());
    for target in targets {
        let preview = parked::preview(ports, id, &target).await;
        let (key, seq) = (target.key.to_string(), target.seq);
        let (sends, problem) = match preview {
            Ok(sends) => (Some(sends.into_iter().map(|(to, image)| Send::of(&map, to, image)).collect()), None),
            Err(error) => (None, Some(Problem::from(&error))),
        };
        results.push(CommandResult { key, seq, done: false, problem, sends });
    }
    json(StatusCode::OK, &CommandResults { results, next, note: None })
}

/// Returns a note that says when entries are tried again, unless that is now.
async fn retry_note<P: AdminPorts>(ports: &P, id: &MapId) -> Result<Option<String>, AppError> {
    let map = maps::get(ports, id).await?;
    let note = |when: &str| format!("the map is {}: Tandem sends nothing before the map is {when}", map.state);
    Ok(match map.state.intake() {
        Intake::Write => None,
        Intake::Keep => Some(note("resumed")),
        Intake::Skip => Some(note("running")),
    })
}

/// Writes the start of a page of a bulk action as `until.time.key`.
fn page_cursor(page: &BulkPage) -> String {
    format!("{}.{}", page.until.0, lane_cursor(&page.after))
}

fn read_page(map: &MapId, text: &str) -> Result<BulkPage, AppError> {
    let wrong = not_a_cursor;
    let (until, after) = text.split_once('.').ok_or_else(wrong)?;
    let until = Timestamp(until.parse().map_err(|_| wrong())?);
    // The index lists parked lanes at times from this one on, and adds it to this time. A later time would overflow.
    if until >= PARKED_FROM {
        return Err(wrong());
    }
    Ok(BulkPage { after: read_lane_cursor(map, after)?, until })
}

fn read_target(entry: &EntryRef, field: &str) -> Result<Target, AppError> {
    let key: RecordKey = entry.key.parse().map_err(|says: String| AppError::mistake(field, &says))?;
    Ok(Target { key, seq: entry.seq })
}

fn read_command(request: &EntryCommand) -> Result<Command, AppError> {
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
            let missing = || AppError::mistake("record", "must contain the fields to change");
            Command::Edit(request.record.clone().filter(|record| !record.is_empty()).ok_or_else(missing)?)
        }
    })
}

fn results(each: Vec<TargetResult>, next: Option<String>, note: Option<String>) -> CommandResults {
    let result = |(target, result): TargetResult| CommandResult {
        key: target.key.to_string(),
        seq: target.seq,
        done: result.is_ok(),
        problem: result.err().as_ref().map(Problem::from),
        sends: None,
    };
    CommandResults { results: each.into_iter().map(result).collect(), next, note }
}
