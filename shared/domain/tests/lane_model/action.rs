//! The steps of a run, as they stand in a trace.

use std::fmt;

use crate::recent::Outcome;
use crate::state::{Actor, EntryNo, MapState, Seq, Side};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Pause,
    Resume,
    CatchUpEnds,
    HeadExpires,
    LateCallVanishes(EntryNo),
    LateCallLands(EntryNo, Side),
    OperatorRetries,
    OperatorSkips(EntryNo),
    SweepSends(Seq),
    SweepMovesInFlight(EntryNo),
    /// A received FIFO message becomes visible again.
    PointerVisibleAgain,
    By(Actor, Act),
}

/// What a writer or a drain worker does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Act {
    Commits(Side),
    Replays(Outcome),
    Answers202InFlight,
    Answers409Evicted,
    ReadsIdleHead,
    OverwritesHead(EntryNo),
    PutsInFlight { entry: EntryNo, crossing: bool },
    Appends { entry: EntryNo, crossing: bool },
    LeasesOwn(EntryNo),
    RereadsMap(MapState),
    SendsPointer(Seq),
    LosesPointer,

    Receives(Seq),
    LeavesPointer(Seq),
    DeletesPointer(Seq),
    Leases(EntryNo),
    TakesOver(EntryNo),

    Calls(EntryNo, Side),
    CallFails(EntryNo),
    CallUnknownWithEffect(EntryNo),
    CallUnknownInNetwork(EntryNo),
    CallRefused(EntryNo),
    CrashesBeforeCall(EntryNo),
    CrashesAfterCall(EntryNo),
    CrashesCallInNetwork(EntryNo),
    Crashes,
    HasLostLease(EntryNo),
    MarksDone(EntryNo),
    Releases(EntryNo),
    Parks(EntryNo),
    Answers422(EntryNo),
}

impl Action {
    /// Faults may happen but nobody can count on them: they do not help to reach a quiet state.
    pub(crate) fn is_fault(self) -> bool {
        match self {
            Self::HeadExpires => true,
            Self::By(_, act) => matches!(
                act,
                Act::LosesPointer
                    | Act::CallFails(_)
                    | Act::CallUnknownWithEffect(_)
                    | Act::CallUnknownInNetwork(_)
                    | Act::CallRefused(_)
                    | Act::CrashesBeforeCall(_)
                    | Act::CrashesAfterCall(_)
                    | Act::CrashesCallInNetwork(_)
                    | Act::Crashes
            ),
            _ => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pause => f.write_str("PAUSE"),
            Self::Resume => f.write_str("RESUME"),
            Self::CatchUpEnds => f.write_str("catch-up ends"),
            Self::HeadExpires => f.write_str("idle head expires"),
            Self::LateCallVanishes(entry) => write!(f, "late call #{entry} vanishes"),
            Self::LateCallLands(entry, side) => write!(f, "LATE CALL #{entry} lands at {side:?}"),
            Self::OperatorRetries => f.write_str("operator retries"),
            Self::OperatorSkips(entry) => write!(f, "operator skips #{entry}"),
            Self::SweepSends(seq) => write!(f, "sweep sends pointer {seq}"),
            Self::SweepMovesInFlight(entry) => {
                write!(f, "sweep moves in-flight #{entry} to the queued entries")
            }
            Self::PointerVisibleAgain => f.write_str("visibility timeout"),
            Self::By(Actor::Writer(number), act) => write!(f, "w{number} {act}"),
            Self::By(Actor::Worker(number), act) => write!(f, "d{number} {act}"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |crossing: &bool| if *crossing { " (crossing)" } else { "" };
        match self {
            Self::Commits(side) => write!(f, "commits in app {side:?}"),
            Self::Replays(outcome) => write!(f, "id is known: {outcome:?}"),
            Self::Answers202InFlight => f.write_str("same id in flight, 202"),
            Self::Answers409Evicted => f.write_str("id may have been evicted, 409"),
            Self::ReadsIdleHead => f.write_str("reads an idle head"),
            Self::OverwritesHead(entry) => write!(f, "overwrites the head, in flight #{entry}"),
            Self::PutsInFlight { entry, crossing } => {
                write!(f, "puts #{entry} in flight{}", mark(crossing))
            }
            Self::Appends { entry, crossing } => write!(f, "appends #{entry}{}", mark(crossing)),
            Self::LeasesOwn(entry) => write!(f, "leases its own #{entry}"),
            Self::RereadsMap(map) => write!(f, "re-reads the map: {map:?}"),
            Self::SendsPointer(seq) => write!(f, "sends pointer {seq}, 202"),
            Self::LosesPointer => f.write_str("loses its pointer, 202"),
            Self::Receives(seq) => write!(f, "receives pointer {seq}"),
            Self::LeavesPointer(seq) => write!(f, "leaves pointer {seq}"),
            Self::DeletesPointer(seq) => write!(f, "deletes pointer {seq}"),
            Self::Leases(entry) => write!(f, "leases #{entry}"),
            Self::TakesOver(entry) => write!(f, "takes over with a lease on #{entry}"),
            Self::Calls(entry, side) => write!(f, "calls {side:?}<-#{entry}"),
            Self::CallFails(entry) => write!(f, "call #{entry} fails, no effect"),
            Self::CallUnknownWithEffect(entry) => write!(f, "call #{entry} times out, with effect"),
            Self::CallUnknownInNetwork(entry) => {
                write!(f, "call #{entry} times out, still in the network")
            }
            Self::CallRefused(entry) => write!(f, "call #{entry} REFUSED"),
            Self::CrashesBeforeCall(entry) => write!(f, "CRASHES before call #{entry}"),
            Self::CrashesAfterCall(entry) => write!(f, "CRASHES after call #{entry}"),
            Self::CrashesCallInNetwork(entry) => {
                write!(f, "CRASHES, call #{entry} still in the network")
            }
            Self::Crashes => f.write_str("CRASHES"),
            Self::HasLostLease(entry) => write!(f, "has lost the lease of #{entry}"),
            Self::MarksDone(entry) => write!(f, "marks #{entry} done"),
            Self::Releases(entry) => write!(f, "releases #{entry}"),
            Self::Parks(entry) => write!(f, "PARKS #{entry}"),
            Self::Answers422(entry) => write!(f, "answers 422 for #{entry}"),
        }
    }
}
