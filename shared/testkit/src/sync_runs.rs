//! Sync runs in memory, and their work items.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use app::ports::{
    ActiveRun, CommitError, FINDINGS_AT_ONCE, FindingChange, FindingList, PortError, SyncRuns, WorkItems,
    failure_place, finding_place,
};
use domain::{
    ContentHash, Map, RecordKey, SideIx, Timestamp,
    id::{MapUid, SyncRunId},
    log::LogEvent,
    sync::{FailedCopy, Finding, FindingState, SyncRun},
};

use crate::executor::{Executor, lock};

#[derive(Default)]
struct Tables {
    runs: BTreeMap<(MapUid, SyncRunId), SyncRun>,
    findings: BTreeMap<(SyncRunId, String), Finding>,
    sent: Vec<(ActiveRun, Timestamp)>,
    /// Every version of every run: what was counted at each commit.
    history: Vec<SyncRun>,
    log: Vec<LogEvent>,
}

/// Sync runs in memory. Every call lets others go first, and may fail or lose its answer.
pub struct MemorySyncRuns {
    world: Arc<Executor>,
    tables: Mutex<Tables>,
    failing_per_mille: Mutex<u64>,
}

impl MemorySyncRuns {
    /// No runs.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self { world, tables: Mutex::default(), failing_per_mille: Mutex::default() }
    }

    /// From now on calls fail with this chance in a thousand.
    pub fn set_failing(&self, per_mille: u64) {
        *lock(&self.failing_per_mille) = per_mille;
    }

    /// Work items that are due, in the order in which they were sent.
    pub fn take_due(&self, now: Timestamp) -> Vec<ActiveRun> {
        let mut tables = lock(&self.tables);
        let (due, later) = std::mem::take(&mut tables.sent).into_iter().partition(|(_, due)| *due <= now);
        tables.sent = later;
        due.into_iter().map(|(run, _)| run).collect()
    }

    /// Every run, as it is stored.
    #[must_use]
    pub fn all_runs(&self) -> Vec<SyncRun> {
        lock(&self.tables).runs.values().cloned().collect()
    }

    /// Every version of every run that was stored.
    #[must_use]
    pub fn history(&self) -> Vec<SyncRun> {
        lock(&self.tables).history.clone()
    }

    /// What is to be logged, as the stream delivers it.
    #[must_use]
    pub fn log(&self) -> Vec<LogEvent> {
        lock(&self.tables).log.clone()
    }

    /// What is to be logged since it was taken last.
    pub fn take_log(&self) -> Vec<LogEvent> {
        std::mem::take(&mut lock(&self.tables).log)
    }

    /// Every finding of a run.
    #[must_use]
    pub fn all_findings(&self, run: SyncRunId) -> Vec<Finding> {
        let tables = lock(&self.tables);
        tables.findings.iter().filter(|((of, _), _)| *of == run).map(|(_, finding)| finding.clone()).collect()
    }

    async fn begin(&self, method: &'static str) -> Result<(), PortError> {
        self.world.turn_at(method).await;
        self.may_fail()
    }

    fn may_fail(&self) -> Result<(), PortError> {
        let failing = *lock(&self.failing_per_mille);
        match failing > 0 && self.world.chance(|rng| rng.happens(failing)) {
            true => Err(PortError::Transient("the store did not answer".to_owned())),
            false => Ok(()),
        }
    }
}

impl SyncRuns for MemorySyncRuns {
    async fn run(&self, map: &Map, id: SyncRunId) -> Result<Option<SyncRun>, PortError> {
        self.begin("SyncRuns.run").await?;
        Ok(lock(&self.tables).runs.get(&(map.uid, id)).cloned())
    }

    async fn runs(&self, map: &Map, before: Option<SyncRunId>, limit: usize) -> Result<Vec<SyncRun>, PortError> {
        self.begin("SyncRuns.runs").await?;
        let tables = lock(&self.tables);
        let until = before.map_or(u128::MAX, |before| before.0.saturating_sub(1));
        let of_map = tables.runs.range((map.uid, SyncRunId(0))..=(map.uid, SyncRunId(until)));
        Ok(of_map.rev().take(limit).map(|(_, run)| run.clone()).collect())
    }

