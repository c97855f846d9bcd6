//! Each branch of the classification, as a timeline of one side: what Tandem wrote there, and what the side then reports.

use super::*;
use crate::{
    id::{MapUid, WriteId},
    lane::{Echo, Mode, head::ActiveEntry},
    mapping::tests::customers,
    record::Image,
};

const A: SideIx = SideIx::First;
const RED: ContentHash = ContentHash(0b0001);
const BLUE: ContentHash = ContentHash(0b0010);
const GREEN: ContentHash = ContentHash(0b0011);
/// When Tandem wrote last.
const AT: Timestamp = Timestamp(1_795_428_000_000);

/// A side, and what it reports.
struct Timeline {
    head: Head,
    echoes: Echoes,
    side: SideConfig,
    base: Option<LaneVersion>,
    committed_at: Option<Timestamp>,
    now: Timestamp,
}

impl Timeline {
    /// Tandem has written these contents to the side, in entries that have come to their end.
    fn written(capability: Capability, writes: &[(u64, ContentHash)]) -> Self {
        let mut head = Head::new(MapUid(1), AT);
        let last = writes.iter().map(|(seq, _)| *seq).max().unwrap_or(0);
        for (seq, content) in writes {
            head.sides[A].note_written(*seq, *content);
        }
        (head.done_seq, head.next_seq) = (last, last + 1);
        (head.sides[A].last_write_seq, head.sides[A].last_write_at) = (last, AT);
        let side = serde_json::json!({"connector": {"kind": "odata", "base_url": "https://a.example/", "create": "upsert"}, "capability": capability});
        let side = serde_json::from_value(side).unwrap();
        Self { head, echoes: Echoes::default(), side, base: None, committed_at: None, now: AT }
    }

    fn idempotent(writes: &[(u64, ContentHash)]) -> Self {
        Self::written(Capability::Idempotent, writes)
    }

    fn plain(writes: &[(u64, ContentHash)]) -> Self {
        Self::written(Capability::Plain, writes)
    }

    /// One more entry was admitted that will write to the side.
    fn admitted(mut self) -> Self {
        self.head.sides[A].last_write_seq = self.head.next_seq;
        self.head.next_seq += 1;
        self
    }

    /// The side has reported everything up to this entry.
    fn seen(mut self, seq: u64) -> Self {
        self.head.sides[A].seen_seq = seq;
        self
    }

    /// The last try of a write may have come after the side's own change.
    fn retried(mut self) -> Self {
        self.head.sides[A].retried = true;
        self
    }

    /// A write of this content is no longer remembered one by one.
    fn evicted(mut self, seq: u64, content: ContentHash) -> Self {
        let side = &mut self.head.sides[A];
        side.evicted_seq = seq;
        side.evicted_filter |= crate::lane::head::filter_bits(content);
        self
    }

    /// The caller says which entry it had seen.
    fn base(mut self, generation: u64, seq: u64) -> Self {
        self.base = Some(LaneVersion { generation, seq });
        self
    }

    /// Its trigger leaves out what Tandem writes.
    fn silent(mut self) -> Self {
        self.side.reports_own_writes = false;
        self
    }

    fn reports(&self, content: ContentHash, before: Option<ContentHash>) -> ReportKind {
        let arrival = Arrival {
            id: WriteId::made(1),
            body: content,
            origin: Some(A),
            shape: A,
            mode: Mode::Committed,
            image: Image::Absent,
            before: None,
            base: self.base,
            version: None,
            committed_at: self.committed_at,
        };
        let report = Report { origin: A, content, before, arrival: &arrival, side: &self.side };
        classify_report(&self.head, &self.echoes, report, &customers(), self.now)
    }

    fn echo(&self, seq: u64) -> ReportKind {
        ReportKind::Echo(self.head.version_of(seq))
    }
}

fn change(seen: u64, crossing: bool) -> ReportKind {
    ReportKind::Change { seen, crossing }
}

