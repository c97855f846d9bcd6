//! Mistakes that can be planted into the production code, so that the simulator's checks are seen to find them: a check
//! that cannot fail shows nothing.
//!
//! They hold for one thread, as a simulated world does. A release build has none of them: there [`on`] is constant, and
//! nothing can plant one. No feature, for with one the whole workspace would be built twice.

/// A mistake, each in the one line that keeps the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// A write is acknowledged as kept though its commit met a conflict.
    ConflictIsAcknowledged,
    /// What a cut takes out of a lane is put nowhere.
    ArchiveForgets,
    /// A cut takes along what was accepted after the resume.
    CutCoversAll,
    /// An app that certainly has nothing is taken to have it.
    NotAppliedIsDone,
    /// An entry is done though one of its calls is still to be made.
    LeftIsDone,
    /// A lane is taken from its holder before the lease has ended.
    LeaseIsNotAwaited,
    /// A lane that is idle begins anew, at its first place.
    IdleLaneBeginsAnew,
    /// Each attempt has a key of its own.
    FreshKeyPerAttempt,
    /// Nobody waits until a lost call to a plain app can land no more.
    LandingIsIgnored,
    /// The end of an entry ends the one behind it, too.
    EndTakesTwo,
    /// Final answers are not remembered.
    AnswersAreForgotten,
    /// An id that comes again is the same write, whatever its body.
    AnyBodyIsARepeat,
    /// The end of a catch-up is noted whatever was done to the map in the meantime.
    MapIsSavedBlindly,
    /// A paused map runs at once when it is resumed.
    ResumeRunsAtOnce,
    /// A change of state is no new epoch.
    EpochStands,
    /// A paused map is taken to write.
    PauseIsNotSeen,
    /// A lane that is parked ends the run that drains its map.
    ParkedEndsRun,
    /// A map with a parked lane is not drained.
    ParkedStopsMap,
    /// A write is executed before what waits in its lane.
    BacklogIsPassed,
    /// A record with no backlog is kept while its map catches up.
    UntouchedIsKept,
    /// Every breach opens its incident once more.
    IncidentOpensAgain,
    /// Attempts of one write are counted as writes.
    AttemptsAreWrites,
    /// A threshold must be exceeded.
    ThresholdIsExceeded,
    /// What is logged is not judged.
    NothingIsJudged,
    /// The end of a catch-up is not noted.
    CatchUpHasNoEnd,
    /// A lease that has ended holds its lane all the same.
    LeaseNeverEnds,
    /// The index of open lanes is not asked.
    IndexIsNotAsked,
    /// The sweep does nothing.
    SweepIsIdle,
    /// A write that crossed another is not written back.
    NothingIsWrittenBack,
    /// A write that crossed another is taken to have known it.
    CrossingIsNotSeen,
}

#[cfg(debug_assertions)]
mod planted {
    use std::cell::Cell;

    use super::Mutant;

    thread_local! {
        static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Whether this mistake is planted.
    #[must_use]
    pub fn on(mutant: Mutant) -> bool {
        PLANTED.get() == Some(mutant)
    }

    /// As long as this lives, the mistake is made on this thread.
    #[derive(Debug)]
    pub struct Planted(());

    /// Plants a mistake.
    #[must_use]
    pub fn plant(mutant: Mutant) -> Planted {
        PLANTED.set(Some(mutant));
        Planted(())
    }

    impl Drop for Planted {
        fn drop(&mut self) {
            PLANTED.set(None);
        }
    }
}

#[cfg(debug_assertions)]
pub use planted::{Planted, on, plant};

/// Whether this mistake is planted: never.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn on(_: Mutant) -> bool {
    false
}
