//! What becomes of an entry whose call failed, and what its caller is told.

use super::Mode;
use crate::{failure::CallEffect, map::OnUnavailable};

/// What becomes of an entry whose call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    /// 422: the entry is over, and its caller rolls back.
    Reject,
    /// 503: the caller rolls back. If the outcome is unknown, the lane keeps an entry that restores the target.
    ReturnUnavailable,
    /// 202: the lane waits for an operator.
    Park,
    /// 202: the entry stays, and is tried again after a backoff.
    Retry,
}

/// The entry, as far as the policy depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedEntry {
    /// Whether its caller can still roll back. A restore has no caller: committed.
    pub(super) mode: Mode,
    /// The failed call was the first one of a direct write, and its outcome was never unknown: no app can have the entry.
    pub(super) first_call: bool,
    /// One of the apps has it.
    pub(super) half_written: bool,
    /// One of the apps made the change.
    pub(super) has_origin: bool,
}

/// Chooses the policy. After the first call "nothing happened" would be a guess, so the caller is told to roll back only
/// then.
pub(super) fn choose_policy(effect: CallEffect, entry: FailedEntry, on_unavailable: OnUnavailable) -> Policy {
    let rolls_back = entry.mode == Mode::Sync && entry.first_call;
    match effect {
        CallEffect::Refused if rolls_back && !entry.half_written => Policy::Reject,
        CallEffect::Refused => Policy::Park,
        CallEffect::NotApplied | CallEffect::Unknown => match on_unavailable {
            OnUnavailable::Fail if rolls_back && entry.has_origin => Policy::ReturnUnavailable,
            OnUnavailable::Fail | OnUnavailable::Queue => Policy::Retry,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallEffect::{NotApplied, Refused, Unknown};
    use Policy::{Park, Reject, Retry, ReturnUnavailable};

    const SYNC: FailedEntry = FailedEntry { mode: Mode::Sync, first_call: true, half_written: false, has_origin: true };
    const COMMITTED: FailedEntry = FailedEntry { mode: Mode::Committed, ..SYNC };
    /// A later attempt, or one whose outcome was unknown before.
    const DRAINED: FailedEntry = FailedEntry { first_call: false, ..SYNC };

    /// The table of ARCHITECTURE, *One write*: a direct `sync` call, a `committed` one, and one in a drain.
    #[test]
    fn the_policy_is_the_table_of_the_architecture() {
        for (effect, direct_sync, committed, drained) in
            [(Refused, Reject, Park, Park), (NotApplied, Retry, Retry, Retry), (Unknown, Retry, Retry, Retry)]
        {
            let policy = |entry| choose_policy(effect, entry, OnUnavailable::Queue);
            assert_eq!(
                (policy(SYNC), policy(COMMITTED), policy(DRAINED)),
                (direct_sync, committed, drained),
                "{effect:?}"
            );
        }
    }

    #[test]
    fn a_map_that_fails_when_an_app_is_unavailable_tells_only_a_caller_that_can_roll_back() {
        for effect in [NotApplied, Unknown] {
            let policy = |entry| choose_policy(effect, entry, OnUnavailable::Fail);
            assert_eq!(policy(SYNC), ReturnUnavailable, "{effect:?}");
            let of_neither_app = FailedEntry { has_origin: false, ..SYNC };
            for entry in [COMMITTED, DRAINED, of_neither_app] {
                assert_eq!(policy(entry), Retry, "{effect:?}, {entry:?}");
            }
        }
        assert_eq!(choose_policy(Refused, SYNC, OnUnavailable::Fail), Reject);
    }

    #[test]
    fn what_one_app_has_is_never_rolled_back() {
        let half_written = FailedEntry { half_written: true, has_origin: false, ..SYNC };
        assert_eq!(choose_policy(Refused, half_written, OnUnavailable::Queue), Park);
    }
}