    async fn active_runs(&self) -> Result<Vec<ActiveRun>, PortError> {
        self.begin("SyncRuns.active_runs").await?;
        let tables = lock(&self.tables);
        let active = tables.runs.values().filter(|run| !run.is_over());
        Ok(active.map(|run| ActiveRun { map: run.map.clone(), run: run.id }).collect())
    }

    async fn forget_active(&self, run: &ActiveRun) -> Result<(), PortError> {
        self.begin("SyncRuns.forget_active").await?;
        lock(&self.tables).runs.retain(|_, known| known.id != run.run);
        Ok(())
    }

    async fn save_run(
        &self,
        map: &Map,
        run: &SyncRun,
        before: Option<&SyncRun>,
        changes: &[FindingChange],
    ) -> Result<(), CommitError> {
        let expected = before.map_or(0, |before| before.version);
        self.begin("SyncRuns.save_run").await?;
        assert!(changes.len() <= FINDINGS_AT_ONCE, "{} changes do not fit into a transaction", changes.len());
        {
            let mut tables = lock(&self.tables);
            let stored = tables.runs.get(&(run.uid, run.id)).map_or(0, |stored| stored.version);
            if stored != expected {
                return Err(CommitError::Stale);
            }
            let writes = |run: &SyncRun| run.choice.kind.writes() && !run.is_over();
            let beside = |other: &SyncRun| other.uid == run.uid && other.id != run.id && writes(other);
            if before.is_none() && writes(run) && tables.runs.values().any(beside) {
                return Err(CommitError::Stale);
            }
            assert_eq!(run.version, expected + 1, "every change counts");
            tables.runs.insert((run.uid, run.id), run.clone());
            tables.history.push(run.clone());
            tables.log.extend(run.line_since(before, map).map(|line| LogEvent::Activity(Box::new(line))));
            for change in changes {
                let (of, finding) = change.target(run.id);
                let place = (of, finding_place(finding));
                match change {
                    FindingChange::Put(_) => drop(tables.findings.insert(place, finding.clone())),
                    FindingChange::Delete(_) | FindingChange::DeleteOf(..) => drop(tables.findings.remove(&place)),
                }
            }
        }
        self.world.turn_at("SyncRuns.save_run").await;
        Ok(self.may_fail()?)
    }

    async fn findings(
        &self,
        run: SyncRunId,
        list: FindingList,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Finding>, PortError> {
        self.begin("SyncRuns.findings").await?;
        let tables = lock(&self.tables);
        let from = (run, after.unwrap_or_default().to_owned());
        let listed = tables
            .findings
            .range(from..)
            .filter(|((of, place), finding)| *of == run && Some(&**place) != after && list.has(finding));
        Ok(listed.take(limit).map(|(_, finding)| finding.clone()).collect())
    }

    async fn failure(
        &self,
        run: SyncRunId,
        cause: ContentHash,
        record: (SideIx, &RecordKey),
    ) -> Result<Option<FailedCopy>, PortError> {
        self.begin("SyncRuns.failure").await?;
        let tables = lock(&self.tables);
        let found = tables.findings.get(&(run, failure_place(cause, record)));
        Ok(found.and_then(|finding| match &finding.state {
            FindingState::Failed(failed) => Some(failed.clone()),
            FindingState::LookAgain(_)
            | FindingState::Differs(_)
            | FindingState::Changing
            | FindingState::Deletion(_) => None,
        }))
    }
}

impl WorkItems for MemorySyncRuns {
    async fn send(&self, run: &ActiveRun, due: Timestamp) -> Result<(), PortError> {
        self.begin("WorkItems.send").await?;
        // Some are lost: the schedule must find what they would have woken.
        if self.world.chance(|rng| rng.happens(800)) {
            lock(&self.tables).sent.push((run.clone(), due));
        }
        Ok(())
    }
}
