//! How fast a run goes, and when it will be through.

use serde::{Deserialize, Serialize};

use super::{RunPhase, SyncRun};
use crate::{
    map::{PerSide, SideIx},
    time::Timestamp,
};

/// The rate is that of so many milliseconds.
const WINDOW_MS: u64 = 5 * 60_000;
/// Samples are no closer than that, in milliseconds: at most eleven are kept.
const SAMPLE_MS: u64 = 30_000;
/// A number that an earlier run found is taken for that of this run, more or less by so many percent.
const ESTIMATE_PERCENT: u64 = 10;

/// How many rows had come to an end at some moments of the last minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    samples: Vec<(Timestamp, u64)>,
}

/// On what an expected end is based.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Each side has said how many records it has, or has listed all.
    Counted,
    /// The last run read so many.
    Estimated,
    /// Nobody knows how many records there are.
    Unknown,
}

/// When a run will be through, as far as can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedEnd {
    /// On what it is based.
    pub basis: Basis,
    /// How much is done. At most 99 before the end.
    pub percent: Option<u64>,
    /// Not before. `None`: it does not move.
    pub earliest: Option<Timestamp>,
    /// Not after, if it goes on as slowly as it went in the last minutes.
    pub latest: Option<Timestamp>,
}

impl Speed {
    /// Notes how many rows have come to an end by now.
    pub fn note(&mut self, now: Timestamp, ended: u64) {
        if self.samples.last().is_none_or(|(at, _)| now.ms_since(*at) >= SAMPLE_MS) {
            self.samples.push((now, ended));
        }
        // The newest sample before the window stays: the window begins within its interval.
        while self.samples.get(1).is_some_and(|(at, _)| now.ms_since(*at) > WINDOW_MS) {
            self.samples.remove(0);
        }
    }

    /// Rows that came to an end in a minute, over the last minutes.
    #[must_use]
    pub fn rows_per_minute(&self, now: Timestamp, ended: u64) -> u64 {
        self.samples.first().map_or(0, |first| rate(*first, (now, ended)))
    }

    /// The slowest and the fastest rate of the last minutes, from one sample to the next, up to now.
    fn range(&self, now: Timestamp, ended: u64) -> (u64, u64) {
        let whole = self.rows_per_minute(now, ended);
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        let rates = pairs.map(|(one, other)| rate(*one, *other));
        rates.fold((whole, whole), |(slow, fast), rate| (slow.min(rate), fast.max(rate)))
    }
}

fn rate(from: (Timestamp, u64), to: (Timestamp, u64)) -> u64 {
    to.1.saturating_sub(from.1).saturating_mul(60_000) / to.0.ms_since(from.0).max(1)
}

impl SyncRun {
    /// Rows that have come to an end.
    #[must_use]
    pub fn ended_rows(&self) -> u64 {
        self.counts.0.iter().map(|counts| counts.read - counts.not_reached).sum()
    }

    /// Rows that came to an end in a minute: in the last minutes, or, of a run that is over, in all of its time.
    #[must_use]
    pub fn rows_per_minute(&self, now: Timestamp) -> u64 {
        match self.ended {
            Some(ended) => rate((self.began, 0), (ended, self.ended_rows())),
            None if self.speed == Speed::default() => rate((self.began, 0), (now, self.ended_rows())),
            None => self.speed.rows_per_minute(now, self.ended_rows()),
        }
    }

    /// When the run will be through; `None`: it is over.
    #[must_use]
    pub fn expected_end(&self, now: Timestamp) -> Option<ExpectedEnd> {
        if self.is_over() {
            return None;
        }
        let sides = SideIx::BOTH.map(|side| self.rows_of(side));
        let [Some(first), Some(second)] = sides else {
            return Some(ExpectedEnd { basis: Basis::Unknown, percent: None, earliest: None, latest: None });
        };
        let is_estimated = [first, second].iter().any(|(_, basis)| *basis == Basis::Estimated);
        let ended = self.ended_rows();
        let rows = (first.0 + second.0).max(ended);
        let (slow, fast) = self.speed.range(now, ended);
        // What an estimate may be wrong by, as rows.
        let margin = if is_estimated { rows * ESTIMATE_PERCENT / 100 } else { 0 };
        let left = rows - ended;
        let after = |rows: u64, rate: u64| (rate > 0).then(|| now.plus_ms(rows.saturating_mul(60_000) / rate));
        Some(ExpectedEnd {
            basis: if is_estimated { Basis::Estimated } else { Basis::Counted },
            percent: Some((ended * 100).checked_div(rows).unwrap_or(0).min(99)),
            earliest: after(left.saturating_sub(margin), fast),
            latest: after(left + margin, slow),
        })
    }

