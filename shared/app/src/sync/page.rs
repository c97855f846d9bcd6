//! Reads the next page of a side, and does what is to be done about its rows.

use domain::{
    ContentHash, ErrorClass, Failure, Owner, RecordKey, Timestamp,
    failure::{CallEffect, backoff_ms},
    lane::{CopiedRow, HeadVersion, Outcome},
    limits::REPORTS_WITHIN_MS,
    listing::{Listing, PageRow},
    map::{PerSide, SideIx},
    mapping::passes,
    record::{Image, Record},
    sync::{FailedCopy, LookAgain, NoteKind, PageTurn, RowEnd, RowTask, RunPhase, SyncRun, WaitingTask},
};
use futures::{StreamExt, stream};

use super::{
    copy::{Later, Read, RecordCopy, RecordEnd},
    doubt,
    look::{Looked, look_at, not_read, read_head},
    select,
    step::{Draft, StepEnd, Wait, copy_id},
    work::Worker,
};
use crate::{
    attempt::read_record,
    ports::{Apps, FINDINGS_AT_ONCE, Page, PageError, PageRequest, PortError, SyncPorts},
};

/// Most records of a page that are copied before they are committed: each may leave a finding, and one row may push another
/// one out of the join.
const TASKS_AT_ONCE: usize = FINDINGS_AT_ONCE / 3;
/// Copies begun at a time; the pace says how many of them call the apps.
const BEGUN_AT_ONCE: usize = 64;
/// Rows of a page that are asked for. Dataverse and F&O give 5,000 and more, but a function has little memory.
pub(crate) const PAGE_ROWS: u32 = 500;
/// How often a side's list may begin anew in one run, because the app has forgotten where it was to go on.
const MAX_BEGUN_ANEW: u32 = 3;
/// The contents of rows that cannot be mapped, of each side: no row of the other side has them.
const UNMAPPABLE: PerSide<ContentHash> = PerSide([ContentHash(u64::MAX), ContentHash(u64::MAX - 1)]);

/// A record with something to do.
struct Task {
    leg: SideIx,
    key: RecordKey,
    /// The row, which is copied as it is.
    row: Option<Record>,
}

/// Reads and works through the next page.
pub(super) async fn read_next_page<P: SyncPorts>(worker: &mut Worker<'_, P>) -> Result<StepEnd, PortError> {
    let Some(side) = worker.run.next_side() else { return end_listing(worker).await };
    if let Some(wait) = wait_for_reports(worker, side) {
        return Ok(StepEnd::Wait(wait));
    }
    let progress = &worker.run.progress[side.at()];
    if progress.page_began.is_none() {
        let mut draft = Draft::of(&worker.run);
        draft.run.progress[side.at()].page_began = Some(worker.ports.now());
        return worker.commit(draft).await;
    }
    let request = PageRequest {
        cursor: progress.cursor.clone().and_then(|cursor| cursor.try_into().ok()),
        size: worker.run.page_size(side, PAGE_ROWS),
    };
    let listing = Listing::of(&worker.map.config, side);
    let page = worker.ports.apps().read_page(&worker.map.sides[side.at()], &listing, &request).await;
    match page {
        Ok(page) => work_through(worker, side, page).await,
        Err(error) => page_failed(worker, side, error).await,
    }
}

/// A row that the other side lacks is copied at once. So it is not read before each change that the other side has made until it
/// had listed everything is reported.
fn wait_for_reports<P: SyncPorts>(worker: &Worker<'_, P>, side: SideIx) -> Option<Wait> {
    let exhausted_at = worker.run.progress[side.other().at()].exhausted_at?;
    let until = exhausted_at.plus_ms(REPORTS_WITHIN_MS);
    (worker.run.choice.copies_rows(side) && until > worker.ports.now()).then_some(Wait { until, why: None, side: None })
}

async fn page_failed<P: SyncPorts>(
    worker: &mut Worker<'_, P>,
    side: SideIx,
    error: PageError,
) -> Result<StepEnd, PortError> {
    let (name, failure) = (worker.map.config.side(side).side.clone(), error.failure().clone());
    let says = format!("{name} does not give its next page: {}", failure.message);
    match error {
        PageError::TooLarge(_) if worker.run.page_size(side, PAGE_ROWS) > 1 => {
            let mut draft = Draft::of(&worker.run);
            draft.run.progress[side.at()].page_size = Some(worker.run.page_size(side, PAGE_ROWS) / 2);
            worker.commit(draft).await
        }
        // The list begins anew. Rows that were read before are met again; their counterparts have left the join.
        PageError::CursorExpired(_)
            if worker.run.progress[side.at()].pages > 0
                && worker.run.progress[side.at()].begun_anew < MAX_BEGUN_ANEW =>
        {
            let mut draft = Draft::of(&worker.run);
            draft.run.progress[side.at()].begin_anew();
            draft.run.progress[side.at()].begun_anew += 1;
            draft.run.note(worker.ports.now(), Some(side), NoteKind::CursorForgotten);
            SideIx::BOTH.into_iter().for_each(|side| draft.run.join.may_lack(side));
            worker.commit(draft).await
        }
        PageError::Failed(_) if failure.effect != CallEffect::Refused => {
            let until = worker.ports.now().plus_ms(backoff_ms(worker.run.waits + 3, failure.retry_after_ms));
            Ok(StepEnd::Wait(Wait { until, why: Some(says), side: Some(side) }))
        }
        PageError::TooLarge(_) => {
            let page = worker.run.progress[side.at()].pages + 1;
            let says = format!(
                "{says} The page was asked for with one record, so that record alone (page {page}) is too large. Keep it out of \
                 the list with `list_filter`, or list fewer fields, then resume the run"
            );
            Ok(StepEnd::Ask(says, Some(side)))
        }
        PageError::Failed(_) | PageError::CursorExpired(_) => Ok(StepEnd::Ask(says, Some(side))),
    }
}

