use super::*;
use crate::{map::Intake, mapping::tests::customers};

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
        (MapCommand::Initialize, "changed already illegal illegal illegal changed"),
        (MapCommand::Initialized, "illegal changed already illegal illegal illegal"),
        (MapCommand::Pause, "illegal changed changed already changed illegal"),
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
fn names_in_the_api_are_those_that_are_stored() {
    for state in MapState::ALL {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        assert_eq!(state.to_string(), state.as_str());
    }
    let (rule, incident): (RuleId, _) = ("crm-refuses".parse().unwrap(), IncidentId(7));
    for (cause, of) in [
        (Cause::Operator, None),
        (Cause::CaughtUp, None),
        (Cause::InitialSync, None),
        (Cause::Schedule, None),
        (Cause::SyncRun, None),
        (Cause::Rule { rule, incident }, Some(incident)),
        (Cause::AutoResume { incident }, Some(incident)),
    ] {
        assert_eq!(serde_json::to_value(&cause).unwrap()["kind"], cause.as_str());
        assert_eq!(cause.incident(), of);
    }
    use MapCommand::{CaughtUp, Initialize, Initialized, Pause, Resume, Run, Stop};
    let commands = [Run, Initialize, Initialized, Pause, Resume(Backlog::CatchUp), Stop, CaughtUp];
    assert_eq!(
        commands.map(MapCommand::as_str),
        ["run", "initialize", "initialized", "pause", "resume", "stop", "caught_up"]
    );
}

#[test]
fn a_waiting_write_is_pointed_to_in_the_queue_while_the_map_is_paused_or_catches_up() {
    let queues = MapState::ALL.map(MapState::queues);
    assert_eq!(queues, [false, false, false, true, true, false]);
}

#[test]
fn changes_flow_anew_after_a_run_and_after_the_resume_of_a_paused_map() {
    let running = after(&map(), MapCommand::Run);
    let paused = after(&running, MapCommand::Pause);
    let resumed = after(&paused, MapCommand::Resume(Backlog::CatchUp));
    let other_choice = after(&resumed, MapCommand::Resume(Backlog::Discard));
    let caught_up = after(&other_choice, MapCommand::CaughtUp);
    let all = [&running, &paused, &resumed, &other_choice, &caught_up];
    assert_eq!(all.map(|map| map.epoch), [1, 2, 3, 4, 5]);
    assert_eq!(all.map(|map| map.live_epoch), [1, 1, 3, 3, 3]);
    assert_eq!(running.since, Timestamp(2));
}

#[test]
fn an_entry_is_cut_only_while_the_map_catches_up_and_only_if_it_is_older() {
    let paused = after(&after(&map(), MapCommand::Run), MapCommand::Pause);
    let cutting = after(&paused, MapCommand::Resume(Backlog::Discard));
    let work = crate::lane::Work::Restore {
        from: crate::map::SideIx::First,
        to: crate::map::SideIx::Second,
        cause: crate::lane::RestoreCause::Reverted,
    };
    let entry = |epoch| Entry { epoch, ..Entry::new(1, crate::EntryId(1), work.clone(), Timestamp(1)) };
    assert!(cutting.cuts(&entry(2)).is_some() && cutting.cuts(&entry(3)).is_none());
    assert!(after(&cutting, MapCommand::Pause).cuts(&entry(2)).is_none(), "a pause suspends it");
}

#[test]
fn a_pause_in_mid_catch_up_does_not_forget_what_was_archived() {
    let archived = |map: &Map| map.began.clone().unwrap().archived;
    let paused = after(&after(&map(), MapCommand::Run), MapCommand::Pause);
    let discarding = after(&paused, MapCommand::Resume(Backlog::Discard));
    let gone = Some((ArchiveCause::Discarded, "ann".to_owned()));
    assert_eq!(archived(&after(&discarding, MapCommand::Pause)), gone);
    let running = after(&discarding, MapCommand::CaughtUp);
    assert_eq!(
        (archived(&running), archived(&after(&running, MapCommand::Pause))),
        (gone, None),
        "another pause begins"
    );
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
