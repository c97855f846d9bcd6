//! Changes of a map's state: one compare-and-set for operators, rules, the drain and the auto-resume.

use std::future::Future;

use domain::{Map, MapState, log::Activity};

use crate::{
    cas::{self, RetriesExhausted, RetryCause, Round},
    ports::{CommitError, Config, PortError, Ports, WakeUps},
};

/// What happens when somebody else changed the map first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnStale {
    /// Read the map again and decide again: the command still holds.
    ReadAgain,
    /// Leave it: the decision held for the map as it was, and for nothing else.
    GiveWay,
}

/// How a change of state ended.
pub(crate) enum StateChange<S> {
    /// The map was saved in this state.
    Saved(Box<Map>),
    /// The decision was to leave the map as it is, and this is why.
    Stayed(S),
    /// Somebody else changed the map first.
    GaveWay,
}

/// The decision about a map that was read.
pub(crate) enum Decision<S> {
    /// It changes.
    Change {
        /// The map as it was read.
        map: Box<Map>,
        /// The map as it shall be.
        next: Box<Map>,
    },
    /// It stays as it is, for this reason.
    Stay(S),
}

impl<S> Decision<S> {
    pub(crate) fn change(map: Map, next: Box<Map>) -> Self {
        Self::Change { map: Box::new(map), next }
    }
}

/// Reads a map and decides on its next state, and saves it together with its line in the activity log. Wakes the drain when
/// the map catches up.
///
/// # Errors
/// `read_and_decide` failed, the store did not answer, or others kept changing the map.
pub(crate) async fn change_state<P, S, E, F>(
    ports: &P,
    on_stale: OnStale,
    read_and_decide: impl Fn() -> F + Send + Sync,
) -> Result<StateChange<S>, E>
where
    P: Ports,
    E: From<PortError> + From<RetriesExhausted>,
    F: Future<Output = Result<Decision<S>, E>>,
{
    let read_and_decide = &read_and_decide;
    cas::retry(ports, cas::RECORD, (), |()| async move {
        let (map, next) = match read_and_decide().await? {
            Decision::Change { map, next } => (map, next),
            Decision::Stay(why) => return Ok(Round::Done(StateChange::Stayed(why))),
        };
        match ports.config().save_map(&next, map.version, &Activity::of_state(map.state, &next)).await {
            Ok(()) => {
                if next.state == MapState::CatchingUp {
                    wake_drain(ports, &next).await;
                }
                Ok(Round::Done(StateChange::Saved(next)))
            }
            Err(CommitError::Stale | CommitError::Duplicate) if on_stale == OnStale::ReadAgain => {
                Ok(Round::Again(RetryCause::Stale, ()))
            }
            Err(CommitError::Stale | CommitError::Duplicate) => Ok(Round::Done(StateChange::GaveWay)),
            Err(CommitError::Port(error)) => Err(error.into()),
        }
    })
    .await
}

async fn wake_drain<P: Ports>(ports: &P, map: &Map) {
    if let Err(error) = ports.wakes().wake_map(&map.id).await {
        tracing::warn!(map.id = %map.id, %error, "could not wake the drain after the resume; the next sweep drains the map");
    }
}
