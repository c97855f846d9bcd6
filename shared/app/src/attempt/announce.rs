//! The lane learns what a copy brings before the app does.

use domain::{
    ContentHash,
    lane::{Head, announce_copy},
    map::SideIx,
};

use super::AttemptContext;
use crate::{
    cas::{self, RetriesExhausted, RetryCause, Round},
    ports::{Commit, Lanes, Ports},
};

/// Stores what the attempt is about to write to a side. An app may report it before the call has returned: the lane must know
/// by then that it is an echo. After a crash, whoever takes the lane over finds there what may have been written.
pub(super) async fn announce<P: Ports>(
    ports: &P,
    context: &AttemptContext<'_>,
    to: SideIx,
    content: ContentHash,
) -> Result<Head, RetriesExhausted> {
    cas::retry(ports, cas::SETTLE, (context.head.clone(), false), |(mut head, again)| async move {
        // If the journal does not answer, the known head may still be the stored one: try it.
        if again && let Ok(Some((now, _))) = ports.lanes().head(context.lane).await {
            head = now;
        }
        let Some(next) = announce_copy(&head, context.owner, to, content) else {
            return Err(RetriesExhausted(RetryCause::Stale));
        };
        let commit = ports.lanes().commit(context.lane, Commit::of(Some(&head), next.clone(), Vec::new())).await;
        Ok(match commit {
            Ok(()) => Round::Done(next),
            Err(_) => Round::Again(RetryCause::Stale, (head, true)),
        })
    })
    .await
}
