//! What one case searches: who takes part, which faults may happen how often, and which rules are in force.
//!
//! [`Setup::ONE_ORIGIN`] has every rule in force; a mutant is that setup with one rule taken out.

use crate::state::{Id, Side};

/// How often each event may happen in one run. The search tries every place for each of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Faults {
    pub pauses: u8,
    pub crashes: u8,
    /// Calls that fail and certainly had no effect.
    pub failures: u8,
    /// Calls without an answer: they had an effect, or will have one later, or never.
    pub unknowns: u8,
    pub refusals: u8,
    /// Parked entries that an operator gives up.
    pub skips: u8,
    /// Idle heads that expire.
    pub expiries: u8,
}

impl Faults {
    pub(crate) const NONE: Self =
        Self { pauses: 0, crashes: 0, failures: 0, unknowns: 0, refusals: 0, skips: 0, expiries: 0 };
    pub(crate) const PAUSE: Self = Self { pauses: 1, ..Self::NONE };
    pub(crate) const USUAL: Self = Self { pauses: 1, crashes: 1, failures: 1, ..Self::NONE };
}

/// What a target does with a call that it has seen before or that is older than what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// The last call wins, whatever it is.
    Plain,
    /// Applies each entry once.
    Idempotent,
    /// Ignores a version that is not newer than its own.
    Versioned,
}

/// How pointers travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Queue {
    /// A drain worker may wake at any time, which covers every late, doubled and reordered pointer of any queue.
    AnyTime,
    /// One group: nothing behind a received message is delivered until it is deleted or visible again.
    Fifo,
    /// Any message may be delivered at any time and more than once.
    Standard,
}

/// What a drain worker does with a pointer to an entry that is not next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EarlyPointer {
    /// It is only a wake-up: run `done_seq + 1`.
    WakesLane,
    StaysInQueue,
    IsDeleted,
}

/// What a client's retry meets while the original is in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RetryInFlight {
    Waits,
    IsAnswered202,
    GoesUnnoticed,
}

/// Which refusals end the entry with a 422 instead of parking the lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FinalRefusal {
    /// Those of an entry's first, direct call, while its lease is still the writer's own.
    InFirstCall,
    /// Also those of the write-back to the origin, which follows a call that had its effect.
    OfWriteBackToo,
    /// Also those of an entry's first call whose lease was lost.
    WithoutLease,
    /// Also those of an entry that its writer had appended before.
    OfAppendedToo,
    /// Also those met in a drain, where nobody waits for the answer.
    InDrainToo,
}

/// How many ids of final writes the head remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecentRule {
    pub capacity: usize,
    /// Ids of open entries are never evicted.
    pub keeps_open: bool,
    pub evicted: EvictedIds,
}

/// What is kept of an id that fell out of the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EvictedIds {
    /// Nothing.
    Forgotten,
    /// It raises a floor: an id at or below it is answered 409. Ids that come out of order are refused with the others.
    RaiseFloor,
    /// The id itself, without its answer: it is answered 409, and no other is.
    Kept,
}

/// When a write counts as crossing one of the other side, and so is written back to its own origin as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crossing {
    Never,
    Always,
    /// Behind an open entry of the other side.
    BehindOpenEntry,
    /// Directly behind an entry of the other side.
    BehindLastEntry,
    /// When the lane ever wrote to the origin.
    EverWritten,
    /// When the lane wrote to the origin an entry newer than the write's base, or one in doubt.
    SinceBase(Doubt),
}

/// Which entries up to the base count as well, because the app may get them once more after its commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Doubt {
    None,
    /// Those that are open now.
    Open,
    /// Those whose outcome was ever unknown or whose executor was lost.
    Marked,
    OpenOrMarked,
    /// As `OpenOrMarked`, but only the base itself: a lane is serial, so what came before the base has landed before
    /// it.
    OpenOrMarkedBase,
}

impl Crossing {
    /// Elsewhere nobody reads the marks, which would only multiply the states.
    pub(crate) fn reads_marks(self) -> bool {
        matches!(self, Self::SinceBase(Doubt::Marked | Doubt::OpenOrMarked | Doubt::OpenOrMarkedBase))
    }
}

