//! A run that copies rows read from pages, as an initial sync does, or that deletes what its side lacks: it asks for the head, then for the rows, then for a
//! decision of the production function.

use domain::{
    EntryId, Timestamp, WriteId,
    lane::{
        AdmitContext, CopiedRow, CopyDecision, CopyTerms, HeadVersion, MissingRecord, apply_copied_row, apply_deletion,
    },
    record::Image,
};

use super::{
    Action, Steps,
    admission::{LEASE_MS, OWNER},
};
use crate::production::{
    app::image,
    setup::{Mutant, TICK_MS},
    state::{BothRead, Executor, Run, Running},
};

impl Steps<'_> {
    pub(super) fn runs(&mut self) {
        for (number, run) in self.state.runs.iter().enumerate() {
            match run {
                Run::IsDue(at, before) if *at <= self.state.now => self.begin(number, before.clone()),
                Run::HasHead(lane, before) => self.ask_for_row(number, Some(*lane), before.clone()),
                Run::HasRow { .. } => self.ask_for_other_row(number, run),
                Run::HasBoth(read, before) => self.apply(number, read, before.as_ref()),
                Run::IsDue(..) | Run::Writes | Run::Ended => {}
            }
        }
    }

    /// Until when a run waits.
    pub(super) fn runs_wait_until(&self) -> Option<Timestamp> {
        let due =
            |run: &Run| if let Run::IsDue(at, _) = run { Some(*at).filter(|at| *at > self.state.now) } else { None };
        self.state.runs.iter().filter_map(due).min()
    }

    fn run_step(&mut self, number: usize, action: Action, run: Run) {
        self.step(action, |next| next.runs[number] = run);
    }

    fn begin(&mut self, number: usize, before: Option<BothRead>) {
        if self.world.setup.mutant == Mutant::RowsAreReadBeforeTheHead {
            return self.ask_for_row(number, None, before);
        }
        let lane = HeadVersion::of(self.state.head.as_ref());
        self.run_step(number, Action::AsksForHead(number), Run::HasHead(lane, before));
    }

    fn ask_for_row(&mut self, number: usize, lane: Option<HeadVersion>, before: Option<BothRead>) {
        let from = self.world.setup.runs[number];
        let action = Action::AsksForRow(number, from);
        let mut image = image(from, self.state.apps[from].value());
        if self.world.setup.mutant == Mutant::RecordsThatCameBackAreDeleted && before.is_some() {
            image = Image::Absent;
        }
        // What is not there is not copied, and for what is there nothing is deleted.
        if (image == Image::Absent) != self.world.setup.runs_delete {
            return self.run_step(number, action, Run::Ended);
        }
        self.run_step(number, action, Run::HasRow { lane, image, asked_at: self.state.now, before });
    }

    fn ask_for_other_row(&mut self, number: usize, run: &Run) {
        let Run::HasRow { lane, image: here, asked_at, before } = run else { return };
        let config = &self.world.map(self.state.paused).config;
        let from = self.world.setup.runs[number];
        let there = image(from.other(), self.state.apps[from.other()].value());
        let lane = lane.unwrap_or_else(|| HeadVersion::of(self.state.head.as_ref()));
        let asked_at = *asked_at;
        let from_question = self.world.setup.mutant == Mutant::AnswersCountFromTheQuestion;
        let unchanged_since = if from_question { asked_at } else { self.state.now };
        let action = Action::AsksForRow(number, from.other());
        let read = match (here.clone(), there) {
            (Image::Present(record), there) => {
                let row = CopiedRow { from, record, there, lane, asked_at, unchanged_since };
                let Some(BothRead::Row(before)) = before else {
                    return self.run_step(number, action, Run::HasBoth(BothRead::Row(row), None));
                };
                BothRead::Row(row.after(&before.look(config), config))
            }
            // There is nothing to delete.
            (Image::Absent, Image::Absent) => return self.run_step(number, action, Run::Ended),
            (Image::Absent, Image::Present(there)) => {
                let missing = MissingRecord { missing_from: from, there, lane, asked_at, unchanged_since };
                let Some(BothRead::Missing(before)) = before else {
                    return self.run_step(number, action, Run::HasBoth(BothRead::Missing(missing), None));
                };
                BothRead::Missing(missing.after(&before.look(config), config))
            }
        };
        let earlier = self.world.setup.mutant == Mutant::RecordsOfAnEarlierLookAreMerged;
        self.run_step(number, action, Run::HasBoth(read, before.clone().filter(|_| earlier)));
    }

    fn apply(&mut self, number: usize, read: &BothRead, before: Option<&BothRead>) {
        let (world, state) = (self.world, self.state);
        let place = 3_000 + u128::from(state.head.as_ref().map_or(1, |head| head.next_seq));
        let write = WriteId::made((u128::from(state.now.0) << 80) + place);
        let reports_within_ms = world.setup.told_report_ticks * TICK_MS;
        let terms = CopyTerms { write, entry: EntryId(place), reports_within_ms, winners: world.winners(number) };
        let context = AdmitContext {
            map: world.map(state.paused),
            sides: world.sides(),
            now: state.now,
            owner: OWNER,
            lease_ms: LEASE_MS,
        };
        let head = state.head.as_ref();
        let mutate = |lane: &mut HeadVersion, asked_at: &mut Timestamp| match world.setup.mutant {
            Mutant::HeadsAreNotCompared => *lane = HeadVersion::of(head),
            Mutant::RowsCountAsReadWhenApplied => *asked_at = state.now,
            _ => {}
        };
        let decided = match read.clone() {
            BothRead::Row(mut row) => {
                if let Some(BothRead::Row(before)) = before {
                    (row.record, row.there) = (before.record.clone(), before.there.clone());
                }
                mutate(&mut row.lane, &mut row.asked_at);
                apply_copied_row(head, row, terms, context)
            }
            BothRead::Missing(mut missing) => {
                mutate(&mut missing.lane, &mut missing.asked_at);
                apply_deletion(head, missing, terms, context)
            }
        };
        match decided.expect("all values can be mapped") {
            CopyDecision::Write { head, entry } => self.step(Action::Copies(number), |next| {
                next.head = Some(*head);
                let running = Running::new(world, next, Executor::Run(number), *entry);
                next.attempt = Some(running);
                next.runs[number] = Run::Writes;
            }),
            CopyDecision::LookAgain { not_before } => {
                self.run_step(number, Action::LooksAgain(number), Run::IsDue(not_before, Some(read.clone())));
            }
            CopyDecision::Equal | CopyDecision::LeftToLane => {
                self.run_step(number, Action::CopiesNothing(number), Run::Ended);
            }
        }
    }
}
