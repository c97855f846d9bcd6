//! `/maps/{map}/errors`: entries that wait for an operator, and what is done to entries.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        errors::{self, Each, Filter, MAX_LISTED},
        lane::{Command, Target},
        maps,
    },
    error::AppError,
    problem::Problem,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapId, RecordKey};

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
    params.known(&["class", "key_prefix", "acknowledged", "assigned_to", "after", "limit"])?;
    let filter = Filter {
        class: params.named("class")?,
        key_prefix: params.text("key_prefix").map(str::to_owned),
        acknowledged: params.named("acknowledged")?,
        assigned_to: params.text("assigned_to").map(str::to_owned),
    };
    let after = params.text("after").map(|text| read_lane_cursor(&id, text)).transpose()?;
    let map = maps::get(&*ports, &id).await?;
    let (parked, next) = errors::list(&*ports, &id, &filter, after, limit(&params)?).await?;
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
    let sends = errors::preview(&*ports, &id, &target).await?;
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
    let each = errors::each(&*ports, &caller, &id, targets, &what, &request.reason).await?;
    json(StatusCode::OK, &results(each, None))
}

pub(crate) async fn retry_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RetryAll>,
) -> Reply {
    let filter = Filter { class: request.class, key_prefix: request.key_prefix, ..Filter::default() };
    let after = request.after.as_deref().map(|text| read_lane_cursor(&id, text)).transpose()?;
    let (each, next) = errors::retry_all(&*ports, &caller, &id, &filter, after, &request.reason).await?;
    json(StatusCode::OK, &results(each, next.as_ref().map(lane_cursor)))
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

fn results(each: Vec<Each>, next: Option<String>) -> CommandResults {
    let result = |(target, result): Each| CommandResult {
        key: target.key.to_string(),
        seq: target.seq,
        done: result.is_ok(),
        problem: result.err().as_ref().map(Problem::from),
    };
    CommandResults { results: each.into_iter().map(result).collect(), next }
}
