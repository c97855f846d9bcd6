//! Sync runs, as they are stored.

use std::future::Future;

use domain::{
    Map, MapId, RecordKey, Timestamp,
    id::SyncRunId,
    map::SideIx,
    record::ContentHash,
    sync::{FailedCopy, Finding, FindingState, SyncRun},
};

use super::{CommitError, PortError, Ports};

/// Most changes of findings in one commit: DynamoDB takes 100 items in a transaction, and the run, its place among the active
/// runs, and its claim of the map are three.
pub const FINDINGS_AT_ONCE: usize = 90;

/// The ports of sync runs.
pub trait SyncPorts: Ports {
    /// The runs.
    type Runs: SyncRuns;
    /// What wakes the workers of runs.
    type WorkItems: WorkItems;

    /// The runs.
    fn runs(&self) -> &Self::Runs;
    /// What wakes the workers of runs.
    fn work_items(&self) -> &Self::WorkItems;
}

/// Runs and what they note. Reads are strongly consistent.
pub trait SyncRuns: Sync {
    /// One run of a map.
    fn run(&self, map: &Map, id: SyncRunId) -> impl Future<Output = Result<Option<SyncRun>, PortError>> + Send;
    /// Runs of a map, newest first, older than `before`.
    fn runs(
        &self,
        map: &Map,
        before: Option<SyncRunId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<SyncRun>, PortError>> + Send;
    /// The runs of all maps that are not over.
    fn active_runs(&self) -> impl Future<Output = Result<Vec<ActiveRun>, PortError>> + Send;
    /// Takes a run from the active runs, whose map is gone.
    fn forget_active(&self, run: &ActiveRun) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Saves a run of a map, and changes of its findings with it, if what is stored has the version of `before` (`None`:
    /// nothing is stored). The line of the activity log about the change, if there is one ([`SyncRun::line_since`]), is
    /// part of the same commit. At most [`FINDINGS_AT_ONCE`] changes, those of other runs too. A new run that writes is not saved (`Stale`) while another
    /// one of its map that writes is not over, however close to each other the two begin.
    fn save_run(
        &self,
        map: &Map,
        run: &SyncRun,
        before: Option<&SyncRun>,
        changes: &[FindingChange],
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Findings of a run, in the order of their places, behind the place `after`: see [`finding_place`].
    fn findings(
        &self,
        run: SyncRunId,
        list: FindingList,
        after: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Finding>, PortError>> + Send;
    /// The failure of a record of a leg in a run, if it failed there for this cause.
    fn failure(
        &self,
        run: SyncRunId,
        cause: ContentHash,
        record: (SideIx, &RecordKey),
    ) -> impl Future<Output = Result<Option<FailedCopy>, PortError>> + Send;
}

/// A run that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveRun {
    /// Its map.
    pub map: MapId,
    /// The run.
    pub run: SyncRunId,
}

/// A change of the findings of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum FindingChange {
    /// It is noted, or takes the place of the one of the same record in the same list.
    Put(Finding),
    /// It is over.
    Delete(Finding),
    /// One of another run is over.
    DeleteOf(SyncRunId, Finding),
}

impl FindingChange {
    /// The run whose finding is changed, if `run` makes the change, and the finding.
    #[must_use]
    pub fn target(&self, run: SyncRunId) -> (SyncRunId, &Finding) {
        match self {
            Self::Put(finding) | Self::Delete(finding) => (run, finding),
            Self::DeleteOf(other, finding) => (*other, finding),
        }
    }
}

/// A sort key of DynamoDB has no more.
const MAX_PLACE_BYTES: usize = 1_024;

/// Which findings are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingList {
    /// Records that are looked at again, the first to be looked at first.
    LookAgain,
    /// Records that failed, by cause.
    Failed {
        /// Only those with this cause.
        cause: Option<ContentHash>,
    },
    /// Records that differ.
    Differs,
    /// Records that were changing at each look.
    Changing,
    /// Records whose deletion is proposed, or was decided about.
    Deletions,
}

impl FindingList {
    /// How the places of its findings begin.
    #[must_use]
    pub fn prefix(self) -> String {
        match self {
            Self::LookAgain => "L#".to_owned(),
            Self::Failed { cause: None } => "F#".to_owned(),
            Self::Failed { cause: Some(cause) } => format!("F#{cause}#"),
            Self::Differs => "D#".to_owned(),
            Self::Changing => "C#".to_owned(),
            Self::Deletions => "P#".to_owned(),
        }
    }

    /// Whether a text may be the place of one of its findings.
    #[must_use]
    pub fn begins(self, place: &str) -> bool {
        let waits = self == Self::LookAgain && is_waiting_place(place);
        (waits || place.starts_with(&self.prefix())) && place.len() <= MAX_PLACE_BYTES
    }

    /// Whether a finding is in the list.
    #[must_use]
    pub fn has(self, finding: &Finding) -> bool {
        match (self, &finding.state) {
            (Self::LookAgain, FindingState::LookAgain(_))
            | (Self::Differs, FindingState::Differs(_))
            | (Self::Changing, FindingState::Changing)
            | (Self::Deletions, FindingState::Deletion(_)) => true,
            (Self::Failed { cause }, FindingState::Failed(failed)) => cause.is_none_or(|cause| cause == failed.cause),
            _ => false,
        }
    }
}

/// The place of a finding among those of its run: lists are in this order.
#[must_use]
pub fn finding_place(finding: &Finding) -> String {
    let record = format!("{}#{}", finding.leg.at(), finding.key);
    match &finding.state {
        FindingState::LookAgain(look) => format!("L#{:020}#{:012}#{record}", look.due.0, look.noted),
        FindingState::Failed(failed) => failure_place(failed.cause, (finding.leg, &finding.key)),
        FindingState::Differs(_) => format!("D#{record}"),
        FindingState::Changing => format!("C#{record}"),
        FindingState::Deletion(_) => format!("P#{record}"),
    }
}

/// The place of the failure of a record, for a cause.
#[must_use]
pub fn failure_place(cause: ContentHash, (leg, key): (SideIx, &RecordKey)) -> String {
    format!("F#{cause}#{}#{key}", leg.at())
}

/// The place of a row that waits for its counterpart: it is kept with the run, and listed behind those to look at again.
#[must_use]
pub fn waiting_place(leg: SideIx, key: &RecordKey) -> String {
    format!("{WAITING}{}#{key}", leg.at())
}

/// Whether this is the place of such a row.
#[must_use]
pub fn is_waiting_place(place: &str) -> bool {
    place.starts_with(WAITING)
}

const WAITING: &str = "W#";

/// Wakes a worker of a run. May be lost, late or doubled: the schedule finds runs that nobody works on.
pub trait WorkItems: Sync {
    /// Sends a work item that becomes visible at that time.
    fn send(&self, run: &ActiveRun, due: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
}