    /// How many rows a side has, and how that is known.
    fn rows_of(&self, side: SideIx) -> Option<(u64, Basis)> {
        let (progress, read) = (&self.progress[side.at()], self.counts[side].read);
        if progress.exhausted_at.is_some() || self.phase == RunPhase::Looking {
            return Some((read, Basis::Counted));
        }
        // An app may count wrongly.
        let counted = progress.total.map(|total| (total.max(read), Basis::Counted));
        counted.or_else(|| Some((self.expected_rows[side]?.max(read), Basis::Estimated)))
    }
}

/// How many rows of each side a finished run of all records has read.
#[must_use]
pub fn rows_read(run: &SyncRun) -> PerSide<Option<u64>> {
    PerSide(SideIx::BOTH.map(|side| Some(run.counts[side].read)))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use SideIx::{First, Second};

    const MINUTE: u64 = 60_000;

    fn at(minutes: u64) -> Timestamp {
        Timestamp(1_000_000 + minutes * MINUTE)
    }

    /// A run as an earlier release has stored it: without a speed.
    pub(in crate::sync) fn run() -> SyncRun {
        let choice = json!({"kind": "dry_run", "winner": "0", "legs": ["all", "all"], "selection": {"which": "all"}, "parent": null});
        let progress = || serde_json::to_value(crate::sync::ListProgress::default()).unwrap();
        serde_json::from_value(json!({
            "id": crate::id::SyncRunId(1), "map": "customers", "uid": crate::id::MapUid(1), "choice": choice, "state": "running",
            "version": 1, "started_by": "kim", "reason": "x", "steered": null, "began": at(0), "ended": null, "phase": "listing",
            "progress": [progress(), progress()], "join": crate::sync::Join::default(),
            "counts": PerSide::<crate::sync::LegCounts>::default(), "causes": [], "to_look_at": 0, "stall": null, "lease": null,
        }))
        .unwrap()
    }

    fn read(run: &mut SyncRun, side: SideIx, rows: u64) {
        run.counts[side].read += rows;
        run.counts[side].equal += rows;
    }

    #[test]
    fn the_rate_is_that_of_the_last_minutes_and_falls_while_nothing_moves() {
        let mut run = run();
        for minute in 0..20 {
            run.speed.note(at(minute), run.ended_rows());
            read(&mut run, First, if minute < 10 { 100 } else { 40 });
        }
        assert_eq!(run.rows_per_minute(at(20)), 40, "the fast minutes are long over");
        assert!(run.speed.samples.len() <= 12, "{:?}", run.speed);
        assert!(run.rows_per_minute(at(40)) < 12, "it stands still");
        run.ended = Some(at(20));
        assert_eq!(run.rows_per_minute(at(99)), 70, "over all of its time");
    }

    #[test]
    fn an_end_is_expected_by_what_the_apps_count_or_the_last_run_has_read_and_never_before_all_is_done() {
        let mut run = run();
        let basis = |run: &SyncRun| run.expected_end(at(2)).unwrap().basis;
        assert_eq!(basis(&run), Basis::Unknown);
        run.progress[0].total = Some(300);
        assert_eq!(basis(&run), Basis::Unknown, "one side does not say");
        run.expected_rows = PerSide([Some(5), Some(100)]);
        assert_eq!(basis(&run), Basis::Estimated);
        run.speed.note(at(0), 0);
        read(&mut run, First, 50);
        run.speed.note(at(1), 50);
        read(&mut run, First, 150);
        let end = run.expected_end(at(2)).unwrap();
        // 200 of 400 are left, more or less 40. In the last two minutes: 100 a minute; in the slower one 50.
        let expected = ExpectedEnd {
            basis: Basis::Estimated,
            percent: Some(50),
            earliest: Some(at(2).plus_ms(160 * MINUTE / 100)),
            latest: Some(at(2).plus_ms(240 * MINUTE / 50)),
        };
        assert_eq!(end, expected);
        run.progress[1].total = Some(100);
        assert_eq!(basis(&run), Basis::Counted);
        read(&mut run, Second, 900);
        let end = run.expected_end(at(3)).unwrap();
        assert_eq!(end.percent, Some(91), "an app may count wrongly: 1,100 of 1,200");
        read(&mut run, First, 100);
        assert_eq!(run.expected_end(at(3)).unwrap().percent, Some(99), "it is not over");
        run.state = crate::sync::RunState::Finished;
        assert_eq!(run.expected_end(at(3)), None);
    }
}
