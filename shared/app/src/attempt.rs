//! One attempt of an entry: its calls, and what their outcome makes of the lane.

mod conflict;

use domain::{
    Failure, Owner,
    failure::{CallEffect, ErrorClass},
    id::EntryId,
    lane::{Action, Answer, Attempt, Entry, Head, SettleContext, Step, StepFailure, content, may_call, plan, settle},
    map::{MapConfig, SideIx},
    mapping::translate,
    record::Image,
    redact::redacted_text,
};

use self::conflict::{Stopped, keep_both_values};
use crate::ports::{Apps, Call, Commit, CommitError, FetchedRecord, LaneKey, Lanes, PortError, Ports, SyncMap};

/// How often a settlement is tried when the journal does not answer, before it is left to the sweep.
const SETTLE_ROUNDS: u32 = 12;

/// An entry in context.
pub(crate) struct AttemptContext<'a> {
    pub(crate) lane: &'a LaneKey,
    pub(crate) map: &'a SyncMap,
    /// The head as it was stored when the entry was taken.
    pub(crate) head: Head,
    pub(crate) entry: Entry,
    pub(crate) owner: Owner,
    /// A caller waits for the answer: its own app is not called before it has it.
    pub(crate) caller_waiting: bool,
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) answer: Answer,
    /// The lane as it is now; `None` when the attempt could not be settled and is left to the sweep.
    pub(crate) head: Option<Head>,
    /// What failed.
    pub(crate) failure: Option<Failure>,
}

/// Makes the calls of an entry and settles it. Whatever happens, the entry is in the journal.
pub(crate) async fn execute<P: Ports>(ports: &P, mut context: AttemptContext<'_>) -> Ended {
    let attempt = match keep_both_values(ports, &mut context).await {
        Ok(()) => call_apps(ports, &context).await,
        Err(Stopped::ByApp(attempt)) => attempt,
        Err(Stopped::ByJournal) => {
            let answer = unsettled(&context, None);
            return Ended { answer, head: None, failure: None };
        }
    };
    let failure = attempt.failure.as_ref().map(|step| step.failure.clone());
    if let Some(step) = &attempt.failure {
        tracing::warn!(
            map.id = %context.lane.map, entry.id = %context.entry.id, entry.seq = context.entry.seq,
            entry.attempts = context.entry.attempts, side.id = %context.map.config.side(step.to).side,
            error.class = %step.failure.class, error.effect = ?step.failure.effect,
            "a write did not succeed"
        );
    }
    match settle_attempt(ports, &context, &attempt).await {
        Ok(Some((answer, head))) => Ended { answer, head: Some(head), failure },
        Ok(None) => Ended { answer: unsettled(&context, attempt.failure), head: None, failure },
        Err(error) => {
            tracing::error!(
                map.id = %context.lane.map, entry.id = %context.entry.id, %error,
                "the outcome of a write could not be stored; the sweep takes it over when its lease ends"
            );
            Ended { answer: unsettled(&context, attempt.failure), head: None, failure }
        }
    }
}

/// What the caller is told when the outcome could not be stored: the entry is in the journal, whatever happened.
fn unsettled(context: &AttemptContext<'_>, failure: Option<StepFailure>) -> Answer {
    Answer::queued(&context.head, &context.entry, failure)
}

async fn call_apps<P: Ports>(ports: &P, context: &AttemptContext<'_>) -> Attempt {
    let config = &context.map.config;
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
            return attempt;
        }
    };
    for Step { to, action, back } in steps {
        if back && context.caller_waiting {
            attempt.left = true;
            break;
        }
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
        let content = content(config, to, &image);
        match write(ports, context, to, &image).await {
            Ok(etag) => attempt.done.push((to, Some(content), etag)),
            Err(mut failure) => {
                // Apps repeat values in their messages; those go into logs and mails.
                failure.message = redacted_text(config, to, &image, &failure.message);
                attempt.tried = Some((to, content));
                attempt.failure = fail(to, failure);
                break;
            }
        }
    }
    attempt
}

fn said(error: &domain::mapping::MappingError) -> String {
    format!("field {} {}", error.field, error.message)
}

/// What the side gets: the entry's image, or what the other side has at this moment. `None`: it has that already, and
/// a write would only be reported back to us.
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
    let wanted = translate(config, from, &read(ports, context, from).await?).map_err(|error| {
        Failure::new(ErrorClass::Mapping, CallEffect::Refused, Some(error.field.clone()), &said(&error))
    })?;
    let there = read(ports, context, to).await?;
    Ok((content(config, to, &there) != content(config, to, &wanted)).then_some(wanted))
}

