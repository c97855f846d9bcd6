//! Bugs that can be put into the fakes of a simulated world, to see that the checks find them. Mistakes in the production
//! code are in `domain::mutant`.

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Commits are stored whatever version they are based on.
    CommitIgnoresVersion,
    /// A commit stores its head and forgets the entries that go with it.
    CommitForgetsEntries,
    /// An app says that it has a change, and has not.
    AppLies,
    /// An app that says it honours the idempotency key does not.
    AppIgnoresKey,
    /// A map is saved whatever version it is based on.
    MapIgnoresVersion,
    /// The index of open lanes is empty, and so is every queue.
    NothingIsFound,
    /// Received pointers are never deleted.
    PointersStay,
}
