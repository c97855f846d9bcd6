//! One attempt of an entry: its calls, and what their outcome makes of the lane.

mod announce;
mod conflict;
mod health;
mod stored;

use domain::{
    Failure, Owner, RecordKey, Timestamp,
    failure::{CallEffect, ErrorClass},
    id::EntryId,
    lane::{
        Action, Answer, Attempt, Entry, Head, Mode, SettleContext, Step, StepFailure, content, may_call, plan, settle,
    },
    limits::{PARK_AFTER_ATTEMPTS, PARK_AFTER_BROKEN_ATTEMPTS},
    map::{MapConfig, PerSide, SideIx},
    mapping::{has_carried_field, in_stored_form, translate},
    record::Image,
    redact::redacted_text,
};
use futures::future::try_join_all;

pub(crate) use self::health::note_report;
use self::{
    announce::announce,
    conflict::{EarlyStop, keep_both_values},
    health::{HealthBefore, last_taken},
    stored::find_answer,
};
use crate::{
    cas::{self, RetriesExhausted, RetryCause, Round},
    ports::{
        Applied, Apps, Call, Commit, FetchedRecord, LaneKey, Lanes, OpenRange, PortError, Ports, RecordAddress, SyncMap,
    },
};

/// An app that took a record so lately, in milliseconds, has worked when this one began to fail: eight attempts take four
/// minutes.
const TAKEN_LATELY_MS: u64 = 10 * 60 * 1_000;

/// Records that fail together are set aside after so many attempts, a quarter of an hour: until then, the app may be broken for
/// their entity.
const PARK_TOGETHER_AFTER_ATTEMPTS: u32 = 20;
/// What [`TAKEN_LATELY_MS`] is for records that fail together.
const TAKEN_BEFORE_ALL_FAILED_MS: u64 = 30 * 60 * 1_000;
/// So many lanes of the map that are not idle are looked at, to see whether other records fail, too.
const LANES_LOOKED_AT: usize = 8;

/// An entry that is attempted, with its lane and map.
pub(crate) struct AttemptContext<'a> {
    pub(crate) lane: &'a LaneKey,
    pub(crate) map: &'a SyncMap,
    /// The head as it was stored when the entry was claimed.
    pub(crate) head: Head,
    pub(crate) entry: Entry,
    pub(crate) owner: Owner,
    /// A caller waits for the answer: its own app is not called before it has it.
    pub(crate) caller_waiting: bool,
}

/// The result of an attempt.
pub(crate) struct AttemptResult {
    /// What the caller is told; `None`: nobody knows whether it is to roll back, so it is decided again by what is stored.
    pub(crate) answer: Option<Answer>,
    /// The lane's head after the attempt; `None` when the attempt could not be settled and is left to the sweep.
    pub(crate) head: Option<Head>,
    /// The failure that ended it, if one did.
    pub(crate) failure: Option<Failure>,
}

/// Makes the calls of an entry and settles it. The entry stays in the journal until its outcome is stored.
pub(crate) async fn execute<P: Ports>(ports: &P, mut context: AttemptContext<'_>) -> AttemptResult {
    let health = HealthBefore::of(ports, context.map);
    let attempt = match make_calls(ports, &mut context).await {
        Ok(attempt) | Err(EarlyStop::ByApp(attempt)) => attempt,
        Err(EarlyStop::ByJournal) => {
            let answer = Answer::queued(&context.head, &context.entry, None);
            return AttemptResult { answer: Some(answer), head: None, failure: None };
        }
    };
    let failure = attempt.failure.as_ref().map(|step| step.failure.clone());
    if let Some(step) = &attempt.failure {
        tracing::warn!(
            map.id = %context.lane.map, entry.id = %context.entry.id, entry.seq = context.entry.seq,
            entry.attempts = context.entry.attempts, side.id = %context.map.config.side(step.to).side,
            error.class = %step.failure.class, error.effect = ?step.failure.effect,
            "could not write an entry to an app; its settlement decides what comes next"
        );
    }
    let (settled, ()) =
        futures::join!(settle_attempt(ports, &context, &attempt), health.note_change(ports, context.map));
    match settled {
        Ok(Some((answer, head))) => AttemptResult { answer: Some(answer), head: Some(head), failure },
        Ok(None) => AttemptResult {
            answer: Some(Answer::queued(&context.head, &context.entry, attempt.failure)),
            head: None,
            failure,
        },
        Err(error) => {
            tracing::error!(
                map.id = %context.lane.map, entry.id = %context.entry.id, %error,
                "could not store the outcome of a write; the sweep takes the entry over when its lease ends"
            );
            let known = !may_roll_back(&context.entry, &attempt);
            let answer = known.then(|| Answer::queued(&context.head, &context.entry, attempt.failure));
            AttemptResult { answer, head: None, failure }
        }
    }
}