/// Which of two crossing writes stands in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Policy {
    LastWins,
    /// Side A wins; a crossing write of side B only puts side B back.
    PrimaryWins,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    /// The origin of each writer; each sends one write.
    pub writers: &'static [Side],
    /// `(retry, original)`: the first of these writers sends the second's id again.
    pub retry_of: Option<(u8, u8)>,
    pub drain_workers: usize,
    pub faults: Faults,

    pub target: Target,
    pub queue: Queue,
    pub queue_limit: usize,
    pub pointers_get_lost: bool,
    pub early_pointer: EarlyPointer,
    pub sweep: bool,
    /// A writer reads the map's state again after its append.
    pub reread: bool,
    /// `CatchingUp` is kept apart from `Running`, and may end too early. No rule asks for the difference.
    pub catching_up: bool,

    pub compare_and_set: bool,
    /// A drain worker runs `done_seq + 1` and nothing else.
    pub next_entry_only: bool,
    /// A lease may expire although its owner lives, and a call may land however late ("zombies").
    pub leases_expire_early: bool,
    /// After an unknown outcome the entry stays in flight until its call can no longer land.
    pub unknown_stays_in_flight: bool,
    /// A target's "older version" counts as success.
    pub older_version_is_success: bool,
    /// An expired head is made anew with a new generation.
    pub new_generation: bool,

    pub retry_in_flight: RetryInFlight,
    /// The id enters `recent` also when an entry is released or moved by the sweep.
    pub release_remembers_id: bool,
    pub recent: RecentRule,

    pub final_refusal: FinalRefusal,
    /// Write-backs and restore entries may be refused as well as the first call of a write.
    pub any_call_may_be_refused: bool,
    /// A refused or skipped entry is followed by a restore entry.
    pub restores: bool,
    /// An operator's skip waits until no call of the entry can land any more.
    pub skip_waits_for_call: bool,
    /// A skipped entry may take effect for a while, because a restore entry comes after it.
    pub skipped_may_land: bool,

    /// Each app commits its own change before it calls, and both must end with the same value.
    pub commits_first: bool,
    /// One app sends its writes in commit order.
    pub commit_order: bool,
    pub crossing: Crossing,
    /// A lease that is taken over leaves its mark on the entry, as an unknown outcome does.
    pub takeover_marks: bool,
    /// A base from before the head's expiry counts as crossed, as nobody knows what was written since.
    pub lost_memory_counts: bool,
    pub policy: Policy,
}

impl Setup {
    /// The origin of a writer's write.
    pub(crate) fn origin_of(&self, writer: u8) -> Side {
        self.writers[usize::from(writer)]
    }

    /// The id of a writer's write: a retry sends its original's.
    pub(crate) fn id_of(&self, writer: u8) -> Id {
        match self.retry_of {
            Some((retry, original)) if retry == writer => original,
            _ => writer,
        }
    }

    /// Two writers of side A, one drain worker, an idempotent target, every rule in force.
    pub(crate) const ONE_ORIGIN: Self = Self {
        writers: &[Side::A, Side::A],
        retry_of: None,
        drain_workers: 1,
        faults: Faults::USUAL,
        target: Target::Idempotent,
        queue: Queue::AnyTime,
        queue_limit: 2,
        pointers_get_lost: true,
        early_pointer: EarlyPointer::WakesLane,
        sweep: true,
        reread: true,
        catching_up: false,
        compare_and_set: true,
        next_entry_only: true,
        leases_expire_early: false,
        unknown_stays_in_flight: true,
        older_version_is_success: true,
        new_generation: true,
        retry_in_flight: RetryInFlight::Waits,
        release_remembers_id: true,
        recent: RecentRule { capacity: 16, keeps_open: true, evicted: EvictedIds::Forgotten },
        final_refusal: FinalRefusal::InFirstCall,
        any_call_may_be_refused: false,
        restores: false,
        skip_waits_for_call: true,
        skipped_may_land: false,
        commits_first: false,
        commit_order: true,
        crossing: Crossing::Never,
        takeover_marks: true,
        lost_memory_counts: true,
        policy: Policy::LastWins,
    };

    /// As above, with leases that expire early and one unknown outcome.
    pub(crate) const ZOMBIES: Self =
        Self { leases_expire_early: true, faults: Faults { unknowns: 1, ..Faults::PAUSE }, ..Self::ONE_ORIGIN };

    /// One write of side A and two of side B, each committed before it is sent.
    pub(crate) const TWO_ORIGINS: Self = Self {
        writers: &[Side::A, Side::B, Side::B],
        commits_first: true,
        crossing: Crossing::SinceBase(Doubt::None),
        ..Self::ONE_ORIGIN
    };
}