/// Works through a page, as many rows at a time as fit into a commit.
async fn work_through<P: SyncPorts>(
    worker: &mut Worker<'_, P>,
    side: SideIx,
    page: Page,
) -> Result<StepEnd, PortError> {
    let counted = worker.run.progress[side.at()].counted_rows();
    let number = worker.run.progress[side.at()].pages + 1;
    let began = worker.run.progress[side.at()].page_began.unwrap_or(worker.ports.now());
    let mut rows = page.rows.into_iter().enumerate();
    loop {
        let mut draft = Draft::of(&worker.run);
        if draft.run.progress[side.at()].total.is_none() {
            draft.run.progress[side.at()].total = page.total;
        }
        let mut tasks = Vec::new();
        let mut through = true;
        for (at, row) in rows.by_ref() {
            take_in(worker, &mut draft, side, (number, at, at < counted), row, &mut tasks);
            if tasks.len() + draft.changes.len() >= TASKS_AT_ONCE {
                through = false;
                break;
            }
        }
        let trouble = run_tasks(worker, &mut draft, tasks, began).await?;
        if through && trouble.is_none() {
            let (progress, next) = (&mut draft.run.progress[side.at()], page.next.clone().map(String::from));
            match progress.turn_page(next, page.left_out, worker.ports.now()) {
                PageTurn::Loop => doubt::ask_about_loop(worker, &mut draft, side, number),
                PageTurn::EmptyPage => doubt::ask_about_empty_page(worker, &mut draft, side, number),
                PageTurn::End => doubt::ask_if_short(worker, &mut draft, side).await?,
                PageTurn::Next => {}
            }
            return worker.commit(draft).await;
        }
        match (worker.commit(draft).await?, trouble) {
            (StepEnd::Moved, None) if worker.is_out_of_time() || worker.is_outdated().await? => {
                return Ok(StepEnd::Moved);
            }
            (StepEnd::Moved, None) => {}
            (StepEnd::Moved, Some(trouble)) => return Ok(trouble),
            (other, _) => return Ok(other),
        }
    }
}

/// Takes in one row: counts it, and notes what is to be done.
fn take_in<P: SyncPorts>(
    worker: &Worker<'_, P>,
    draft: &mut Draft,
    side: SideIx,
    (page, at, read_again): (u64, usize, bool),
    row: PageRow,
    tasks: &mut Vec<Task>,
) {
    let (map, now) = (worker.map, worker.ports.now());
    let listed = match row {
        PageRow::Record(listed) => listed,
        PageRow::Unusable(row) => {
            let place = || format!("(page {page}, row {})", at + 1).parse();
            let Some(key) = row.key.clone().or_else(|| place().ok()) else { return };
            if draft.run.count_row(side, &key, read_again) {
                let failure = Failure::new(ErrorClass::Mapping, CallEffect::Refused, None, &row.why.to_string());
                let to = &map.config.side(side.other()).side;
                draft.fail_row(side, &key, FailedCopy::of(&failure, to, &key, None, now));
            }
            return;
        }
    };
    let (key, image) = (listed.key, Image::Present(listed.record));
    let is_left_out = !passes(&map.config.side(side).filter, &image);
    let Image::Present(record) = image else { return };
    if is_left_out {
        if draft.run.count_row(side, &key, read_again) {
            draft.run.end_row(side, RowEnd::Filtered);
        }
        return;
    }
    let winners = &worker.winners;
    let content = winners.fingerprint(&map.config, side, &record).unwrap_or(UNMAPPABLE[side]);
    let wins = PerSide(SideIx::BOTH.map(|side| winners.wins_any(&map.config, side)));
    let Some((task, waiting)) = draft.run.take_row(side, &key, content, read_again, wins) else { return };
    match waiting {
        Some(WaitingTask::End(end)) => draft.run.end_row(side.other(), end),
        Some(WaitingTask::Look) => tasks.push(Task { leg: side.other(), key: key.clone(), row: None }),
        None => {}
    }
    match task {
        RowTask::End(end) => draft.run.end_row(side, end),
        RowTask::CopyRow => tasks.push(Task { leg: side, key, row: Some(record) }),
        RowTask::Look => tasks.push(Task { leg: side, key, row: None }),
        RowTask::Wait => {
            for key in draft.run.join.take_overflow(side) {
                draft.look_again(side, &key, LookAgain::first(now));
            }
        }
    }
}