/// Whether the settlement of this attempt may tell the caller to roll back.
fn may_roll_back(entry: &Entry, attempt: &Attempt) -> bool {
    let sync = entry.write().is_some_and(|write| write.mode == Mode::Sync);
    sync && entry.attempts == 1 && attempt.failure.is_some()
}

/// Makes the calls, once everything is stored that must be known before them.
async fn make_calls<P: Ports>(ports: &P, context: &mut AttemptContext<'_>) -> Result<Attempt, EarlyStop> {
    keep_both_values(ports, context).await?;
    Ok(call_apps(ports, context).await?)
}

async fn call_apps<P: Ports>(ports: &P, context: &mut AttemptContext<'_>) -> Result<Attempt, RetriesExhausted> {
    let config = &context.map.map.config;
    let mut attempt = Attempt::default();
    let fail = |to: SideIx, failure: Failure| Some(StepFailure { to, at: ports.now(), failure });
    let steps = match plan(&context.entry, config) {
        Ok(steps) => steps,
        Err((to, error)) => {
            let says = match context.entry.write() {
                Some(write) => redacted_text(config, write.shape, &write.image, &said(&error)),
                None => said(&error),
            };
            let failure = Failure::new(ErrorClass::Mapping, CallEffect::Refused, Some(error.field.clone()), &says);
            attempt.failure = fail(to, failure);
            return Ok(attempt);
        }
    };
    for Step { to, action, write_back } in steps {
        if write_back && context.caller_waiting {
            attempt.write_back_deferred = true;
            break;
        }
        let is_copy = matches!(action, Action::CopyFrom(_));
        let image = match image(ports, context, to, action).await {
            Ok(Some(image)) => image,
            Ok(None) => {
                attempt.done.push((to, None, None));
                continue;
            }
            Err(failure) => {
                attempt.failure = fail(to, failure);
                break;
            }
        };
        let tried = content(config, to, &image);
        if is_copy {
            context.head = announce(ports, context, to, tried).await?;
        }
        match write(ports, context, to, &image).await {
            Ok(applied) => {
                // What the app says it has stored is what it will report.
                let written = match (&image, &applied.stored) {
                    (Image::Present(sent), Some(stored)) => Image::Present(in_stored_form(sent, stored)),
                    _ => image,
                };
                attempt.done.push((to, Some(content(config, to, &written)), applied.etag));
                attempt.found[to] = applied.unchanged;
            }
            Err(mut failure) => {
                // Apps repeat values in their messages; those go into logs and mails.
                failure.message = redacted_text(config, to, &image, &failure.message);
                attempt.tried = Some((to, tried));
                attempt.failure = fail(to, failure);
                break;
            }
        }
    }
    Ok(attempt)
}

fn said(error: &domain::mapping::MappingError) -> String {
    format!("field {} {}", error.field, error.message)
}

