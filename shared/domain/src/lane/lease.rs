//! Who may execute the next entry of a lane.

use super::{ActiveEntry, Entry, Head, JournalEffect, MarkerState, StepFailure, admit::writing, unsent};
use crate::{
    failure::{CallEffect, ErrorClass, Failure},
    id::{Owner, RecordKey},
    limits::LEASE_MARGIN_MS,
    map::{Map, MapState, SideIx},
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// What a worker finds when it wants the next entry of a lane.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Nothing waits.
    Idle,
    /// The next entry waits for an operator.
    Parked,
    /// Another attempt holds the lane, or the next attempt is not due, until this time.
    NotYet(Timestamp),
    /// The entry at this place must be read from the journal first.
    NeedsEntry(u64),
    /// The next entry is not to be written, but archived.
    Archive(Box<Entry>),
    /// The next entry waits for an operator from now on: store the head with the effects.
    Park(Box<Head>, Vec<JournalEffect>),
    /// Store the head, then execute the entry.
    Taken {
        /// The head with the entry in flight.
        head: Box<Head>,
        /// The entry, its attempt counted.
        entry: Box<Entry>,
    },
}

/// Claims the entry `done_seq + 1`, whatever woke the worker: a message is only a wake-up. `stored` is that entry from
/// the journal, if it was read.
#[must_use]
pub fn claim(
    head: &Head,
    stored: Option<&Entry>,
    map: &Map,
    key: &RecordKey,
    owner: Owner,
    now: Timestamp,
    durations: CallDurations,
) -> Claim {
    if head.idle() {
        return Claim::Idle;
    }
    let cutting = map.state == MapState::CatchingUp && map.cut.is_some();
    if head.parked && !cutting {
        return Claim::Parked;
    }
    let seq = head.done_seq + 1;
    let mut direct = None;
    let mut taken_over = None;
    match &head.inflight {
        Some(inflight) if inflight.lease_end > now => return Claim::NotYet(inflight.lease_end),
        Some(inflight) => {
            direct.clone_from(&inflight.direct);
            taken_over = inflight.owner.map(|_| inflight.lease_end);
        }
        None if head.not_before > now && !cutting => return Claim::NotYet(head.not_before),
        None => {}
    }
    let found = direct.as_deref().or(stored).filter(|entry| entry.seq == seq);
    let Some(mut entry) = found.cloned() else { return Claim::NeedsEntry(seq) };
    if entry.cancelled.is_some() || map.cuts(&entry).is_some() {
        return Claim::Archive(Box::new(entry));
    }
    if head.parked {
        return Claim::Parked;
    }
    if head.inflight.is_none() && head.not_before > now {
        return Claim::NotYet(head.not_before);
    }
    let mut freed = head.clone();
    forget_holder(&mut freed, seq);
    if let Some((parked, effects)) = unsent::park(&freed, &entry, map, key, now) {
        // An operator may take it out at once: not before a call of it can land no more.
        let landed = taken_over.map_or(now, |lease_end| lease_end.plus_ms(durations.call_life_ms));
        return if landed > now { Claim::NotYet(landed) } else { Claim::Park(Box::new(parked), effects) };
    }
    let due_from = head.due_from(&entry, now);
    if due_from > now {
        return Claim::NotYet(due_from);
    }
    if let Some(to) = entry.copied_to() {
        if let Some(lease_end) = taken_over {
            entry.last_failure = Some(StepFailure { to, at: lease_end, failure: holder_died() });
        }
        // What was copied before may still land, on top of what is copied now; an operator's retry waits for that, too.
        let unknown = entry.last_failure.as_ref().filter(|last| last.failure.effect == CallEffect::Unknown);
        let landed = unknown.map(|last| last.at.plus_ms(durations.call_life_ms));
        if let Some(landed) = landed.filter(|landed| *landed > now) {
            return Claim::NotYet(landed);
        }
    }
    entry.attempts += 1;
    // Whoever held the lease may have called the app, and that call may still land.
    entry.outcome_unknown |= taken_over.is_some();
    let mut head = Head { version: head.version + 1, ..freed };
    head.inflight = Some(ActiveEntry {
        seq,
        entry: entry.id,
        owner: Some(owner),
        lease_end: now.plus_ms(durations.lease_ms),
        writing: writing(&entry, map),
        direct: direct.is_some().then(|| Box::new(entry.clone())),
    });
    Claim::Taken { head: Box::new(head), entry: Box::new(entry) }
}

