//! Asks an operator about a list that may not be what the app has. The run is paused; to resume it is to take the list as it is,
//! which it remembers.

use domain::{
    map::SideIx,
    side::Mistake,
    sync::{NoteKind, RunState, find_missing},
};

use super::{step::Draft, work::Worker};
use crate::ports::{PortError, SyncPorts, SyncRuns};

/// So many runs of the map are searched for the last one that read the list to its end.
const RUNS_SEARCHED: usize = 10;

/// A page leads to one that was read before.
pub(super) fn ask_about_loop<P: SyncPorts>(worker: &Worker<'_, P>, draft: &mut Draft, side: SideIx, page: u64) {
    let name = &worker.map.config.side(side).side;
    let why = format!("{name} gives pages in a circle: page {page} leads to one that was read before");
    worker.doubt(draft, why, side);
}

/// A page that is not the last has no rows.
pub(super) fn ask_about_empty_page<P: SyncPorts>(worker: &Worker<'_, P>, draft: &mut Draft, side: SideIx, page: u64) {
    let name = &worker.map.config.side(side).side;
    let why = format!(
        "{name} gave an empty page ({page}) that is not the last: its list may be incomplete. Resume the run to go on with the \
         next page, and with other empty pages"
    );
    worker.doubt(draft, why, side);
    draft.run.progress[side.at()].empty_pages_accepted = true;
    draft.run.note(worker.ports.now(), Some(side), NoteKind::EmptyPage { page });
}

/// The list has ended: it may have far fewer records than the app named, or than the last run met.
pub(super) async fn ask_if_short<P: SyncPorts>(
    worker: &Worker<'_, P>,
    draft: &mut Draft,
    side: SideIx,
) -> Result<(), PortError> {
    let progress = &draft.run.progress[side.at()];
    let (listed, total) = (progress.listed, progress.total);
    if progress.short_accepted {
        return Ok(());
    }
    let Some((expected, basis)) = find_missing(listed, total, read_last_size(worker, side).await?) else {
        return Ok(());
    };
    let name = &worker.map.config.side(side).side;
    let why = format!(
        "the list of {name} ended after {listed} records, and {}: it may be incomplete. Resume the run to take the list as it is; \
         otherwise cancel it",
        basis.describe(expected)
    );
    worker.doubt(draft, why, side);
    draft.run.progress[side.at()].short_accepted = true;
    draft.run.note(worker.ports.now(), Some(side), NoteKind::ShortList { listed, expected, basis });
    Ok(())
}

/// Says that the map was changed, and that a field with a winner of its own is not what it was: by the winner of the others, it would be
/// overwritten.
pub(super) fn describe_winners(mistakes: &[Mistake]) -> String {
    let told: Vec<_> = mistakes.iter().map(|mistake| format!("{} {}", mistake.field, mistake.message)).collect();
    format!("the map was changed: {}. Change it back and resume the run, or cancel the run", told.join("; "))
}

/// How many records the last run met that read the same list to its end.
async fn read_last_size<P: SyncPorts>(worker: &Worker<'_, P>, side: SideIx) -> Result<Option<u64>, PortError> {
    let run = &worker.run;
    let earlier = worker.ports.runs().runs(&worker.map.map, Some(run.id), RUNS_SEARCHED).await?;
    let last = earlier.into_iter().find(|earlier| {
        earlier.state == RunState::Finished
            && earlier.choice.selection.lists_sides()
            && run
                .memory
                .compared_by
                .is_some_and(|own| earlier.memory.compared_by.is_some_and(|by| own.lists_the_same(&by, side)))
    });
    Ok(last.map(|last| last.progress[side.at()].listed))
}
