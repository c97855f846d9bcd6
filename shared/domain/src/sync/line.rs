//! The line of the activity log about a step of a run.

use serde::{Deserialize, Serialize};

use super::{LegCounts, RunState, SyncRun};
use crate::{
    failure::ErrorClass,
    id::{LogId, SideId},
    log::{Activity, ActivityKind, Order},
    map::{Cause, Map, SideIx},
    record::ContentHash,
};

/// Most causes that a line names: those of the most records.
const MAX_CAUSES_TOLD: usize = 10;

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncStep {
    /// Somebody, or the schedule, started it.
    Started,
    /// An operator, or the run itself, stopped it for now.
    Paused,
    /// It goes on.
    Resumed,
    /// An operator ended it.
    Cancelled,
    /// It is through.
    Finished,
    /// It was due by schedule, and did not begin.
    Skipped,
}

/// What was counted of one leg of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegTold {
    /// The side whose rows they are.
    pub from: SideId,
    /// The counts.
    #[serde(flatten)]
    pub counts: LegCounts,
}

/// A cause, without the words of the app: events carry no messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseTold {
    /// Its fingerprint, as the API takes it.
    pub cause: ContentHash,
    /// The side whose rows they are.
    pub from: SideId,
    /// What kind of error.
    pub class: ErrorClass,
    /// The app's own code; of a mapping error, the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How many records.
    pub records: u64,
}

impl SyncRun {
    /// The line about the step from one stored state of a run to the next; `None`: it only got further.
    #[must_use]
    pub fn line_since(&self, before: Option<&Self>, map: &Map) -> Option<Activity> {
        let step = match (before.map(|before| before.state), self.state) {
            (None, RunState::Cancelled) => SyncStep::Skipped,
            (None, _) => SyncStep::Started,
            (Some(before), now) if before == now => return None,
            (Some(_), RunState::Running) => SyncStep::Resumed,
            (Some(_), RunState::Paused) => SyncStep::Paused,
            (Some(_), RunState::Cancelled) => SyncStep::Cancelled,
            (Some(_), RunState::Finished) => SyncStep::Finished,
        };
        let steered = self.steered.as_ref().filter(|_| before.is_some_and(|before| before.steered != self.steered));
        let (actor, reason, cause, at) = match (step, steered) {
            (SyncStep::Started | SyncStep::Skipped, _) => {
                let cause = if self.start.due.is_some() { Cause::Schedule } else { Cause::Operator };
                (&*self.started_by, &*self.reason, cause, self.began)
            }
            (_, Some(by)) => (&*by.actor, &*by.reason, Cause::Operator, by.at),
            (SyncStep::Finished, None) => {
                ("tandem", "the run is through", Cause::SyncRun, self.ended.unwrap_or(self.began))
            }
            (_, None) => {
                let stall = self.stall.as_ref();
                let (why, since) = stall.map_or(("", self.began), |stall| (&*stall.why, stall.since));
                ("tandem", why, Cause::SyncRun, since)
            }
        };
        let parts: [&[u8]; 3] = [b"sync_run", &self.id.0.to_be_bytes(), &self.version.to_be_bytes()];
        Some(Activity {
            id: LogId::of(at, Order::Change(self.version), &parts),
            at,
            map: Some(self.map.clone()),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            cause,
            what: self.told(step, map),
        })
    }

