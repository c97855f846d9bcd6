//! Bugs that can be put into a simulated world, to see that the checks find them: a check that cannot fail shows nothing.

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Commits are stored whatever version they are based on.
    CommitIgnoresVersion,
    /// A commit stores its head and forgets the entries that go with it.
    CommitForgetsEntries,
    /// An archived entry is taken out of the journal and stored nowhere.
    ArchiveForgets,
    /// Nothing is found by the id of a write that was queued, nor among the last answers.
    IdsAreForgotten,
    /// An app says that it has a change, and has not.
    AppLies,
    /// An app that says it honours the idempotency key does not.
    AppIgnoresKey,
    /// Functions never see that the map is paused.
    PauseIsNotSeen,
    /// A map is saved whatever version it is based on.
    MapIgnoresVersion,
    /// A cut covers what was accepted after the resume, too.
    CutCoversAll,
    /// The index of open lanes is empty, and so is every queue.
    NothingIsFound,
    /// The end of a catch-up is never noted.
    NeverCaughtUp,
    /// Received pointers are never deleted.
    PointersStay,
}