/// How long the calls of an entry take at most.
#[derive(Clone, Copy, Debug)]
pub struct CallDurations {
    /// All of them together, in milliseconds: see [`lease_ms`].
    pub lease_ms: u64,
    /// How long after that a call may still take effect, in milliseconds: see [`super::call_life_ms`].
    pub call_life_ms: u64,
}

impl CallDurations {
    /// Of entries between these two sides.
    #[must_use]
    pub fn of(sides: [&SideConfig; 2]) -> Self {
        Self { lease_ms: lease_ms(sides), call_life_ms: super::call_life_ms(sides) }
    }
}

fn holder_died() -> Failure {
    let says = "the function that made the call ended before it had stored the answer";
    Failure::new(ErrorClass::Timeout, CallEffect::Unknown, None, says)
}

/// Puts a direct write whose lease has ended into the journal, to wait there: on a map that does not write nobody takes
/// it over, and its caller must be told that it is kept. `None`: there is none.
#[must_use]
pub fn requeue_abandoned(head: &Head, key: &RecordKey, now: Timestamp) -> Option<(Head, Entry, Vec<JournalEffect>)> {
    let lost = head.inflight.as_ref().filter(|inflight| inflight.lease_end <= now)?;
    let mut entry = (**lost.direct.as_ref()?).clone();
    entry.outcome_unknown = true;
    let mut head = Head { version: head.version + 1, not_before: now, ..head.clone() };
    forget_holder(&mut head, entry.seq);
    let marker = entry.marker(key, MarkerState::Open);
    let effects = vec![JournalEffect::Append(entry.clone(), marker)];
    Some((head, entry, effects))
}

/// Takes the lane from a holder whose lease has ended. What it may have written is noted.
fn forget_holder(head: &mut Head, seq: u64) {
    let Some(lost) = head.inflight.take().filter(|lost| lost.owner.is_some()) else { return };
    for side in SideIx::BOTH {
        if let Some(content) = lost.writing[side] {
            head.sides[side].note_written(seq, content);
        }
    }
}

/// Whether a call to `side` that begins now is over, and cannot land any more, before the lease ends.
#[must_use]
pub fn may_call(lease_end: Timestamp, now: Timestamp, side: &SideConfig) -> bool {
    let landing = if side.capability == Capability::Plain { side.call_life_ms } else { longest_call_ms(side) };
    now.plus_ms(landing) <= lease_end
}

/// The longest that one call may keep us waiting: a versioned side may be read, written, and both again.
fn longest_call_ms(side: &SideConfig) -> u64 {
    side.request_timeout_ms * side.requests_per_write()
}