/// The image that the side gets: the entry's own, or the record as the other side has it now. `None`: the side has that
/// content already, and a write would only come back as a report.
async fn image<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    to: SideIx,
    action: Action,
) -> Result<Option<Image>, Failure> {
    let from = match action {
        Action::Put(image) => return Ok(Some(image)),
        Action::CopyFrom(from) => from,
    };
    debug_assert_eq!(from.other(), to, "a copy goes to the other side");
    let config: &MapConfig = &context.map.config;
    let wanted =
        translate(config, from, &read(ports, context, from).await?).map_err(|error| mapping_failure(&error))?;
    let there = read(ports, context, to).await?;
    Ok((content(config, to, &there) != content(config, to, &wanted)).then_some(wanted))
}

/// Reads the record of an attempt as a side has it now.
async fn read<P: Ports>(ports: &P, context: &AttemptContext<'_>, from: SideIx) -> Result<Image, Failure> {
    read_record(ports, context.map, &context.lane.key, from).await
}

/// Reads a record as a side has it now. A read changes nothing, however it fails.
pub(crate) async fn read_record<P: Ports>(
    ports: &P,
    map: &SyncMap,
    key: &RecordKey,
    from: SideIx,
) -> Result<Image, Failure> {
    let found = ports.apps().read(&map.sides[from.at()], &RecordAddress::of(map.config.side(from), key)).await;
    match found {
        Ok(Some(found)) if !has_carried_field(&map.config, from, &found.record) => {
            let says = "the answer is no record: it has none of the mapped fields";
            Err(Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, says))
        }
        Ok(found) => Ok(found.map_or(Image::Absent, |FetchedRecord { record, .. }| Image::Present(record))),
        Err(failure) if failure.effect == CallEffect::Unknown => {
            Err(Failure { effect: CallEffect::NotApplied, ..failure })
        }
        Err(failure) => Err(failure),
    }
}

/// The failure of a record that a map cannot carry from a side.
pub(crate) fn mapping_failure(error: &domain::mapping::MappingError) -> Failure {
    Failure::new(ErrorClass::Mapping, CallEffect::Refused, Some(error.field.clone()), &said(error))
}

async fn write<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    to: SideIx,
    image: &Image,
) -> Result<Applied, Failure> {
    let side = &context.map.sides[to.at()];
    let lease_end = context.head.inflight.as_ref().map_or(ports.now(), |inflight| inflight.lease_end);
    if !may_call(lease_end, ports.now(), &side.config) {
        let says = "the lease ran out before the call was made";
        return Err(Failure::new(ErrorClass::Timeout, CallEffect::NotApplied, None, says));
    }
    let call = Call {
        record: RecordAddress::of(context.map.config.side(to), &context.lane.key),
        image: image.clone(),
        entry: context.entry.idempotency_key(),
        version: context.head.version_of(context.entry.seq),
        etag: context.head.sides[to].etag.clone(),
    };
    ports.apps().write(side, &call).await
}

/// Stores the outcome; `None` when the lease was lost and somebody else settles the entry.
async fn settle_attempt<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    attempt: &Attempt,
) -> Result<Option<(Answer, Head)>, PortError> {
    let mut view = SettleView { head: context.head.clone(), echoed: Vec::new() };
    if needs_echoes(attempt) {
        view.read_again(ports, context).await?;
    }
    let spare = EntryId(ports.fresh_id());
    let mut taken = PerSide::default();
    if let Some(step) = attempt.failure.as_ref().filter(|_| context.entry.attempts >= PARK_AFTER_ATTEMPTS) {
        let end = context.map.config.side(step.to);
        taken[step.to] = last_taken(ports, &end.side, &end.entity).await;
        if works_otherwise(ports, context, step, taken[step.to]).await {
            taken[step.to] = Some(ports.now());
        }
    }
    cas::retry(ports, cas::SETTLE, (view, None), |(mut view, told): (SettleView, Option<Answer>)| async move {
        // If the journal does not answer, the known head may still be the stored one: try it.
        if told.is_some()
            && let Err(error @ PortError::Permanent(_)) = view.read_again(ports, context).await
        {
            return Err(error);
        }
        let settle_context = SettleContext {
            map: &context.map.map,
            key: &context.lane.key,
            sides: [&context.map.sides[0].config, &context.map.sides[1].config],
            on_unavailable: context.map.config.on_unavailable,
            echoed: &view.echoed,
            spare,
            last_taken: taken,
            now: ports.now(),
        };
        let Some(settlement) = settle(&view.head, context.entry.clone(), context.owner, attempt, settle_context) else {
            return Ok(match find_answer(ports, &view.head, context, told.clone()).await {
                Ok(answer) => Round::Done(answer.map(|answer| (answer, view.head))),
                Err(error) => Round::Again(RetryCause::Unanswered(error), (view, told)),
            });
        };
        let commit = Commit::of(Some(&view.head), settlement.head.clone(), settlement.effects);
        Ok(match cas::stored(ports.lanes().commit(context.lane, commit).await)? {
            Ok(()) => Round::Done(Some((settlement.answer, settlement.head))),
            Err(lost) => Round::Again(lost, (view, Some(settlement.answer))),
        })
    })
    .await
}

