//! The compare-and-set loop: read, decide, commit, and start over when somebody else changed the item first.
//!
//! Every change of a lane's head, of a map and of an incident is conditional on the version that was read. A use case
//! hands one round of that to [`retry`]. The round reads the item, asks whether an earlier commit of its own was stored
//! after all (each use case calls this test `is_ours`), decides, commits, and says how the round ended.
//!
//! A lost answer is not a lost commit: the SDK repeats a request whose answer did not arrive, and the repeat then fails
//! the condition that the first one has changed. That is why a stale version is a reason to look again, never to give up.

use std::future::Future;

use crate::{
    error::AppError,
    ports::{CommitError, PortError, Ports},
};

/// How often a round is repeated, and how long the loop waits in between.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Most rounds.
    rounds: u32,
    /// Most rounds whose commit the store did not answer.
    unanswered: u32,
    /// Longest wait before the second round, in milliseconds. It doubles with each further round.
    first_ms: u64,
    /// How often the wait doubles at most.
    doublings: u32,
}

/// A caller waits while many writers compete for one lane: many short rounds, for a caller that is told
/// "contended" has to send its write again.
pub(crate) const WRITE: Policy = Policy { rounds: 30, unanswered: 5, first_ms: 16, doublings: 4 };
/// An attempt has called the app: its outcome should be stored before the lease ends, else the sweep calls again.
pub(crate) const SETTLE: Policy = Policy { rounds: 12, unanswered: 12, first_ms: 10, doublings: 6 };
/// A worker and its lane: the sweep comes back to a lane that is too busy.
pub(crate) const DRAIN: Policy = Policy { rounds: 11, unanswered: 1, first_ms: 40, doublings: 4 };
/// An operator's command on a lane.
pub(crate) const COMMAND: Policy = Policy { rounds: 10, unanswered: 10, first_ms: 20, doublings: 5 };
/// A change of a map or of an incident. Few writers compete for one.
pub(crate) const RECORD: Policy = Policy { rounds: 8, unanswered: 1, first_ms: 10, doublings: 5 };

/// How a round ended.
pub(crate) enum Round<S, T> {
    /// The item is as it should be, and this is the result.
    Done(T),
    /// Somebody else changed the item, or nobody knows whether the commit was stored: read it again, with this in mind.
    Again(RetryCause, S),
}

/// Why a round has to be repeated.
pub(crate) enum RetryCause {
    /// The item has another version now.
    Stale,
    /// The store did not answer. The commit may have been stored all the same.
    Unanswered(PortError),
}

/// Why a loop ended without a result.
pub(crate) struct RetriesExhausted(pub(crate) RetryCause);

impl From<RetriesExhausted> for PortError {
    fn from(RetriesExhausted(lost): RetriesExhausted) -> Self {
        match lost {
            RetryCause::Stale => Self::Transient("others kept changing the item".to_owned()),
            RetryCause::Unanswered(error) => error,
        }
    }
}

impl From<RetriesExhausted> for AppError {
    fn from(RetriesExhausted(lost): RetriesExhausted) -> Self {
        match lost {
            RetryCause::Stale => Self::Contended,
            RetryCause::Unanswered(error) => error.into(),
        }
    }
}

/// Sorts a commit: stored, to be looked at again, or an error that no repeat will change.
pub(crate) fn stored(commit: Result<(), CommitError>) -> Result<Result<(), RetryCause>, PortError> {
    match commit {
        Ok(()) => Ok(Ok(())),
        Err(CommitError::Stale | CommitError::Duplicate) => Ok(Err(RetryCause::Stale)),
        Err(CommitError::Port(error @ PortError::Transient(_))) => Ok(Err(RetryCause::Unanswered(error))),
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// Runs rounds until one is done. Each round gets what the one before handed on. Writers that met wait for different
/// times, so that they do not meet again.
///
/// # Errors
/// A round failed in a way that no repeat changes, or there were as many rounds as the policy allows.
pub(crate) async fn retry<P, S, T, E, F>(
    ports: &P,
    policy: Policy,
    first: S,
    mut round: impl FnMut(S) -> F,
) -> Result<T, E>
where
    P: Ports,
    E: From<RetriesExhausted>,
    F: Future<Output = Result<Round<S, T>, E>>,
{
    let (mut state, mut unanswered) = (first, 0);
    for number in 1..=policy.rounds {
        let (lost, next) = match round(state).await? {
            Round::Done(result) => return Ok(result),
            Round::Again(lost, next) => (lost, next),
        };
        unanswered += u32::from(matches!(lost, RetryCause::Unanswered(_)));
        if policy.is_exhausted(number, unanswered) {
            return Err(RetriesExhausted(lost).into());
        }
        state = next;
        ports.sleep(policy.wait_ms(number, ports.fresh_id())).await;
    }
    Err(RetriesExhausted(RetryCause::Stale).into())
}

impl Policy {
    /// Whether there is no further round after so many, of which the store left some unanswered.
    fn is_exhausted(self, rounds: u32, unanswered: u32) -> bool {
        rounds >= self.rounds || unanswered >= self.unanswered
    }

    /// The wait after this round: 1 ms up to a bound that doubles, by chance.
    fn wait_ms(self, round: u32, chance: u128) -> u64 {
        let bound = self.first_ms << (round - 1).min(self.doublings);
        1 + u64::try_from(chance % u128::from(bound)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Policy; 5] = [WRITE, SETTLE, DRAIN, COMMAND, RECORD];

    #[test]
    fn a_wait_is_by_chance_and_its_bound_doubles_up_to_a_limit() {
        for policy in ALL {
            let bound = |round: u32| policy.first_ms << (round - 1).min(policy.doublings);
            for round in 1..=policy.rounds {
                let waits = [0, 1, u128::from(bound(round)) - 1, u128::MAX].map(|chance| policy.wait_ms(round, chance));
                assert!(waits.iter().all(|ms| (1..=bound(round)).contains(ms)), "{policy:?}, round {round}: {waits:?}");
                assert_eq!((waits[0], waits[1], waits[2]), (1, 2, bound(round)), "{policy:?}, round {round}");
            }
            assert_eq!(bound(policy.rounds), policy.first_ms << policy.doublings, "{policy:?} reaches its limit");
        }
    }

    #[test]
    fn a_loop_ends_after_its_rounds_or_when_the_store_does_not_answer() {
        for policy in ALL {
            assert!(!policy.is_exhausted(policy.rounds - 1, 0) && policy.is_exhausted(policy.rounds, 0), "{policy:?}");
            assert!(policy.is_exhausted(policy.unanswered, policy.unanswered), "{policy:?}");
        }
        assert!(!WRITE.is_exhausted(4, 4), "four commits without an answer are looked for");
    }

    #[test]
    fn only_an_error_that_no_repeat_changes_ends_the_loop() {
        let transient = || PortError::Transient("no answer".to_owned());
        let permanent = PortError::Permanent("not allowed".to_owned());
        assert!(matches!(stored(Ok(())), Ok(Ok(()))));
        for stale in [CommitError::Stale, CommitError::Duplicate] {
            assert!(matches!(stored(Err(stale)), Ok(Err(RetryCause::Stale))));
        }
        let unanswered = stored(Err(CommitError::Port(transient())));
        assert!(matches!(unanswered, Ok(Err(RetryCause::Unanswered(error))) if error == transient()));
        assert_eq!(stored(Err(CommitError::Port(permanent.clone()))).err(), Some(permanent));
    }
}