#[test]
fn the_report_of_an_unseen_write_is_its_echo_and_of_a_seen_one_is_a_change() {
    let one = Timeline::idempotent(&[(7, RED)]);
    assert_eq!(one.reports(RED, None), one.echo(7));
    assert_eq!(one.seen(7).reports(RED, None), change(7, false));
    let three = Timeline::idempotent(&[(7, RED), (8, BLUE), (9, RED)]);
    assert_eq!(three.reports(RED, None), three.echo(7));
    assert_eq!(three.reports(RED, Some(BLUE)), three.echo(9));
    assert_eq!(three.reports(BLUE, Some(RED)), three.echo(8), "the oldest red is before it");
}

#[test]
fn a_write_in_flight_is_unseen_too() {
    let mut timeline = Timeline::idempotent(&[(7, RED)]).admitted();
    timeline.head.inflight = Some(ActiveEntry {
        seq: 8,
        entry: crate::EntryId(8),
        owner: None,
        lease_end: AT,
        writing: crate::map::PerSide([Some(BLUE), None]),
        direct: None,
    });
    assert_eq!(timeline.reports(BLUE, Some(RED)), timeline.echo(8));
    assert_eq!(timeline.reports(GREEN, Some(BLUE)), change(8, false));
}

#[test]
fn a_change_has_seen_the_newest_write_that_it_was_made_on() {
    let timeline = Timeline::idempotent(&[(7, RED), (8, BLUE), (9, RED)]);
    assert_eq!(timeline.reports(GREEN, Some(RED)), change(9, false));
    assert_eq!(timeline.reports(GREEN, Some(BLUE)), change(8, true), "9 is unseen");
    assert_eq!(timeline.reports(GREEN, Some(GREEN)), change(0, true), "all of them are");
    let once = Timeline::idempotent(&[(7, RED)]);
    assert_eq!(once.reports(RED, Some(RED)), change(7, false), "it was made on 7: no echo of it");
}

#[test]
fn a_content_that_the_side_reported_last_tells_nothing_of_a_later_write_of_it() {
    let mut timeline = Timeline::idempotent(&[(7, RED)]);
    timeline.head.sides[A].last_reported = Some(RED);
    assert_eq!(timeline.reports(GREEN, Some(RED)), change(0, true));
    // The side reported the echo of a blue write since.
    let version = timeline.head.version_of(6);
    let echo = Echo { id: 1, origin: A, body: BLUE, version, covered: false, content: BLUE };
    timeline.echoes = timeline.echoes.with(echo);
    assert_eq!(timeline.reports(GREEN, Some(RED)), change(7, false));
    timeline.head.sides[A].echoes_at_report = 1;
    assert_eq!(timeline.reports(GREEN, Some(RED)), change(6, true), "the change came after that echo");
}

#[test]
fn a_base_says_what_the_caller_has_seen() {
    let timeline = || Timeline::idempotent(&[(7, RED), (8, BLUE)]);
    let generation = timeline().head.generation;
    assert_eq!(timeline().base(generation, 8).reports(GREEN, None), change(8, false));
    assert_eq!(timeline().base(generation, 7).reports(GREEN, None), change(7, true));
    assert_eq!(timeline().base(generation + 1, 8).reports(GREEN, None), change(0, true), "of no lane that we know");
    let nothing_written = Timeline::idempotent(&[]).base(generation - 1, 8);
    assert_eq!(nothing_written.reports(GREEN, None), change(0, true), "of an earlier lane, whose writes are forgotten");
}

#[test]
fn a_caller_that_does_not_say_what_it_knew_has_seen_what_is_older_than_the_window() {
    let window = customers().crossing_window_ms;
    let mut timeline = Timeline::idempotent(&[(7, RED)]);
    timeline.now = AT.plus_ms(window);
    assert_eq!(timeline.reports(GREEN, None), change(0, true));
    timeline.now = AT.plus_ms(window + 1);
    assert_eq!(timeline.reports(GREEN, None), change(0, false));
    assert_eq!(timeline.reports(GREEN, Some(BLUE)), change(0, true), "it says that it had not");
    timeline.committed_at = Some(AT);
    assert_eq!(timeline.reports(GREEN, None), change(0, true), "it was made earlier than it arrived");
    timeline.committed_at = Some(timeline.now);
    assert_eq!(timeline.reports(GREEN, None), change(0, false));
}

