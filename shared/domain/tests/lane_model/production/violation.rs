//! The ways in which a run can break a promise.

use domain::SideIx;

use super::setup::Value;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Violation {
    /// At rest the apps differ.
    AppsDiffer { a: Value, b: Value },
    /// At rest both have a value that no user saved last.
    NobodysLastEdit(Value),
    /// At rest both have a value that is not merged from what each app wins, though nobody has changed anything.
    NotMerged(Value),
    /// What no mapping carries was destroyed though its users' change of the record had been accepted and wins.
    DeletedUnderAChange(SideIx),
    /// The lane is parked, and nobody did anything wrong.
    Parked,
    /// The lane gets entry after entry from what users did long ago.
    NeverEnds,
    /// No quiet state can be reached any more.
    Stuck,
}
