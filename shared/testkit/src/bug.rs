//! Bugs that can be put into the fakes of a simulated world, to see that the checks find them.
//!
//! There are two kinds. A *breach of contract* is a store or an app that does not keep its word. A *lie* makes a port
//! behave as if the production code had made a mistake: a worker that is told "the lease has ended" takes the lane, as
//! one that ignores leases would. So every invariant is seen to fail, and no bug is in the production code. Mistakes that
//! no port can imitate are patches, under `shared/testkit/mistakes`.

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    // Breaches of contract.
    /// Apps do not report what Tandem writes, and their sides' settings say that they do.
    SilenceIsNotKnown,
    /// Commits are stored whatever version they are based on.
    CommitIgnoresVersion,
    /// A commit stores its head and forgets the entries that go with it.
    CommitForgetsEntries,
    /// An app says that it has a change, and has not.
    AppLies,
    /// An app that says it honours the idempotency key does not.
    AppIgnoresKey,
    /// An app that answers with tags writes whatever tag a call names.
    AppIgnoresTag,
    /// A map is saved whatever version it is based on.
    MapIgnoresVersion,
    /// The index of open lanes is empty, and so is every queue.
    NothingIsFound,
    /// Received pointers are never deleted.
    PointersStay,

    // Lies about commits.
    /// A write is acknowledged as queued though its commit met a conflict.
    ConflictIsAcknowledged,
    /// The archive forgets the entries that a lane gives up.
    ArchiveForgets,
    /// The end of an entry ends the next one, too.
    EndTakesTwo,
    /// A lane forgets its final answers.
    AnswersAreForgotten,
    /// What restores an app after a 503 is forgotten.
    RestoreIsForgotten,
    /// Nobody waits until a lost call to a plain app can no longer land.
    LandingIsIgnored,

    // Lies about a lane as it is read.
    /// A lane is taken from its holder before the lease has ended.
    LeaseIsNotAwaited,
    /// A lease never ends.
    LeaseNeverEnds,
    /// An idle lane starts again at its first place.
    IdleLaneBeginsAnew,

    // Lies about a map.
    /// A paused map is taken for a running one.
    PauseIsNotSeen,
    /// A stopped map is taken for a running one.
    StopIsNotSeen,
    /// A map is read without its primary side.
    PrimaryIsNotKnown,
    /// A map that fails when an app is away is read as one that queues.
    FailIsNotKnown,
    /// A cut takes along what was accepted after the resume.
    CutCoversAll,
    /// A function keeps the map that it read first.
    MapIsNeverReadAgain,
    /// A paused map runs at once when it is resumed.
    ResumeRunsAtOnce,
    /// A change of state does not raise the epoch.
    EpochStands,
    /// The end of a catch-up is not stored.
    CatchUpHasNoEnd,

    /// What a stopped map skips is not counted.
    SkippedIsNotCounted,

    // Lies about calls, the index, the schedule and the rules.
    /// Each attempt has an idempotency key of its own.
    FreshKeyPerAttempt,
    /// A call that certainly had no effect is taken for a success.
    NotAppliedIsDone,
    /// The index of open lanes is empty; the queues are not.
    IndexIsNotAsked,
    /// The sweep does nothing.
    SweepIsIdle,
    /// There are no rules when errors are judged.
    NothingIsJudged,
    /// A threshold must be exceeded.
    ThresholdIsExceeded,
    /// Each attempt of a write counts as a write.
    AttemptsAreWrites,
}