/// Runs the tasks, many at a time. Returns why the run has to wait, if an app is in trouble.
async fn run_tasks<P: SyncPorts>(
    worker: &Worker<'_, P>,
    draft: &mut Draft,
    tasks: Vec<Task>,
    asked_at: Timestamp,
) -> Result<Option<StepEnd>, PortError> {
    let run = draft.run.clone();
    let ended = stream::iter(tasks).map(|task| {
        let run = &run;
        async move {
            let (end, row) = match &task.row {
                Some(record) => {
                    let end = copy_row(worker, run, &task, record, asked_at).await?;
                    (Looked::Is(end), Some(Image::Present(record.clone())))
                }
                None => look_at(worker, run, (task.leg, &task.key), 0, None).await?,
            };
            Ok::<_, PortError>((task, end, row))
        }
    });
    // To its end, whatever fails: a write that is under way must not be cut off.
    let ended: Vec<_> = ended.buffer_unordered(BEGUN_AT_ONCE).collect().await;
    let mut trouble = None;
    for ended in ended.into_iter().collect::<Result<Vec<_>, _>>()? {
        let (task, end, row) = ended;
        if let Looked::Is(RecordEnd::SideTrouble(side, failure)) = &end {
            trouble.get_or_insert_with(|| worker.trouble(*side, failure));
        }
        if let Looked::Is(RecordEnd::Later(Later { failure: Some(failure), .. })) = &end
            && failure.is_side_wide()
        {
            trouble.get_or_insert_with(|| worker.trouble(task.leg.other(), failure));
        }
        if end == Looked::Is(RecordEnd::MapNotWriting) {
            trouble.get_or_insert_with(|| worker.map_does_not_write());
        }
        end.note(worker, draft, (task.leg, &task.key), row.as_ref(), 0);
    }
    Ok(trouble)
}

/// Copies a row that the other side lacks as it was read, into a lane that has accepted nothing.
async fn copy_row<P: SyncPorts>(
    worker: &Worker<'_, P>,
    run: &SyncRun,
    task: &Task,
    record: &Record,
    asked_at: Timestamp,
) -> Result<RecordEnd, PortError> {
    let (ports, owner) = (worker.ports, Owner(worker.ports.fresh_id()));
    if select::find_failure(worker, (task.leg, &task.key)).await?.is_some() {
        return Ok(RecordEnd::Ended(RowEnd::Filtered));
    }
    let exhausted_at = run.progress[task.leg.other().at()].exhausted_at;
    let row = CopiedRow {
        from: task.leg,
        record: record.clone(),
        there: Image::Absent,
        lane: HeadVersion::of(None),
        asked_at,
        unchanged_since: exhausted_at.unwrap_or(asked_at),
    };
    if worker.is_out_of_time() {
        return Ok(RecordEnd::PutOff);
    }
    let id = copy_id(run, task.leg, &task.key, asked_at);
    let copy = RecordCopy {
        map: worker.map,
        winners: &worker.winners,
        key: &task.key,
        id,
        looks: 0,
        end: RowEnd::Inserted,
        seen: Some(row.look(&worker.map.config)),
    };
    let permit = worker.pace.permit().await;
    // It was not met in the other side's list, which may have left it out.
    let to = task.leg.other();
    match read_record(ports, worker.map, &task.key, to).await {
        Ok(Image::Absent) => {}
        Ok(Image::Present(_)) => {
            permit.ended(None, ports.now());
            // This run may have made it, and crashed before it counted that.
            let head = read_head(worker, &task.key).await?.filter(|head| head.map == worker.map.map.uid);
            let known = head.as_ref().and_then(|head| head.recent.get(id));
            return Ok(match known.map(|last| &last.outcome) {
                Some(Outcome::Written { .. }) => RecordEnd::Ended(RowEnd::Inserted),
                _ => RecordEnd::Later(Later { due: ports.now(), seen: copy.seen, failure: None }),
            });
        }
        Err(failure) => {
            permit.ended(Some(&failure), ports.now());
            return Ok(not_read(to, failure, 0, ports.now()));
        }
    }
    let decided = match copy.decide(ports, None, Read::Row(row), owner) {
        Ok(decided) => decided,
        Err(end) => return Ok(end),
    };
    let (end, failure) = copy.write(ports, None, decided, owner).await?;
    permit.ended(failure.as_ref(), ports.now());
    Ok(end)
}

/// Both sides have listed everything: rows that still wait are looked at one by one.
async fn end_listing<P: SyncPorts>(worker: &mut Worker<'_, P>) -> Result<StepEnd, PortError> {
    let mut draft = Draft::of(&worker.run);
    let due = worker.ports.now();
    for side in SideIx::BOTH {
        let room = FINDINGS_AT_ONCE - draft.changes.len();
        for key in draft.run.join.take_oldest(side, room) {
            draft.look_again(side, &key, LookAgain::first(due));
        }
    }
    if draft.changes.is_empty() {
        draft.run.phase = RunPhase::Looking;
    }
    worker.commit(draft).await
}
