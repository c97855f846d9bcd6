//! `resume-drain`'s use cases: go on with one lane, and the sweep that finds what a crash or a lost message left.

use domain::{
    MapId, Owner, Timestamp,
    lane::{Claim, claim, lease_ms},
    map::Intake,
};
use futures::{StreamExt, stream};

use crate::{
    attempt::{InFlight, execute},
    ports::{Commit, CommitError, Config, LaneKey, Lanes, MapWithSides, PortError, Ports},
};

/// Lanes worked on at the same time: enough to hide the apps' latency, few enough not to flood an app that came back.
const LANES_AT_ONCE: usize = 8;
/// Lanes of one map taken from the index at a time.
const LANES_PER_LOOK: usize = 200;
/// How often a lane is looked at anew because somebody else changed it.
const MAX_CONFLICTS: u32 = 10;

/// Where a lane was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneEnd {
    /// Nothing waits in it any more.
    Idle,
    /// Its next entry waits for an operator.
    Parked,
    /// Another attempt holds it, or the next one is not due yet.
    NotYet,
    /// An attempt failed; the lane waits for the next one.
    Failing,
    /// The map does not write at the moment.
    MapNotRunning,
    /// The time was up.
    OutOfTime,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Lanes looked at.
    pub lanes: u64,
    /// Entries that were attempted.
    pub attempts: u64,
    /// Lanes that have nothing waiting any more.
    pub idle: u64,
    /// Lanes whose attempt failed.
    pub failing: u64,
    /// Lanes that wait for an operator.
    pub parked: u64,
}

/// Goes on with one lane, strictly in order, until nothing waits or `until` is reached.
///
/// # Errors
/// The journal or the configuration cannot be reached. Nothing is lost: the sweep comes back to the lane.
pub async fn run_lane<P: Ports>(ports: &P, lane: &LaneKey, until: Timestamp) -> Result<(LaneEnd, u64), PortError> {
    let mut attempts = 0;
    let mut conflicts = 0;
    while ports.now() < until {
        // Read anew for every entry: a pause or stop holds from the next entry on.
        let Some(map) = ports.config().map(&lane.map).await? else { return Ok((LaneEnd::MapNotRunning, attempts)) };
        if map.map.state.intake() != Intake::Write {
            return Ok((LaneEnd::MapNotRunning, attempts));
        }
        match take(ports, lane, &map).await? {
            Taken::End(end) => return Ok((end, attempts)),
            Taken::Conflict if conflicts >= MAX_CONFLICTS => return Ok((LaneEnd::NotYet, attempts)),
            Taken::Conflict => {
                conflicts += 1;
                ports.pause(10 << conflicts.min(5)).await;
            }
            Taken::Flight(flight) => {
                attempts += 1;
                // Boxed: the compiler lays out futures by value, and this one holds all of the apps' client.
                let ended = Box::pin(execute(ports, *flight)).await;
                let parked = ended.head.as_ref().is_some_and(|head| head.parked);
                match (ended.clean, ended.head) {
                    (true, Some(_)) => {}
                    (false, Some(_)) if parked => return Ok((LaneEnd::Parked, attempts)),
                    (_, Some(_)) => return Ok((LaneEnd::Failing, attempts)),
                    (_, None) => return Ok((LaneEnd::NotYet, attempts)),
                }
            }
        }
    }
    Ok((LaneEnd::OutOfTime, attempts))
}

enum Taken<'a> {
    End(LaneEnd),
    Conflict,
    Flight(Box<InFlight<'a>>),
}

