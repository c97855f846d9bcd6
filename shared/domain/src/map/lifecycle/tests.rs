use super::*;
use crate::mapping::tests::customers;

fn map() -> Map {
    Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(1))
}

fn after(map: &Map, command: MapCommand) -> Map {
    match map.decide(command, "ann", "because", Timestamp(2)) {
        MapAnswer::Changed(map) => *map,
        other => panic!("{command:?} from {}: {other:?}", map.state),
    }
}

#[test]
fn a_change_says_who_did_it_and_why_and_raises_epoch_and_version() {
    let running = after(&map(), MapCommand::Run);
    assert_eq!(
        (running.state, running.epoch, running.version, &*running.actor, &*running.reason, running.cause.clone()),
        (MapState::Running, 1, 2, "ann", "because", Cause::Operator)
    );
    let live =
        after(&after(&after(&running, MapCommand::Pause), MapCommand::Resume(Backlog::CatchUp)), MapCommand::CaughtUp);
    assert_eq!((live.state, live.epoch, live.cause.clone()), (MapState::Running, 4, Cause::CaughtUp));
}

/// Every pair of state and command: the whole table, so that nobody changes a cell without noticing.
#[test]
fn every_command_has_its_answer_in_every_state() {
    use MapState::{CatchingUp, Initializing, NotRunning, Paused, Running, Stopped};
    const CATCH_UP: MapCommand = MapCommand::Resume(Backlog::CatchUp);
    let table = [
        (MapCommand::Run, "changed illegal already illegal illegal changed"),
        (MapCommand::Pause, "illegal illegal changed already changed illegal"),
        (CATCH_UP, "illegal illegal already changed already illegal"),
        (MapCommand::Resume(Backlog::SkipToLive), "illegal illegal illegal changed changed illegal"),
        (MapCommand::Resume(Backlog::Discard), "illegal illegal illegal changed changed illegal"),
        (MapCommand::Stop, "already changed changed changed changed already"),
        (MapCommand::CaughtUp, "illegal illegal already illegal changed illegal"),
    ];
    assert_eq!(MapState::ALL, [NotRunning, Initializing, Running, Paused, CatchingUp, Stopped]);
    for (command, row) in table {
        for (state, wanted) in MapState::ALL.into_iter().zip(row.split(' ')) {
            let map = Map { state, ..map() };
            let got = match map.decide(command, "ann", "", Timestamp(2)) {
                MapAnswer::Changed(next) => {
                    assert_eq!((next.epoch, next.version), (map.epoch + 1, map.version + 1));
                    "changed"
                }
                MapAnswer::Already => "already",
                MapAnswer::Illegal => "illegal",
            };
            assert_eq!(got, wanted, "{command:?} from {state}");
        }
    }
}

#[test]
fn every_state_says_what_happens_to_a_write() {
    let intake = MapState::ALL.map(MapState::intake);
    use Intake::{Keep, Skip, Write};
    assert_eq!(intake, [Skip, Write, Write, Keep, Write, Skip]);
}

#[test]
fn a_cut_covers_what_was_accepted_before_it_and_the_last_word_on_it_counts() {
    let paused = after(&after(&map(), MapCommand::Run), MapCommand::Pause);
    let skipping = after(&paused, MapCommand::Resume(Backlog::SkipToLive));
    let cut = skipping.cut.clone().unwrap();
    assert_eq!((cut.before_epoch, cut.cause, &*cut.actor), (3, ArchiveCause::SkippedToLive, "ann"));
    assert_eq!(after(&skipping, MapCommand::Pause).cut, Some(cut), "a pause suspends it");
    let discarding = after(&skipping, MapCommand::Resume(Backlog::Discard));
    assert_eq!(discarding.cut.as_ref().map(|cut| cut.cause), Some(ArchiveCause::Discarded));
    assert_eq!(skipping.decide(MapCommand::Resume(Backlog::SkipToLive), "bob", "", Timestamp(3)), MapAnswer::Already);
    assert_eq!(after(&discarding, MapCommand::Resume(Backlog::CatchUp)).cut, None, "the rest is written after all");
    assert_eq!(after(&discarding, MapCommand::CaughtUp).cut, None);
}
