//! What becomes of an entry whose call failed, and what its caller is told.

use super::Mode;
use crate::{
    Failure,
    failure::{CallEffect, ErrorClass},
    id::LogId,
    limits::{PARK_AFTER_ATTEMPTS, PARK_AFTER_BROKEN_ATTEMPTS},
    map::OnUnavailable,
    time::Timestamp,
};

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
    /// The app failed again and again on this record, and took others meanwhile: see [`fails_alone`].
    pub(super) fails_alone: bool,
    /// One of the apps made the change.
    pub(super) has_origin: bool,
}

/// Chooses the policy. After the first call "nothing happened" would be a guess, so the caller is told to roll back only
/// then.
pub(super) fn choose_policy(effect: CallEffect, entry: FailedEntry, on_unavailable: OnUnavailable) -> Policy {
    let rolls_back = entry.mode == Mode::Sync && entry.first_call;
    match effect {
        // What a sync run copies ends, and the run says so: the record must not wait for an operator, for it can be read again.
        CallEffect::Refused if entry.mode == Mode::Copied => Policy::Reject,
        CallEffect::NotApplied | CallEffect::Unknown if entry.mode == Mode::Copied && entry.fails_alone => {
            Policy::Reject
        }
        CallEffect::NotApplied if entry.mode == Mode::Copied && entry.first_call => Policy::ReturnUnavailable,
        CallEffect::NotApplied | CallEffect::Unknown if entry.mode == Mode::Copied => Policy::Retry,
        CallEffect::Refused if rolls_back && !entry.half_written => Policy::Reject,
        CallEffect::Refused => Policy::Park,
        CallEffect::NotApplied | CallEffect::Unknown if entry.fails_alone => Policy::Park,
        CallEffect::NotApplied | CallEffect::Unknown => match on_unavailable {
            OnUnavailable::Fail if rolls_back && entry.has_origin => Policy::ReturnUnavailable,
            OnUnavailable::Fail | OnUnavailable::Queue => Policy::Retry,
        },
    }
}

/// Whether a record fails for a reason of its own: its app has failed on it for so many attempts, and has taken another record
/// since the oldest failure that the head remembers. Connections that break usually tell of the whole side; a record that
/// takes the app down each time is found by more attempts, all of the last ones broken. Other side-wide failures say nothing about
/// the record.
pub(super) fn fails_alone(
    failure: &Failure,
    attempts: u32,
    remembered: &[(LogId, ErrorClass)],
    last_taken: Option<Timestamp>,
) -> bool {
    let breaks = failure.class == ErrorClass::Network && failure.effect == CallEffect::Unknown;
    let broke = remembered.iter().all(|(_, class)| *class == ErrorClass::Network);
    let enough = if failure.is_side_wide() {
        breaks && broke && attempts >= PARK_AFTER_BROKEN_ATTEMPTS
    } else {
        attempts >= PARK_AFTER_ATTEMPTS
    };
    let oldest = remembered.first().map(|(id, _)| id.at());
    enough && oldest.zip(last_taken).is_some_and(|(oldest, taken)| taken > oldest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use CallEffect::{NotApplied, Refused, Unknown};
    use Policy::{Park, Reject, Retry, ReturnUnavailable};

    const SYNC: FailedEntry =
        FailedEntry { mode: Mode::Sync, first_call: true, half_written: false, fails_alone: false, has_origin: true };
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

    #[test]
    fn a_record_that_fails_alone_waits_for_an_operator() {
        let alone = FailedEntry { fails_alone: true, ..DRAINED };
        for effect in [Refused, NotApplied, Unknown] {
            assert_eq!(choose_policy(effect, alone, OnUnavailable::Queue), Park, "{effect:?}");
        }
    }

    #[test]
    fn a_record_fails_alone_when_its_app_has_taken_another_since() {
        use crate::failure::ErrorClass as C;
        let (early, late) = (Timestamp(5), Some(Timestamp(6)));
        let failed_at = |at, class| [(LogId::first_at(at), class); 4];
        let failure = |class, effect| Failure::new(class, effect, None, "no");
        let own = failure(C::OtherHttp, Unknown);
        let once = failed_at(early, C::OtherHttp);
        assert!(fails_alone(&own, 5, &once, late));
        assert!(!fails_alone(&own, 4, &once, late), "too few attempts");
        let later = failed_at(Timestamp(6), C::OtherHttp);
        assert!(!fails_alone(&own, 50, &later, Some(early)), "since then the app has taken none");
        assert!(!fails_alone(&own, 50, &once, Some(early)) && !fails_alone(&own, 50, &once, None));
        assert!(!fails_alone(&own, 50, &[], late));
        let (broken, broke) = (failure(C::Network, Unknown), failed_at(early, C::Network));
        assert_eq!([7, 8].map(|attempts| fails_alone(&broken, attempts, &broke, late)), [false, true]);
        let mixed = [broke[0], broke[1], once[2], broke[3]];
        assert!(!fails_alone(&broken, 50, &mixed, late), "a side that fails in several ways is in trouble itself");
        for (class, effect) in
            [(C::Network, NotApplied), (C::Throttled, NotApplied), (C::Auth, NotApplied), (C::Unavailable, Unknown)]
        {
            assert!(!fails_alone(&failure(class, effect), 50, &broke, late), "{class}");
        }
        let known_caller = Failure::new(C::Auth, NotApplied, Some("0x80040220".to_owned()), "no right to write");
        assert!(fails_alone(&known_caller, 5, &once, late));
        let status_alone = Failure { code: Some("403".to_owned()), ..known_caller };
        assert!(!fails_alone(&status_alone, 50, &once, late), "it may not know us at all");
    }
}
