//! One state: what is stored of the lane, both apps, and where the attempt in flight stands.

use domain::{
    SideIx, Timestamp,
    lane::{Attempt, CopiedRow, Echoes, Entry, Head, HeadVersion, JournalEffect, Marker, MissingRecord, Step},
    map::PerSide,
    record::Image,
};

use super::{
    app::{App, Caller},
    setup::{A, B, START, Setup},
};

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub now: Timestamp,
    pub paused: bool,
    pub head: Option<Head>,
    pub echoes: Echoes,
    /// The entries that are items of their own, by their place.
    pub journal: Vec<Entry>,
    pub markers: Vec<Marker>,
    pub apps: PerSide<App>,
    pub attempt: Option<Running>,
    pub runs: Vec<Run>,
    /// How many of the operator's copies were asked for.
    pub recoveries: usize,
    pub ticks_left: u8,
    pub crashes_left: u8,
}

/// The attempt in flight.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub by: Executor,
    pub entry: Entry,
    /// What is still to be done, in order.
    pub steps: Vec<Step>,
    /// What was read for the next step, which is a copy.
    pub read: Option<Copied>,
    pub made: Attempt,
    /// The other app's users changed the record after this entry, and win; that was accepted before the attempt began.
    pub is_overtaken: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Copied {
    /// What the target shall have.
    Wanted(Image),
    /// The target has something else.
    Differs(Image),
    /// The lane knows that the target will get this.
    Announced(Image),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Executor {
    Drain,
    /// The caller of this side waits for the answer.
    Caller(SideIx),
    /// So does this run.
    Run(usize),
}

/// Where a run stands with its row.
#[derive(Clone, Debug)]
pub(crate) enum Run {
    /// It looks at the record at this time, or later; again, if it has looked before.
    IsDue(Timestamp, Option<BothRead>),
    HasHead(HeadVersion, Option<BothRead>),
    HasRow {
        lane: Option<HeadVersion>,
        image: Image,
        asked_at: Timestamp,
        before: Option<BothRead>,
    },
    /// The second is that of the look before, where a mutant takes it.
    HasBoth(BothRead, Option<BothRead>),
    Writes,
    Ended,
}

/// What a run has read in both apps.
#[derive(Clone, Debug)]
pub(crate) enum BothRead {
    /// A row, to be copied.
    Row(CopiedRow),
    /// The absence of one, for which the other app's record is to be deleted.
    Missing(MissingRecord),
}

impl State {
    pub(crate) fn initial(setup: &Setup) -> Self {
        let [a, b] = setup.records;
        Self {
            now: START,
            paused: setup.paused,
            head: None,
            echoes: Echoes::default(),
            journal: Vec::new(),
            markers: Vec::new(),
            apps: PerSide([App::new(a), App::new(b)]),
            attempt: None,
            runs: vec![Run::IsDue(START, None); setup.runs.len()],
            recoveries: 0,
            ticks_left: setup.ticks,
            crashes_left: setup.crashes,
        }
    }

    pub(crate) fn entry_at(&self, seq: u64) -> Option<&Entry> {
        self.journal.iter().find(|entry| entry.seq == seq)
    }

    /// Stores a head with what changes in the journal.
    pub(crate) fn store(&mut self, head: Head, effects: Vec<JournalEffect>) {
        self.head = Some(head);
        for effect in effects {
            match effect {
                JournalEffect::Append(entry, marker) | JournalEffect::Update(entry, marker) => {
                    self.forget(entry.seq);
                    self.journal.push(entry);
                    self.journal.sort_by_key(|entry| entry.seq);
                    self.mark(marker);
                }
                JournalEffect::Finish(seq, marker) => {
                    self.forget(seq);
                    self.mark(marker);
                }
                JournalEffect::Archive(archived, marker) => {
                    self.forget(archived.entry.seq);
                    self.mark(marker);
                }
                JournalEffect::Keep(_) | JournalEffect::Conflict(_) | JournalEffect::Log(_) => {}
            }
        }
    }

    fn forget(&mut self, seq: u64) {
        self.journal.retain(|known| known.seq != seq);
    }

    fn mark(&mut self, marker: Option<Marker>) {
        if let Some(marker) = marker {
            self.markers.retain(|known| known.id != marker.id);
            self.markers.push(marker);
        }
    }

    /// Nothing is left to do, but for an operator.
    pub(crate) fn is_quiet(&self, setup: &Setup) -> bool {
        let all_edited = |side: SideIx| self.apps[side].edits_begun == setup.edits_of(side).count();
        let runs_ended = self.runs.iter().all(|run| matches!(run, Run::Ended));
        [A, B].into_iter().all(all_edited) && runs_ended && self.rests()
    }

    /// Nothing is under way.
    pub(crate) fn rests(&self) -> bool {
        let app_rests = |app: &App| app.caller == Caller::None && app.outbox.is_empty();
        let lane_rests = self.head.as_ref().is_none_or(|head| head.idle() || head.parked);
        !self.paused && self.attempt.is_none() && lane_rests && self.apps.0.iter().all(app_rests)
    }
}
