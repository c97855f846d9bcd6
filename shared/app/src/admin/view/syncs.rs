//! Sync runs, as operators see them.

mod expected;
mod notes;
mod problems;
mod records;

use std::collections::BTreeMap;

use domain::{
    Map, SideIx, Timestamp,
    sync::{Cause, LegChoice, LegCounts, Predecessor, RunPhase, RunState, Selection, SyncKind, SyncRun},
};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    expected::{SyncCalls, SyncCost, SyncExpected},
    notes::SyncNote,
    problems::{SyncCheck, SyncCheckProblem},
    records::{SyncField, SyncRecord, SyncRecords},
};
use super::by_hand;

/// Sync runs, newest first.
#[derive(Serialize, ToSchema)]
pub struct SyncRuns {
    /// The runs.
    pub runs: Vec<SyncRunView>,
    /// The `before` of the next page. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A sync run.
#[derive(Serialize, ToSchema)]
pub struct SyncRunView {
    pub id: String,
    pub map: String,
    #[schema(schema_with = by_hand::sync_kind)]
    pub kind: SyncKind,
    /// `running`, `paused`, `cancelled` or `finished`.
    #[schema(value_type = String)]
    pub state: RunState,
    /// What the run has shown about its records: `equal`: both apps have the same; `differs`: they do not, or it is not
    /// known of each record; `failed`: some could not be compared or copied; `cancelled`; `unfinished`.
    pub outcome: &'static str,
    /// `selecting`: takes its records from `parent`; `listing`: reads both sides; `looking`: looks again at single records.
    #[schema(value_type = String)]
    pub phase: RunPhase,
    /// The side whose record is taken where both have one.
    pub winner: String,
    /// Fields whose values are taken from a side of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(nullable = false)]
    pub winner_of_field: BTreeMap<String, String>,
    /// Which records: see `StartSyncRun`.
    #[schema(value_type = Object)]
    pub selection: Selection,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent: Option<String>,
    /// Reruns of this run, and of those, oldest first, among the newest 50 runs of the map. Lists of runs leave them out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub reruns: Vec<SyncRerun>,
    pub started_by: String,
    pub reason: String,
    /// The time for which the schedule of the map wanted it, RFC 3339. Absent: somebody started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub due: Option<String>,
    /// Runs of other maps that have to end before it begins: see `StartSyncRuns`. Its `stall` names the one that it waits for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub waits_for: Vec<SyncPredecessor>,
    /// Codes of problems that stood against the run when it was started, and that whoever started it has accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub despite: Vec<String>,
    /// Who paused, resumed or cancelled it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub steered: Option<SyncSteered>,
    pub began: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended: Option<String>,
    /// What became of the rows of each side, by its name.
    pub legs: BTreeMap<String, SyncLeg>,
    /// Why records failed, at most 50 causes. The others count as one, whose id is zeros.
    pub causes: Vec<SyncCause>,
    /// Records that are looked at again.
    pub to_look_at: u64,
    /// Rows that came to an end in a minute: over the last five minutes; of a run that is over, in all of its time.
    pub rows_per_minute: u64,
    /// When it will be through. Absent: it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expected: Option<SyncExpected>,
    /// Of a finished dry run: what an initial sync with the same choice will cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub copy_costs: Option<SyncCost>,
    /// Why it does not move, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub stall: Option<SyncStall>,
    /// What happened to it that its counts do not show: a list began anew or ended too early, the map was changed. The first 20.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<SyncNote>,
}

/// A run that has to end before another one begins.
#[derive(Serialize, ToSchema)]
pub struct SyncPredecessor {
    pub map: String,
    pub run: String,
}

impl SyncPredecessor {
    fn of(before: Predecessor) -> Self {
        Self { map: before.map.to_string(), run: before.run.to_string() }
    }
}

/// Who paused, resumed or cancelled a run.
#[derive(Serialize, ToSchema)]
pub struct SyncSteered {
    pub actor: String,
    pub at: String,
    pub reason: String,
}

/// The rows of one side in a run. `read` = `inserted` + `updated` + `deleted` + `equal` + `skipped` + `failed` + `not_reached`.
#[derive(Serialize, ToSchema)]
pub struct SyncLeg {
    /// `all`, `create_only`, `off` or `propose_deletion`.
    #[schema(value_type = String)]
    pub choice: LegChoice,
    /// How many records the app says it has. Absent: it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total: Option<u64>,
    /// The side has listed everything.
    pub listed: bool,
    /// Rows that were read.
    pub read: u64,
    /// Made in the other app; in a dry run or reconcile: missing there.
    pub inserted: u64,
    /// Changed in the other app; in a dry run or reconcile: different there.
    pub updated: u64,
    /// Deleted in this app, as an operator has approved.
    pub deleted: u64,
    /// The same in both apps.
    pub equal: u64,
    /// Not copied, for one of the reasons of `skipped_for`.
    pub skipped: u64,
    /// `loses`: the other side wins; `filtered`: kept out by the filter or by the choice of the run; `gone`: deleted since it was
    /// read; `held`: its changes wait for an operator; `changing`: each look found another state;
    /// `later`: made or edited after the run had begun, so no part of its selection; `repeated`: listed twice.
    /// About deletions, `proposed`: waits for an operator, or has waited; `came_back`: the other app has the record again;
    /// `changed_since`: the record, or its lane, was changed since; `rejected`.
    pub skipped_for: BTreeMap<&'static str, u64>,
    /// Not copied for a cause: see `causes`.
    pub failed: u64,
    /// Not reached yet.
    pub not_reached: u64,
}

impl SyncLeg {
    fn of(run: &SyncRun, side: SideIx) -> Self {
        let counts = run.counts[side];
        let LegCounts { read, inserted, updated, deleted, equal, failed, not_reached, .. } = counts;
        let reasons = [
            ("loses", counts.loses),
            ("filtered", counts.filtered),
            ("gone", counts.gone),
            ("held", counts.held),
            ("changing", counts.changing),
            ("later", counts.later),
            ("repeated", counts.repeated),
            ("proposed", counts.proposed),
            ("came_back", counts.came_back),
            ("changed_since", counts.changed_since),
            ("rejected", counts.rejected),
        ];
        let progress = &run.progress[side.at()];
        Self {
            choice: run.choice.legs[side],
            total: progress.total,
            listed: progress.exhausted_at.is_some(),
            read,
            inserted,
            updated,
            deleted,
            equal,
            skipped: counts.skipped(),
            skipped_for: reasons.into_iter().filter(|(_, count)| *count > 0).collect(),
            failed,
            not_reached,
        }
    }
}

/// Why records failed.
#[derive(Serialize, ToSchema)]
pub struct SyncCause {
    /// Its id: `?cause=` of the records, `cause` of a rerun.
    pub cause: String,
    /// The side whose rows they are.
    pub from: String,
    #[schema(schema_with = by_hand::error_class)]
    pub class: domain::ErrorClass,
    /// The app's own code; of a mapping error, the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The words of the first.
    pub message: String,
    /// The record of the first.
    pub sample: String,
    /// How many records.
    pub records: u64,
}

/// Why a run does not move.
#[derive(Serialize, ToSchema)]
pub struct SyncStall {
    pub since: String,
    pub why: String,
    /// The app that it is because of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub side: Option<String>,
    /// When it is tried again. Absent: when an operator resumes the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<String>,
}

impl SyncRunView {
    pub fn of(map: &Map, run: SyncRun, now: Timestamp) -> Self {
        let name = |side: SideIx| map.config.side(side).side.to_string();
        Self {
            legs: SideIx::BOTH.into_iter().map(|side| (name(side), SyncLeg::of(&run, side))).collect(),
            rows_per_minute: run.rows_per_minute(now),
            copy_costs: run.cost_of_copy().map(|cost| SyncCost::of(&cost, name)),
            expected: run.expected_end(now).map(SyncExpected::from),
            winner: name(run.choice.winner),
            winner_of_field: run
                .choice
                .winner_of_field
                .iter()
                .map(|(field, side)| (field.clone(), name(*side)))
                .collect(),
            id: run.id.to_string(),
            map: run.map.to_string(),
            kind: run.choice.kind,
            state: run.state,
            outcome: run.outcome().as_str(),
            phase: run.phase,
            selection: run.choice.selection,
            parent: run.choice.parent.map(|parent| parent.to_string()),
            reruns: Vec::new(),
            started_by: run.started_by,
            reason: run.reason,
            waits_for: run
                .start
                .turn
                .map_or(Vec::new(), |turn| turn.after)
                .into_iter()
                .map(SyncPredecessor::of)
                .collect(),
            due: run.start.due.map(|due| due.to_string()),
            despite: run.start.despite,
            steered: run.steered.map(|by| SyncSteered { actor: by.actor, at: by.at.to_string(), reason: by.reason }),
            began: run.began.to_string(),
            ended: run.ended.map(|at| at.to_string()),
            notes: run.memory.notes.iter().map(|note| SyncNote::of(note, &name)).collect(),
            causes: run.causes.into_iter().map(|cause| SyncCause::of(cause, &name)).collect(),
            to_look_at: run.to_look_at,
            stall: run.stall.map(|stall| SyncStall {
                since: stall.since.to_string(),
                why: stall.why,
                side: stall.side.map(|side| side.to_string()),
                until: stall.until.map(|until| until.to_string()),
            }),
        }
    }
}

impl SyncRunView {
    pub fn with_reruns(self, reruns: &[SyncRun]) -> Self {
        Self { reruns: reruns.iter().map(SyncRerun::of).collect(), ..self }
    }
}

/// A rerun of a run, or a decision about deletions that it has proposed: how many records still fail.
#[derive(Serialize, ToSchema)]
pub struct SyncRerun {
    pub id: String,
    /// The run whose records it has selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parent: Option<String>,
    /// As `outcome` of a run.
    pub outcome: &'static str,
    /// Records that failed in it, of both sides.
    pub failed: u64,
}

impl SyncRerun {
    fn of(run: &SyncRun) -> Self {
        Self {
            id: run.id.to_string(),
            parent: run.choice.parent.map(|parent| parent.to_string()),
            outcome: run.outcome().as_str(),
            failed: run.counts.0.iter().map(|counts| counts.failed).sum(),
        }
    }
}

impl SyncCause {
    fn of(cause: Cause, name: &impl Fn(SideIx) -> String) -> Self {
        Self {
            cause: cause.cause.to_string(),
            from: name(cause.leg),
            class: cause.class,
            code: cause.code,
            message: cause.message,
            sample: cause.sample.to_string(),
            records: cause.records,
        }
    }
}
