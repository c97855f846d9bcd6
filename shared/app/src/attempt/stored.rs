//! Whether a settlement was stored although the journal's answer to it was lost.

use domain::lane::{Answer, Entry, Head, RestoreCause, Work};

use super::AttemptContext;
use crate::ports::{Lanes, PortError, Ports};

/// The answer of this very settlement, if it was stored; `None` when somebody else took the lane over. `told` is what its
/// caller would have been told.
pub(super) async fn find_answer<P: Ports>(
    ports: &P,
    head: &Head,
    context: &AttemptContext<'_>,
    told: Option<Answer>,
) -> Result<Option<Answer>, PortError> {
    let Some(write) = context.entry.write() else { return Ok(None) };
    if let Some(known) = head.recent.get(write.id) {
        let answer = Answer::replay(&known.outcome, head.version_of(known.seq), Some(context.entry.id));
        return Ok(Some(answer));
    }
    // A write that was answered 503 is not remembered. Whoever takes the lane over never answers so: an entry that is gone, or
    // that undoes the write, is this settlement's.
    let Some(told @ Answer::Unavailable { .. }) = told else { return Ok(None) };
    let seq = context.entry.seq;
    if head.done_seq >= seq {
        return Ok(Some(told));
    }
    let undoes = |entry: &Entry| {
        let cause = RestoreCause::CallerRollsBack;
        entry.id == context.entry.id && matches!(&entry.work, Work::Restore { cause: why, .. } if *why == cause)
    };
    let stored = ports.lanes().entry(context.lane, seq).await?;
    Ok(stored.as_ref().is_some_and(undoes).then_some(told))
}
