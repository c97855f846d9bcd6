//! What an entry writes where, and when a write has crossed one of the other side.

use crate::list::List;
use crate::setup::{Crossing, Doubt, Policy, Setup};
use crate::state::{Content, Entry, EntryNo, ErrorDisposition, GENERATION, Id, Side, State};

/// The calls of one entry, in order: side and value (`None`: the record is not there).
pub(crate) type Plan = List<(Side, Option<Id>), 2>;

pub(crate) fn plan(setup: &Setup, log: &[Entry], entry: EntryNo) -> Plan {
    let before = &log[..usize::from(entry)];
    let Entry { content, origin, crossing, .. } = log[usize::from(entry)];
    let mut plan = Plan::default();
    match content {
        Content::RestoreOrigin => plan.push((origin, last_value(setup, before))),
        Content::RestoreBoth => {
            plan.push((origin, last_value(setup, before)));
            plan.push((origin.other(), last_value(setup, before)));
        }
        Content::Write(_) if gives_way(setup, &log[usize::from(entry)]) => {
            plan.push((origin, last_value(setup, before)));
        }
        Content::Write(id) => {
            plan.push((origin.other(), Some(id)));
            if crossing {
                plan.push((origin, Some(id)));
            }
        }
    }
    plan
}

/// The value that stands after these entries: that of the newest write which was applied and did not give way.
pub(crate) fn last_value(setup: &Setup, log: &[Entry]) -> Option<Id> {
    log.iter().rev().find_map(|entry| match entry.content {
        Content::Write(id) if entry.fate == ErrorDisposition::Applied && !gives_way(setup, entry) => Some(id),
        _ => None,
    })
}

/// Whether a write of `origin`, whose app had received entries up to `base` when it committed, is a crossing one.
pub(crate) fn crosses(setup: &Setup, state: &State, origin: Side, base: i8) -> bool {
    let log = &state.log;
    // The head knows nothing of the entries that came before it was made anew.
    let forgotten = log.len() as i8 - state.head.next_seq % GENERATION;
    if setup.lost_memory_counts && forgotten > 0 && base < forgotten {
        return true;
    }
    let known = (0..).zip(log.iter()).filter(|(place, _)| *place >= forgotten);
    let mut written_back = known.filter(|(_, entry)| writes_to(setup, entry, origin));
    match setup.crossing {
        Crossing::Never => false,
        Crossing::Always => true,
        Crossing::BehindOpenEntry => log.iter().any(|entry| is_open(entry) && entry.origin != origin),
        Crossing::BehindLastEntry => log.last().is_some_and(|entry| entry.origin != origin),
        Crossing::EverWritten => written_back.next().is_some(),
        Crossing::SinceBase(doubt) => written_back.any(|(place, entry)| {
            let in_doubt = match doubt {
                Doubt::None => false,
                Doubt::Open => is_open(entry),
                Doubt::Marked => entry.marked,
                Doubt::OpenOrMarked => is_open(entry) || entry.marked,
                Doubt::OpenOrMarkedBase => place == base && (is_open(entry) || entry.marked),
            };
            place > base || in_doubt
        }),
    }
}

fn is_open(entry: &Entry) -> bool {
    entry.fate == ErrorDisposition::Open
}

/// Primary wins: a crossing write of the other side only puts its own side back.
fn gives_way(setup: &Setup, entry: &Entry) -> bool {
    entry.crossing && setup.policy == Policy::PrimaryWins && entry.origin != Side::A
}

fn writes_to(setup: &Setup, entry: &Entry, side: Side) -> bool {
    match entry.content {
        Content::RestoreBoth => true,
        Content::RestoreOrigin => side == entry.origin,
        Content::Write(_) if gives_way(setup, entry) => side == entry.origin,
        Content::Write(_) => entry.crossing || side != entry.origin,
    }
}