#[test]
fn a_write_that_waits_will_come_on_top_of_any_change() {
    let mut timeline = Timeline::idempotent(&[]).admitted();
    timeline.now = AT.plus_ms(10 * customers().crossing_window_ms);
    assert_eq!(timeline.reports(GREEN, None), change(0, true));
    let generation = timeline.head.generation;
    assert_eq!(timeline.base(generation, 1).reports(GREEN, None), change(1, false), "its caller has seen it");
}

#[test]
fn an_evicted_content_is_not_taken_for_the_echo_of_a_later_write_of_it() {
    let timeline = || Timeline::idempotent(&[(8, BLUE), (9, RED)]).evicted(7, RED);
    assert_eq!(timeline().reports(RED, Some(GREEN)), ReportKind::Ambiguous, "of 7 or of 9?");
    assert_eq!(timeline().reports(RED, Some(BLUE)), timeline().echo(9), "it comes after 8");
    assert_eq!(timeline().reports(GREEN, Some(RED)), ReportKind::Ambiguous);
    assert_eq!(timeline().seen(7).reports(RED, Some(GREEN)), timeline().echo(9), "7 was seen");
    assert_eq!(timeline().reports(RED, None), timeline().echo(9), "a caller that tells nothing is not doubted");
    assert_eq!(timeline().reports(GREEN, Some(BLUE)), change(8, true), "it was made on 8: 7 is seen");
}

#[test]
fn a_side_without_idempotency_keys_may_take_a_write_twice() {
    // A versioned one does if the side changed the record in between: the repeat meets that tag.
    [Capability::Plain, Capability::Versioned].into_iter().for_each(may_take_a_write_twice);
}

fn may_take_a_write_twice(capability: Capability) {
    let once = || Timeline::written(capability, &[(7, RED)]);
    let twice = if capability == Capability::Plain { ReportKind::Ambiguous } else { change(7, false) };
    assert_eq!(once().reports(RED, Some(RED)), twice);
    assert_eq!(once().reports(BLUE, Some(RED)), change(7, false));
    assert_eq!(once().retried().reports(BLUE, Some(RED)), change(7, true), "red may still land on top");
    let seen = || once().seen(7).retried();
    assert_eq!(seen().reports(RED, Some(BLUE)), ReportKind::Ambiguous, "the second call, or a user");
    assert_eq!(seen().reports(GREEN, Some(BLUE)), change(7, true));
    assert_eq!(once().seen(7).reports(RED, Some(BLUE)), change(7, false), "it was called once");
    assert_eq!(seen().reports(RED, None), change(7, true), "a caller that tells nothing is not doubted");
}

#[test]
fn a_call_that_is_not_over_may_land_on_top_of_what_a_side_without_idempotency_keys_reports() {
    [Capability::Plain, Capability::Versioned].into_iter().for_each(may_land_on_top);
}

fn may_land_on_top(capability: Capability) {
    let waits = Timeline::written(capability, &[]).admitted();
    let generation = waits.head.generation;
    assert_eq!(waits.base(generation, 1).reports(GREEN, None), change(1, true));
    let idempotent = Timeline::idempotent(&[(7, RED)]).retried();
    assert_eq!(idempotent.reports(BLUE, Some(RED)), change(7, false));
}

#[test]
fn a_side_that_does_not_report_our_writes_reports_changes_alone() {
    let timeline = || Timeline::idempotent(&[(7, RED), (8, BLUE)]).silent();
    assert_eq!(timeline().reports(RED, None), change(0, true), "made within the window, without knowing of 7 and 8");
    assert_eq!(timeline().reports(RED, Some(BLUE)), change(8, false), "made on 8");
    assert_eq!(timeline().seen(8).reports(RED, Some(GREEN)), change(8, false));
    let mut later = timeline();
    later.now = AT.plus_ms(customers().crossing_window_ms + 1);
    assert_eq!(later.reports(RED, None), change(0, false));
    assert_eq!(timeline().evicted(6, GREEN).reports(GREEN, Some(BLUE)), change(8, false));
    let plain = Timeline::plain(&[(7, RED)]).silent().retried();
    assert_eq!(plain.reports(RED, Some(RED)), change(7, true), "the last try may still land on top");
}