    fn told(&self, step: SyncStep, map: &Map) -> ActivityKind {
        let name = |side: SideIx| map.config.side(side).side.clone();
        let legs = SideIx::BOTH.map(|side| LegTold { from: name(side), counts: self.counts[side] });
        let mut causes: Vec<_> = self.causes.iter().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.records));
        let causes = causes.into_iter().take(MAX_CAUSES_TOLD).map(|cause| CauseTold {
            cause: cause.cause,
            from: name(cause.leg),
            class: cause.class,
            code: cause.code.clone(),
            records: cause.records,
        });
        ActivityKind::SyncRun {
            run: self.id,
            sync: self.choice.kind,
            step,
            outcome: self.outcome(),
            legs: legs.to_vec(),
            causes: causes.collect(),
            despite: if step == SyncStep::Started { self.start.despite.clone() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::MapUid,
        lane::Attribution,
        mapping::tests::customers,
        sync::{Cause as FailureCause, Stall, SyncKind, tests::finished},
        time::Timestamp,
    };

    fn map() -> Map {
        Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(5))
    }

    fn running() -> SyncRun {
        SyncRun { state: RunState::Running, ended: None, ..finished(SyncKind::InitialSync) }
    }

    fn step(line: &Activity) -> SyncStep {
        match &line.what {
            ActivityKind::SyncRun { step, .. } => *step,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_change_of_state_is_a_line_with_who_and_why_and_progress_is_none() {
        let (map, started) = (map(), running());
        let line = started.line_since(None, &map).unwrap();
        assert_eq!((step(&line), &*line.actor, &*line.reason), (SyncStep::Started, "kim", "go live"));
        let mut despite = started.clone();
        despite.start.despite = vec!["field_length".to_owned()];
        let accepted = |run: &SyncRun, before| serde_json::to_value(run.line_since(before, &map).unwrap()).unwrap();
        assert_eq!(accepted(&despite, None)["what"]["despite"], serde_json::json!(["field_length"]));
        assert_eq!(accepted(&started, None)["what"].get("despite"), None);
        let over = SyncRun { state: RunState::Finished, version: 2, ..despite.clone() };
        assert_eq!(accepted(&over, Some(&despite))["what"].get("despite"), None, "it was accepted at the start");
        let moved = SyncRun { version: 2, to_look_at: 7, ..started.clone() };
        assert_eq!(moved.line_since(Some(&started), &map), None);
        let by =
            |actor: &str, at| Some(Attribution { actor: actor.into(), at: Timestamp(at), reason: "quarter".into() });
        let paused = SyncRun { state: RunState::Paused, version: 3, steered: by("ada", 40), ..moved.clone() };
        let line = paused.line_since(Some(&moved), &map).unwrap();
        assert_eq!((step(&line), &*line.actor, &*line.reason), (SyncStep::Paused, "ada", "quarter"));
        assert_eq!((line.at, line.cause), (Timestamp(40), Cause::Operator));
        let resumed = SyncRun { state: RunState::Running, version: 4, steered: by("bob", 50), ..paused.clone() };
        let line = resumed.line_since(Some(&paused), &map).unwrap();
        assert_eq!((step(&line), &*line.actor), (SyncStep::Resumed, "bob"));
        let cancelled = SyncRun { state: RunState::Cancelled, version: 4, steered: by("bob", 50), ..paused.clone() };
        assert_eq!(step(&cancelled.line_since(Some(&paused), &map).unwrap()), SyncStep::Cancelled);
    }

    #[test]
    fn a_run_by_schedule_has_its_cause_and_one_id_for_each_time_and_may_be_skipped() {
        let map = map();
        let of = |map: &Map, due| SyncRun::scheduled(map, Timestamp(due), "daily at 03:00, UTC", Timestamp(70));
        let line = of(&map, 50).line_since(None, &map).unwrap();
        assert_eq!((step(&line), &*line.actor, line.cause), (SyncStep::Started, "tandem", Cause::Schedule));
        let skipped = of(&map, 50).skipped("a run goes on".to_owned(), Timestamp(70));
        let line = skipped.line_since(None, &map).unwrap();
        assert_eq!((step(&line), &*line.reason, line.at), (SyncStep::Skipped, "a run goes on", Timestamp(70)));
        assert!(skipped.is_over() && skipped.adds_up());
        assert_eq!(skipped.id, of(&map, 50).id, "either of them is stored");
        let again = Map { uid: MapUid(2), ..map.clone() };
        assert!(of(&map, 50).id < of(&map, 51).id && of(&map, 50).id != of(&again, 50).id);
    }

    #[test]
    fn a_run_that_pauses_or_ends_by_itself_says_why_whoever_steered_it_before() {
        let (map, mut before) = (map(), running());
        before.steered = Some(Attribution { actor: "ada".into(), at: Timestamp(9), reason: "go on".into() });
        let stall = Stall { since: Timestamp(70), why: "crm gives pages in a circle".into(), side: None, until: None };
        let doubts = SyncRun { state: RunState::Paused, version: 2, stall: Some(stall), ..before.clone() };
        let line = doubts.line_since(Some(&before), &map).unwrap();
        assert_eq!((&*line.actor, &*line.reason), ("tandem", "crm gives pages in a circle"));
        assert_eq!((line.at, line.cause), (Timestamp(70), Cause::SyncRun));
        let ended = Some(Timestamp(90));
        let over = SyncRun { state: RunState::Finished, version: 2, ended, ..before.clone() };
        let line = over.line_since(Some(&before), &map).unwrap();
        assert_eq!((step(&line), line.at, &*line.actor), (SyncStep::Finished, Timestamp(90), "tandem"));
    }

    #[test]
    fn a_line_names_the_counts_of_each_leg_and_the_causes_of_the_most_records_without_words() {
        let mut run = running();
        run.counts[SideIx::First].failed = 3;
        run.causes = (0..20)
            .map(|n| FailureCause {
                cause: ContentHash(n),
                leg: SideIx::First,
                class: ErrorClass::Mapping,
                code: None,
                message: "Kim Possible is blocked".into(),
                sample: "C-1".parse().unwrap(),
                records: n,
            })
            .collect();
        let line = serde_json::to_value(run.line_since(None, &map()).unwrap()).unwrap();
        let what = &line["what"];
        assert_eq!(
            (&what["kind"], &what["sync"], &what["step"]),
            (&"sync_run".into(), &"initial_sync".into(), &"started".into())
        );
        assert_eq!((&what["legs"][0]["failed"], what["legs"][0]["from"].is_string()), (&3.into(), true));
        assert_eq!((what["causes"].as_array().unwrap().len(), &what["causes"][0]["records"]), (10, &19.into()));
        assert!(!line.to_string().contains("Possible"), "{line}");
        let read: Activity = serde_json::from_value(line).unwrap();
        assert_eq!(Some(read), run.line_since(None, &map()));
    }
}
