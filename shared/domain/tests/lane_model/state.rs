//! One state of the whole system around a single lane: what is stored, what travels, and where everybody stands.

use crate::list::List;
use crate::recent::Recent;
use crate::setup::{Faults, Queue, Setup};

/// A sequence number of the lane, with the head's generation in its tens.
pub(crate) type Seq = i8;
pub(crate) const GENERATION: Seq = 10;
/// A write's id, which is also the value it writes. Ids are time-ordered.
pub(crate) type Id = u8;
/// An entry's place in the log.
pub(crate) type EntryNo = u8;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub(crate) enum Side {
    #[default]
    A,
    B,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum MapState {
    Running,
    Paused,
    CatchingUp,
}

/// The lane head: the one item that makes the lane safe.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Head {
    pub next_seq: Seq,
    pub done_seq: Seq,
    pub inflight: Option<InFlight>,
    pub parked: bool,
    pub recent: Recent,
}

impl Head {
    /// The head of a lane whose first sequence number is `first`.
    pub(crate) fn starting_at(first: Seq) -> Self {
        Self { next_seq: first, done_seq: first - 1, inflight: None, parked: false, recent: Recent::default() }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.done_seq + 1 == self.next_seq && self.inflight.is_none()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct InFlight {
    pub seq: Seq,
    pub entry: EntryNo,
    /// `None` after an unknown outcome: the lane waits until the call can no longer land.
    pub owner: Option<Actor>,
    /// The entry lives in the head alone: this is its first call, made by its writer.
    pub direct: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Actor {
    Writer(u8),
    Worker(u8),
}

/// An entry as the checker remembers it for ever; the protocol itself reads only entries that are not final.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Entry {
    pub content: Content,
    pub origin: Side,
    pub fate: ErrorDisposition,
    /// Crossed a write of the other side, so it is written back to its origin too.
    pub crossing: bool,
    /// Its outcome was unknown at some time, or its executor was lost.
    pub marked: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Content {
    Write(Id),
    /// Puts the origin of a refused write back to the last final value.
    RestoreOrigin,
    /// Puts both sides back after a skip.
    RestoreBoth,
}

impl Default for Content {
    fn default() -> Self {
        Self::Write(0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) enum ErrorDisposition {
    #[default]
    Open,
    Applied,
    Refused,
    Skipped,
}

/// The map's queue of pointers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) struct Pointers {
    pub waiting: List<Seq, 3>,
    /// FIFO only: the first message is with a worker, so the group is closed.
    pub first_received: bool,
}

impl Pointers {
    pub(crate) fn send(&mut self, seq: Seq, setup: &Setup) {
        let full = self.waiting.len() >= setup.queue_limit;
        match setup.queue {
            Queue::Fifo if !full => self.waiting.push(seq),
            Queue::Standard if !full && !self.waiting.contains(&seq) => self.waiting.insert_sorted(seq),
            _ => {}
        }
    }

    pub(crate) fn delete(&mut self, seq: Seq) {
        if let Some(place) = self.waiting.iter().position(|waiting| *waiting == seq) {
            self.waiting.remove(place);
            self.first_received &= place != 0;
        }
    }
}

/// Where the execution of one entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Execution {
    pub seq: Seq,
    pub entry: EntryNo,
    pub stage: Stage,
}

impl Execution {
    pub(crate) fn at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stage {
    /// About to make the n-th call of the entry's plan.
    Calling(u8),
    Answered,
    NotSent,
    Unknown,
    /// The n-th call of the plan was refused.
    Refused(u8),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) enum Writer {
    /// Its app has not committed the change yet.
    BeforeCommit,
    /// About to read the head; `base` is the newest entry its app had received when it committed.
    Ready {
        base: i8,
    },
    /// Without compare-and-set only: has read an idle head and is about to overwrite it.
    HasReadIdle {
        next_seq: Seq,
    },
    Executing(Execution),
    /// Has appended an entry and is about to read the map's state again.
    Appended {
        seq: Seq,
        entry: EntryNo,
    },
    /// About to send a pointer and to answer 202.
    Sending {
        seq: Seq,
        entry: EntryNo,
    },
    Crashed {
        seq: Seq,
        entry: EntryNo,
    },
    #[default]
    Finished,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub(crate) enum Worker {
    #[default]
    Idle,
    Holding {
        pointer: Seq,
    },
    Executing(Execution),
}

/// A call whose caller has given up or is gone, and which may still land.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Debug)]
pub(crate) struct LateCall {
    pub seq: Seq,
    pub entry: EntryNo,
    pub side: Side,
    pub value: Option<Id>,
}

/// A business app: the value of the record, and what a target of its kind knows about the calls it got.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct App {
    pub value: Option<Id>,
    pub version: Seq,
    /// One bit per entry received.
    pub received: u8,
    /// The newest entry received; -1 for none.
    pub newest: i8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Answer {
    Applied,
    Queued,
    Refused,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub map: MapState,
    pub head: Head,
    /// Open entries that are items of their own, in sequence order.
    pub queued: List<(Seq, EntryNo), 6>,
    pub pointers: Pointers,
    pub writers: List<Writer, 3>,
    pub workers: List<Worker, 2>,
    pub network: List<LateCall, 3>,
    pub apps: [App; 2],
    /// Every entry ever admitted, in the order of admission.
    pub log: List<Entry, 6>,
    /// Events that may still happen.
    pub left: Faults,
    /// What each writer's client was told.
    pub answers: [Option<Answer>; 3],
}

impl State {
    pub(crate) fn initial(setup: &Setup) -> Self {
        let writer = if setup.commits_first { Writer::BeforeCommit } else { Writer::Ready { base: -1 } };
        Self {
            map: MapState::Running,
            head: Head::starting_at(0),
            queued: List::default(),
            pointers: Pointers::default(),
            writers: setup.writers.iter().map(|_| writer).collect(),
            workers: (0..setup.drain_workers).map(|_| Worker::Idle).collect(),
            network: List::default(),
            apps: [App { value: None, version: -1, received: 0, newest: -1 }; 2],
            log: List::default(),
            left: setup.faults,
            answers: [None; 3],
        }
    }

    pub(crate) fn entry(&self, entry: EntryNo) -> &Entry {
        &self.log[usize::from(entry)]
    }

    pub(crate) fn entry_mut(&mut self, entry: EntryNo) -> &mut Entry {
        &mut self.log[usize::from(entry)]
    }

    pub(crate) fn app(&self, side: Side) -> &App {
        &self.apps[side as usize]
    }

    pub(crate) fn app_mut(&mut self, side: Side) -> &mut App {
        &mut self.apps[side as usize]
    }

    pub(crate) fn set_writer(&mut self, number: u8, writer: Writer) {
        self.writers[usize::from(number)] = writer;
    }

    pub(crate) fn set_worker(&mut self, number: u8, worker: Worker) {
        self.workers[usize::from(number)] = worker;
    }

    /// The writer's last step.
    pub(crate) fn answer(&mut self, number: u8, answer: Answer) {
        self.set_writer(number, Writer::Finished);
        self.answers[usize::from(number)] = Some(answer);
    }

    /// Nothing is left to do and nothing can happen by itself any more.
    pub(crate) fn is_quiet(&self) -> bool {
        self.map != MapState::Paused
            && self.head.is_idle()
            && !self.head.parked
            && self.queued.is_empty()
            && self.network.is_empty()
            && self.writers.iter().all(|writer| matches!(writer, Writer::Finished | Writer::Crashed { .. }))
            && self.workers.iter().all(|worker| *worker == Worker::Idle)
    }
}
