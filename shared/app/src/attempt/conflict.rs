//! Changes that crossed: the value that one of them overwrites is kept before it is overwritten.

use domain::{
    Failure,
    lane::{Attempt, Conflict, Head, StepFailure, Winner, content, note_conflict},
    map::SideIx,
    mapping::translate,
    record::Image,
    redact::mapped_image,
};

use super::{AttemptContext, read};
use crate::{
    cas::{self, RetriesExhausted, RetryCause, Round},
    ports::{Commit, Lanes, Ports},
};

/// Why an attempt stopped before it had overwritten anything.
pub(super) enum EarlyStop {
    /// An app that cannot be read is not written either.
    ByApp(Attempt),
    /// The journal did not store the conflict, or the lease was lost: the sweep goes on with the entry.
    ByJournal,
}

impl From<RetriesExhausted> for EarlyStop {
    fn from(_: RetriesExhausted) -> Self {
        Self::ByJournal
    }
}

/// Stores both values of a conflict, once, before the entry overwrites one of them. After a crash, either the values are
/// stored or nothing has been overwritten.
pub(super) async fn keep_both_values<P: Ports>(ports: &P, context: &mut AttemptContext<'_>) -> Result<(), EarlyStop> {
    let entry = &context.entry;
    let (Some(crossing), Some(write)) = (entry.crossing, entry.write()) else { return Ok(()) };
    let Some(origin) = write.origin.filter(|_| !entry.conflict_noted) else { return Ok(()) };
    let values = match crossing.winner {
        Winner::ThisWrite => lost_there(ports, context, origin, &write.image).await,
        Winner::TheOther => lost_here(ports, context, origin).await,
    };
    let (kept, lost) = match values {
        Ok(Some(values)) => values,
        Ok(None) => return Ok(()),
        Err((to, failure)) => {
            let failure = Some(StepFailure { to, at: ports.now(), failure });
            return Err(EarlyStop::ByApp(Attempt { failure, ..Attempt::default() }));
        }
    };
    let kept_on = if crossing.winner == Winner::ThisWrite { origin } else { origin.other() };
    let config = &context.map.config;
    let conflict = Conflict {
        entry: entry.id,
        key: context.lane.key.clone(),
        version: context.head.version_of(entry.seq),
        at: ports.now(),
        origin,
        winner: crossing.winner,
        // Apps answer with whole records: what no mapping carries is neither kept nor brought back.
        kept: mapped_image(config, kept_on, &kept),
        kept_on,
        lost: mapped_image(config, kept_on.other(), &lost),
        reversed: None,
        unreadable: None,
    };
    store(ports, context, conflict).await
}

/// This write wins: what the other app has is lost.
async fn lost_there<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    origin: SideIx,
    image: &Image,
) -> Result<Option<(Image, Image)>, (SideIx, Failure)> {
    let other = origin.other();
    let config = &context.map.config;
    // A record that cannot be mapped overwrites nothing.
    let Ok(wanted) = translate(config, origin, image) else { return Ok(None) };
    let there = read(ports, context, other).await.map_err(|failure| (other, failure))?;
    let same = content(config, other, &there) == content(config, other, &wanted);
    Ok((!same).then(|| (image.clone(), there)))
}

/// The other change wins: what this write's own app has is lost.
async fn lost_here<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    origin: SideIx,
) -> Result<Option<(Image, Image)>, (SideIx, Failure)> {
    let other = origin.other();
    let config = &context.map.config;
    let there = read(ports, context, other).await.map_err(|failure| (other, failure))?;
    let Ok(wanted) = translate(config, other, &there) else { return Ok(None) };
    let here = read(ports, context, origin).await.map_err(|failure| (origin, failure))?;
    let same = content(config, origin, &here) == content(config, origin, &wanted);
    Ok((!same).then_some((there, here)))
}

async fn store<P: Ports>(ports: &P, context: &mut AttemptContext<'_>, conflict: Conflict) -> Result<(), EarlyStop> {
    let (known, conflict) = (&*context, &conflict);
    let stored = cas::retry(ports, cas::SETTLE, (known.head.clone(), false), |(mut head, again)| async move {
        if again {
            match ports.lanes().head(known.lane).await {
                Ok(Some((now, _))) if is_ours(&now, known) => head = now,
                Ok(_) => return Err(EarlyStop::ByJournal),
                // The known head may still be the stored one: try it.
                Err(_) => {}
            }
        }
        let (next, entry, effects) = note_conflict(&head, &known.entry, conflict.clone());
        let commit = ports.lanes().commit(known.lane, Commit::of(Some(&head), next.clone(), effects)).await;
        Ok(match commit {
            Ok(()) => Round::Done((next, entry)),
            Err(_) => Round::Again(RetryCause::Stale, (head, true)),
        })
    });
    (context.head, context.entry) = stored.await?;
    Ok(())
}

/// Whether the attempt still holds the lane's lease.
fn is_ours(head: &Head, context: &AttemptContext<'_>) -> bool {
    head.held_by(context.owner)
}