/// A record as a side has it now.
async fn read<P: Ports>(ports: &P, context: &AttemptContext<'_>, from: SideIx) -> Result<Image, Failure> {
    let end = context.map.config.side(from);
    let side = &context.map.sides[from.at()];
    let found = ports.apps().read(side, &end.entity, &end.key_field, &context.lane.key).await;
    match found {
        Ok(found) => Ok(found.map_or(Image::Absent, |FetchedRecord { record, .. }| Image::Present(record))),
        // Reading has no effect: whatever it met, nothing was changed.
        Err(failure) if failure.effect == CallEffect::Unknown => {
            Err(Failure { effect: CallEffect::NotApplied, ..failure })
        }
        Err(failure) => Err(failure),
    }
}

async fn write<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    to: SideIx,
    image: &Image,
) -> Result<Option<String>, Failure> {
    let side = &context.map.sides[to.at()];
    let lease_end = context.head.inflight.as_ref().map_or(ports.now(), |inflight| inflight.lease_end);
    if !may_call(lease_end, ports.now(), &side.config) {
        let says = "the lease ran out before the call was made";
        return Err(Failure::new(ErrorClass::Timeout, CallEffect::NotApplied, None, says));
    }
    let end = context.map.config.side(to);
    let call = Call {
        entity: end.entity.clone(),
        key_field: end.key_field.clone(),
        key: context.lane.key.clone(),
        image: image.clone(),
        entry: context.entry.id,
        version: context.head.version_of(context.entry.seq),
        etag: context.head.sides[to].etag.clone(),
    };
    ports.apps().write(side, &call).await.map(|applied| applied.etag)
}

/// Stores the outcome; `None` when the lease was lost and somebody else settles the entry.
async fn settle_attempt<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    attempt: &Attempt,
) -> Result<Option<(Answer, Head)>, PortError> {
    let mut head = context.head.clone();
    // Echoes matter to a refusal alone; a success does not pay for reading them.
    let mut echoed = Vec::new();
    let refused = attempt.failure.as_ref().is_some_and(|step| step.failure.effect == CallEffect::Refused);
    if refused && let Some((now, echoes)) = ports.lanes().head(context.lane).await? {
        echoed = echoes.of(context.head.version_of(context.entry.seq));
        head = now;
    }
    let spare = EntryId(ports.fresh_id());
    let mut last = PortError::Transient("the lane kept changing".to_owned());
    for round in 0..SETTLE_ROUNDS {
        let settle_context = SettleContext {
            map: &context.map.map,
            key: &context.lane.key,
            sides: [&context.map.sides[0].config, &context.map.sides[1].config],
            on_unavailable: context.map.config.on_unavailable,
            echoed: &echoed,
            spare,
            now: ports.now(),
        };
        let Some(settlement) = settle(&head, context.entry.clone(), context.owner, attempt, settle_context) else {
            return Ok(lost(&head, context).map(|answer| (answer, head)));
        };
        match ports
            .lanes()
            .commit(context.lane, Commit::of(Some(&head), settlement.head.clone(), settlement.effects))
            .await
        {
            Ok(()) => return Ok(Some((settlement.answer, settlement.head))),
            Err(CommitError::Stale | CommitError::Duplicate) => {}
            Err(CommitError::Port(PortError::Permanent(error))) => return Err(PortError::Permanent(error)),
            Err(CommitError::Port(error)) => last = error,
        }
        ports.sleep(5 << round.min(6)).await;
        match ports.lanes().head(context.lane).await {
            Ok(Some((now, echoes))) => {
                if !echoed.is_empty() || attempt.failure.is_some() {
                    echoed = echoes.of(context.head.version_of(context.entry.seq));
                }
                head = now;
            }
            Ok(None) => return Err(PortError::Permanent("the lane head is gone".to_owned())),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The lease is gone. Either this very settlement was stored and its answer lost, or the lane was taken over.
fn lost(head: &Head, context: &AttemptContext<'_>) -> Option<Answer> {
    let write = context.entry.write()?;
    let known = head.recent.get(write.id)?;
    Some(Answer::replay(&known.outcome, head.version_of(known.seq), Some(context.entry.id)))
}