async fn take<'a, P: Ports>(ports: &P, lane: &'a LaneKey, map: &'a MapWithSides) -> Result<Taken<'a>, PortError> {
    let Some((head, _)) = ports.lanes().head(lane).await? else { return Ok(Taken::End(LaneEnd::Idle)) };
    if head.map != map.map.uid {
        return Ok(Taken::End(LaneEnd::Idle)); // a lane of an earlier map of that name
    }
    let owner = Owner(ports.fresh_id());
    let lease = lease_ms([&map.sides[0].config, &map.sides[1].config]);
    let mut claimed = claim(&head, None, &map.map, owner, ports.now(), lease);
    if let Claim::NeedsEntry(seq) = claimed {
        let stored = ports.lanes().entry(lane, seq).await?;
        claimed = claim(&head, stored.as_ref(), &map.map, owner, ports.now(), lease);
    }
    match claimed {
        Claim::Idle => Ok(Taken::End(LaneEnd::Idle)),
        Claim::Parked => Ok(Taken::End(LaneEnd::Parked)),
        Claim::NotYet(_) => Ok(Taken::End(LaneEnd::NotYet)),
        Claim::NeedsEntry(_) => Ok(Taken::Conflict), // finished since the head was read: look again, never skip
        Claim::Taken { head: taken, entry } => {
            let commit = Commit { head: (*taken).clone(), expected: head.version, ops: Vec::new() };
            match ports.lanes().commit(lane, commit).await {
                Ok(()) => {}
                Err(CommitError::Conflict | CommitError::Duplicate) => {
                    // Perhaps this very commit was stored and its answer lost; then the lease is ours after all.
                    let again = ports.lanes().head(lane).await?;
                    if again.is_none_or(|(head, _)| !head.held_by(owner)) {
                        return Ok(Taken::Conflict);
                    }
                }
                Err(CommitError::Port(error)) => return Err(error),
            }
            Ok(Taken::Flight(Box::new(InFlight { lane, map, head: *taken, entry: *entry, owner, in_call: false })))
        }
    }
}

/// Goes on with every lane of every running map that has something to do, several at a time.
///
/// # Errors
/// The configuration cannot be read. What goes wrong in one map or lane is logged and does not stop the others.
pub async fn sweep<P: Ports>(ports: &P, until: Timestamp) -> Result<Drained, PortError> {
    let mut all = Drained::default();
    for map in ports.config().maps().await? {
        if map.map.state.intake() != Intake::Write {
            continue;
        }
        match Box::pin(sweep_map(ports, &map, until)).await {
            Ok(drained) => all = all.plus(drained),
            Err(error) => tracing::error!(map.id = %map.map.id, %error, "the lanes of a map could not be swept"),
        }
    }
    Ok(all)
}

async fn sweep_map<P: Ports>(ports: &P, map: &MapWithSides, until: Timestamp) -> Result<Drained, PortError> {
    let mut all = Drained::default();
    loop {
        let lanes = ports.lanes().due(&map.map, ports.now(), LANES_PER_LOOK).await?;
        let full = lanes.len() == LANES_PER_LOOK;
        let runs = lanes.into_iter().map(|lane| async move { (Box::pin(run_lane(ports, &lane, until)).await, lane) });
        let mut runs = stream::iter(runs).buffer_unordered(LANES_AT_ONCE);
        let mut moved = false;
        while let Some((run, lane)) = runs.next().await {
            match run {
                Ok((end, attempts)) => {
                    moved |= attempts > 0;
                    all = all.plus(Drained::one(end, attempts));
                }
                Err(error) => tracing::error!(map.id = %lane.map, %error, "a lane could not be worked on"),
            }
        }
        // The index may lag: without progress another look would find the same lanes again.
        if !full || !moved || ports.now() >= until {
            return Ok(all);
        }
    }
}

impl Drained {
    fn one(end: LaneEnd, attempts: u64) -> Self {
        let is = |wanted| u64::from(end == wanted);
        let (idle, failing, parked) = (is(LaneEnd::Idle), is(LaneEnd::Failing), is(LaneEnd::Parked));
        Self { lanes: 1, attempts, idle, failing, parked }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            lanes: self.lanes + other.lanes,
            attempts: self.attempts + other.attempts,
            idle: self.idle + other.idle,
            failing: self.failing + other.failing,
            parked: self.parked + other.parked,
        }
    }
}

/// The lane that a wake-up call names.
///
/// # Errors
/// Says what is wrong with the names.
pub fn named_lane(map: &str, key: &str) -> Result<LaneKey, String> {
    let map: MapId = map.parse().map_err(|says| format!("map {says}"))?;
    let key = key.parse().map_err(|says| format!("key {says}"))?;
    Ok(LaneKey { map, key })
}