/// How long the calls of one entry may take at most, in milliseconds. For a `plain` side this includes the time after
/// which a call can still land: until then nobody else may write the record there.
#[must_use]
pub fn lease_ms(sides: [&SideConfig; 2]) -> u64 {
    let calls = sides.iter().map(|side| {
        let landing = if side.capability == Capability::Plain { side.call_life_ms } else { 0 };
        longest_call_ms(side) + side.request_timeout_ms + landing // a restore reads one side and writes the other
    });
    calls.sum::<u64>() + LEASE_MARGIN_MS
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        id::{EntryId, MapUid, WriteId},
        lane::{ArchiveCause, Crossing, Mode, OpenTransaction, RestoreCause, Winner, Work, Write},
        map::Cut,
        mapping::tests::customers,
        record::{ContentHash, Image},
    };

    const NOW: Timestamp = Timestamp(1_795_428_000_000);
    const OWNER: Owner = Owner(7);

    fn side(capability: Capability) -> SideConfig {
        let connector = json!({"kind": "odata", "base_url": "https://app.example/", "create": "upsert"});
        serde_json::from_value(json!({
            "connector": connector, "capability": capability, "request_timeout_ms": 10_000, "call_life_ms": 60_000,
        }))
        .unwrap()
    }

    fn map(state: MapState) -> Map {
        Map { state, ..Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", NOW) }
    }

    fn entry(seq: u64) -> Entry {
        let (id, body) = (WriteId::made(u128::from(seq)), ContentHash(seq));
        let (origin, shape) = (Some(SideIx::First), SideIx::First);
        let write = Write { id, body, origin, shape, mode: Mode::Committed, image: Image::Absent };
        Entry::new(seq, EntryId(u128::from(seq)), Work::Write(write), NOW)
    }

    /// A lane in which one entry waits.
    fn waiting() -> Head {
        Head { version: 5, next_seq: 4, done_seq: 2, ..Head::new(MapUid(1), NOW) }
    }

    fn claim_at(head: &Head, stored: Option<&Entry>, map: &Map, now: Timestamp) -> Claim {
        claim(
            head,
            stored,
            map,
            &"C-1".parse().unwrap(),
            OWNER,
            now,
            CallDurations { lease_ms: 1_000, call_life_ms: 500 },
        )
    }

    #[test]
    fn the_next_entry_is_taken_with_a_lease_and_its_attempt_counted() {
        let running = map(MapState::Running);
        assert_eq!(claim_at(&waiting(), None, &running, NOW), Claim::NeedsEntry(3));
        assert_eq!(claim_at(&waiting(), Some(&entry(4)), &running, NOW), Claim::NeedsEntry(3));
        let stored = Entry { attempts: 2, ..entry(3) };
        let Claim::Taken { head, entry } = claim_at(&waiting(), Some(&stored), &running, NOW) else { panic!() };
        assert_eq!((entry.attempts, entry.outcome_unknown, head.version), (3, false, 6));
        let inflight = head.inflight.as_ref().unwrap();
        assert_eq!((inflight.seq, inflight.owner, inflight.lease_end), (3, Some(OWNER), NOW.plus_ms(1_000)));
        assert!(inflight.direct.is_none(), "it is in the journal");
    }

    #[test]
    fn an_entry_whose_time_has_not_come_waits() {
        let running = map(MapState::Running);
        let later = Head { not_before: NOW.plus_ms(1), ..waiting() };
        assert_eq!(claim_at(&later, Some(&entry(3)), &running, NOW), Claim::NotYet(NOW.plus_ms(1)));
        assert_eq!(
            claim_at(&later, None, &running, NOW),
            Claim::NotYet(NOW.plus_ms(1)),
            "it need not be read for that"
        );
        assert!(matches!(claim_at(&later, Some(&entry(3)), &running, NOW.plus_ms(1)), Claim::Taken { .. }));
    }

    #[test]
    fn nothing_is_copied_while_a_caller_of_either_side_may_still_commit() {
        let running = map(MapState::Running);
        let copies = |cause| {
            let work = Work::Restore { from: SideIx::First, to: SideIx::Second, cause };
            Entry { accepted_at: NOW, ..Entry::new(3, EntryId(3), work, NOW) }
        };
        let write = entry(3);
        let loses = Entry { crossing: Some(Crossing { winner: Winner::TheOther }), ..entry(3) };
        let ambiguous = Entry { needs_resync: true, ..entry(3) };
        for (side, accepted_at) in [(SideIx::First, NOW.minus_ms(20_000)), (SideIx::Second, NOW.minus_ms(20_000))] {
            let mut head = waiting();
            head.sides[side].open_transaction = Some(OpenTransaction { accepted_at, longest_ms: 30_000 });
            let closed = NOW.plus_ms(10_000);
            for copy in
                [copies(RestoreCause::Recovered), copies(RestoreCause::Reverted), loses.clone(), ambiguous.clone()]
            {
                assert_eq!(claim_at(&head, Some(&copy), &running, NOW), Claim::NotYet(closed), "{copy:?}");
                assert!(matches!(claim_at(&head, Some(&copy), &running, closed), Claim::Taken { .. }), "{copy:?}");
            }
            for now in [copies(RestoreCause::CallerRollsBack), write.clone()] {
                assert!(matches!(claim_at(&head, Some(&now), &running, NOW), Claim::Taken { .. }), "{now:?}");
            }
        }
    }

    #[test]
    fn a_copy_whose_holder_died_waits_for_its_call_and_is_another_request() {
        let running = map(MapState::Running);
        let work = Work::Restore { from: SideIx::First, to: SideIx::Second, cause: RestoreCause::Recovered };
        let copy = Entry::new(3, EntryId(3), work, NOW);
        let Claim::Taken { head, .. } = claim_at(&waiting(), Some(&copy), &running, NOW) else { panic!() };
        let end = NOW.plus_ms(1_000);
        assert_eq!(claim_at(&head, Some(&copy), &running, end), Claim::NotYet(end.plus_ms(500)));
        let Claim::Taken { entry: later, .. } = claim_at(&head, Some(&copy), &running, end.plus_ms(500)) else {
            panic!()
        };
        assert!(later.outcome_unknown && later.idempotency_key() != copy.idempotency_key());
        let Claim::Taken { head, .. } = claim_at(&waiting(), Some(&entry(3)), &running, NOW) else { panic!() };
        let Claim::Taken { entry: again, .. } = claim_at(&head, Some(&entry(3)), &running, end) else { panic!() };
        assert_eq!(again.idempotency_key(), EntryId(3), "it has an image of its own: the same request");
    }

    #[test]
    fn writes_that_are_accepted_later_do_not_hold_a_copy_up() {
        let work = Work::Restore { from: SideIx::First, to: SideIx::Second, cause: RestoreCause::Recovered };
        let copy = Entry::new(3, EntryId(3), work, NOW);
        let mut head = waiting();
        let accepted_at = NOW.plus_ms(25_000);
        head.sides[SideIx::First].open_transaction = Some(OpenTransaction { accepted_at, longest_ms: 30_000 });
        assert_eq!(head.due_from(&copy, NOW), NOW.plus_ms(30_000));
        assert_eq!(head.due_from(&copy, NOW.plus_ms(40_000)), NOW.plus_ms(40_000));
    }

    #[test]
    fn a_lease_is_over_when_its_time_has_come_and_its_call_may_have_had_an_effect() {
        let running = map(MapState::Running);
        let Claim::Taken { head, .. } = claim_at(&waiting(), Some(&entry(3)), &running, NOW) else { panic!() };
        let end = NOW.plus_ms(1_000);
        assert_eq!(claim_at(&head, Some(&entry(3)), &running, end.minus_ms(1)), Claim::NotYet(end));
        let Claim::Taken { entry, .. } = claim_at(&head, Some(&entry(3)), &running, end) else { panic!() };
        assert!(entry.outcome_unknown);
    }

    #[test]
    fn a_cut_is_carried_out_in_parked_lanes_and_before_their_time_while_the_map_catches_up() {
        let cut = Cut { before_epoch: 9, cause: ArchiveCause::Discarded, actor: "kim".into(), reason: String::new() };
        let cutting = Map { cut: Some(cut), ..map(MapState::CatchingUp) };
        let not_cutting = Map { state: MapState::Running, ..cutting.clone() };
        let later = Head { not_before: NOW.plus_ms(1), ..waiting() };
        let parked = Head { parked: true, ..later.clone() };
        for head in [&later, &parked] {
            assert!(matches!(claim_at(head, Some(&entry(3)), &cutting, NOW), Claim::Archive(_)));
            assert!(matches!(claim_at(head, None, &cutting, NOW), Claim::NeedsEntry(3)));
        }
        assert_eq!(claim_at(&parked, Some(&entry(3)), &not_cutting, NOW), Claim::Parked);
        for stored in [Some(&entry(3)), None] {
            assert_eq!(claim_at(&parked, stored, &map(MapState::CatchingUp), NOW), Claim::Parked);
        }
        let live = Entry { epoch: 9, ..entry(3) };
        assert_eq!(claim_at(&parked, Some(&live), &cutting, NOW), Claim::Parked, "accepted after the cut");
        assert_eq!(claim_at(&later, Some(&live), &cutting, NOW), Claim::NotYet(NOW.plus_ms(1)));
    }

    #[test]
    fn a_write_that_is_put_into_the_journal_is_due_at_once() {
        let running = map(MapState::Running);
        let mut head = waiting();
        head.inflight = Some(ActiveEntry {
            seq: 3,
            entry: EntryId(3),
            owner: Some(OWNER),
            lease_end: NOW,
            writing: crate::map::PerSide::default(),
            direct: Some(Box::new(entry(3))),
        });
        let (next, ..) = requeue_abandoned(&head, &"C-1".parse().unwrap(), NOW.plus_ms(5)).unwrap();
        assert_eq!(next.not_before, NOW.plus_ms(5));
        let Claim::Taken { head, .. } = claim_at(&head, None, &running, NOW) else { panic!() };
        assert!(head.inflight.unwrap().direct.is_some(), "a direct write that is taken over stays in the head");
    }

    #[test]
    fn a_call_begins_only_when_it_is_over_before_the_lease_is() {
        for (capability, ms) in
            [(Capability::Idempotent, 10_000), (Capability::Versioned, 30_000), (Capability::Plain, 60_000)]
        {
            let side = side(capability);
            assert!(may_call(NOW.plus_ms(ms), NOW, &side), "{capability:?}");
            assert!(!may_call(NOW.plus_ms(ms - 1), NOW, &side), "{capability:?}");
        }
    }

    #[test]
    fn a_lease_has_room_for_all_calls_of_an_entry() {
        let lease = |one, other| lease_ms([&side(one), &side(other)]);
        use Capability::{Idempotent, Plain, Versioned};
        assert_eq!(lease(Idempotent, Idempotent), 2 * (10_000 + 10_000) + LEASE_MARGIN_MS);
        assert_eq!(lease(Versioned, Idempotent), (30_000 + 10_000) + (10_000 + 10_000) + LEASE_MARGIN_MS);
        assert_eq!(lease(Idempotent, Plain), 2 * (10_000 + 10_000) + 60_000 + LEASE_MARGIN_MS);
    }
}