/// Whether the app works but for this record, when no other record is there to tell: it took one of the entity a few minutes
/// ago, it has failed on this one for as long, no other record of the map fails, and it answers when the record is read. While
/// others fail, too, it has more time. A conflict is the app's own word about this record, so it needs no other record.
async fn works_otherwise<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    step: &StepFailure,
    taken: Option<Timestamp>,
) -> bool {
    let attempts = context.entry.attempts;
    let lasts = attempts >= PARK_AFTER_BROKEN_ATTEMPTS && !step.failure.is_side_wide();
    let taken_within = |ms| taken.is_some_and(|taken| ports.now().ms_since(taken) <= ms);
    let together = attempts >= PARK_TOGETHER_AFTER_ATTEMPTS && taken_within(TAKEN_BEFORE_ALL_FAILED_MS);
    let conflicts = step.failure.class == ErrorClass::Conflict;
    let lease_end = context.head.inflight.as_ref().map_or(ports.now(), |inflight| inflight.lease_end);
    let side = &context.map.sides[step.to.at()].config;
    lasts
        && (conflicts || together || taken_within(TAKEN_LATELY_MS) && !others_fail(ports, context).await)
        && may_call(lease_end, ports.now(), side)
        && read(ports, context, step.to).await.is_ok()
}

/// Whether other records of the map fail, too, as they all do when an app is broken for one entity. If that cannot be found
/// out, they are taken to.
async fn others_fail<P: Ports>(ports: &P, context: &AttemptContext<'_>) -> bool {
    let Ok(open) = ports.lanes().open(&context.map.map, OpenRange::unparked(), LANES_LOOKED_AT).await else {
        return true;
    };
    let others = open.iter().filter(|open| open.lane != *context.lane);
    match try_join_all(others.map(|open| ports.lanes().head(&open.lane))).await {
        Ok(heads) => heads.iter().flatten().any(|(head, _)| !head.unresolved.is_empty()),
        Err(_) => true,
    }
}

/// A lane as a settlement sees it.
struct SettleView {
    head: Head,
    /// The sides that have reported the entry.
    echoed: Vec<SideIx>,
}

impl SettleView {
    async fn read_again<P: Ports>(&mut self, ports: &P, context: &AttemptContext<'_>) -> Result<(), PortError> {
        let Some((head, echoes)) = ports.lanes().head(context.lane).await? else {
            return Err(PortError::Permanent("the lane head is gone".to_owned()));
        };
        self.echoed = echoes.of(context.head.version_of(context.entry.seq));
        self.head = head;
        Ok(())
    }
}

/// Whether echoes have a say in the settlement: an app that reported a write has it, whatever it answers to a repeat. No
/// outcome but a refusal pays for reading them first.
fn needs_echoes(attempt: &Attempt) -> bool {
    attempt.failure.as_ref().is_some_and(|step| step.failure.effect == CallEffect::Refused)
}
