use super::*;
use crate::{
    id::EntryId,
    log::{ErrorDisposition, ErrorEvent},
    mapping::tests::customers,
    rule::tests::rule as config,
};

const NOW: Timestamp = Timestamp(1_795_428_000_000);

fn map(live_epoch: u64) -> Map {
    let map = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", NOW);
    Map { state: MapState::Running, live_epoch, ..map }
}

fn rule(action: Action) -> Rule {
    let config = RuleConfig { action, ..config(1, 1) };
    Rule { id: "crm-refuses".parse().unwrap(), config, version: 1, actor: "kim".to_owned(), changed_at: NOW }
}

fn breach(errors: u64) -> Breach {
    let errors = (0..errors).map(|n| LogId(u128::from(n))).collect();
    Breach { first_at: NOW.minus_ms(9), last_at: NOW.minus_ms(2), errors }
}

fn opened(action: Action) -> Incident {
    Incident::open(IncidentId(1), &rule(action), &map(4), &breach(3), &[], NOW)
}

fn error(n: u128, key: &str, message: &str) -> LoggedError {
    LoggedError::new(ErrorEvent {
        id: LogId(n),
        at: NOW,
        happened_at: None,
        map: "customers".parse().unwrap(),
        uid: MapUid(1),
        epoch: 4,
        from: None,
        to: "crm".parse().unwrap(),
        key: Some(key.parse().unwrap()),
        entry: Some(EntryId(n)),
        seq: None,
        write: None,
        attempt: 1,
        class: ErrorClass::Application,
        code: None,
        message: message.to_owned(),
        fate: ErrorDisposition::Parked,
        payload: None,
    })
}

#[test]
fn an_incident_keeps_what_was_counted() {
    let incident = opened(Action::Pause);
    assert_eq!((incident.count, incident.errors.len(), incident.live_epoch, incident.version), (3, 3, 4, 1));
    assert_eq!((incident.first_at, incident.last_at, incident.opened_at), (NOW.minus_ms(9), NOW.minus_ms(2), NOW));
    assert_eq!(incident.notices.iter().map(|notice| notice.kind).collect::<Vec<_>>(), [NoticeKind::Opened]);
    let many = Incident::open(IncidentId(1), &rule(Action::Pause), &map(4), &breach(5_000), &[], NOW);
    assert_eq!((many.count, many.errors.len()), (5_000, KEPT_ERRORS));
}

#[test]
fn the_most_frequent_errors_come_first_with_some_of_their_records() {
    let mut errors: Vec<_> = (0..9).map(|n| error(n, &format!("C-{n}"), "limit exceeded")).collect();
    errors.extend((10..12).map(|n| error(n, "C-1", "locked")));
    errors
        .extend((20..20 + TOP_MESSAGES as u128).map(|n| error(n, "C-1", &format!("once {}", "x".repeat(n as usize)))));
    let all: Vec<_> = errors.iter().collect();
    let top = Incident::open(IncidentId(1), &rule(Action::Pause), &map(4), &breach(3), &all, NOW).top;
    assert_eq!(top.len(), TOP_MESSAGES);
    assert_eq!((top[0].count, top[0].keys.len(), &*top[0].message), (9, SAMPLE_KEYS, "limit exceeded"));
    assert_eq!((top[1].count, top[1].keys.len()), (2, 1), "each record once");
}

#[test]
fn a_breach_is_a_known_incident_until_the_map_is_resumed_or_the_rule_acts_otherwise() {
    let incident = opened(Action::Pause);
    let covers = |action, map: &Map| incident.covers(&rule(action).config, map);
    assert!(covers(Action::Pause, &map(4)) && covers(Action::Pause, &map(3)) && !covers(Action::Pause, &map(5)));
    assert!(covers(Action::None, &map(4)), "it does no more than was done");
    assert!(!covers(Action::Stop, &map(4)), "it does more, and changes flow");
    assert!(!covers(Action::Stop, &Map { state: MapState::CatchingUp, ..map(4) }));
    assert!(covers(Action::Stop, &Map { state: MapState::Paused, ..map(4) }), "none does");
}

#[test]
fn after_a_resume_its_action_is_due_once_more() {
    let done = Acted { at: NOW, state: Some(MapState::Paused), left: None };
    let by = Attribution { actor: "kim".to_owned(), at: NOW, reason: String::new() };
    let acted = opened(Action::Pause).acted(done.clone()).acknowledged(by.clone());
    assert_eq!((acted.version, acted.acknowledged.as_ref(), acted.action_due()), (3, Some(&by), false));
    let again = acted.again(&rule(Action::Stop), &map(6), &breach(7), &[], NOW.plus_ms(5));
    assert_eq!((again.version, again.live_epoch, again.count, again.action_due()), (4, 6, 7, true));
    assert_eq!((again.acknowledged.clone(), again.wants(), again.opened_at), (None, Some(MapState::Stopped), NOW));
    assert_eq!(again.notices.last().map(|notice| notice.kind), Some(NoticeKind::Again));
    let over = acted.recovered(Ending::Quiet, NOW.plus_ms(9));
    assert_eq!((over.version, over.ending.as_ref()), (4, Some(&Ending::Quiet)));
    assert_eq!(over.recovered, Some((NOW.plus_ms(9), Ending::Quiet.to_string())));
    assert_eq!(over.notices.last().map(|notice| notice.kind), Some(NoticeKind::Recovered));
    assert!(!opened(Action::Pause).recovered(Ending::Quiet, NOW).action_due());
}

#[test]
fn an_incident_is_open_until_it_is_over_and_its_mails_are_settled() {
    let mut over = opened(Action::Pause).recovered(Ending::Quiet, NOW);
    assert!(over.is_open(), "mails are to be sent");
    over.notices.iter_mut().for_each(|notice| notice.to = Some(Vec::new()));
    assert!(!over.is_open());
    assert!(Incident { recovered: None, ..over }.is_open());
}

#[test]
fn an_action_says_which_state_it_wants_and_how_long_it_took() {
    let wants = [Action::None, Action::Pause, Action::Stop].map(|action| opened(action).wants());
    assert_eq!(wants, [None, Some(MapState::Paused), Some(MapState::Stopped)]);
    let due = opened(Action::Pause);
    let acted = |state| due.acted(Acted { at: NOW.plus_ms(3), state, left: None });
    assert_eq!(due.paused_after_ms(&acted(Some(MapState::Paused))), Some(5));
    assert_eq!(due.paused_after_ms(&acted(None)), None, "the map was left as it was");
    let before = acted(Some(MapState::Paused));
    assert_eq!(before.paused_after_ms(&before), None, "it was not due any more");
}

#[test]
fn its_lines_stand_in_their_order_and_name_their_cause() {
    let incident = opened(Action::Pause);
    let opened = incident.line(IncidentStep::Opened, "tandem", "10 errors", NOW);
    let cause = Cause::Rule { rule: incident.rule.clone(), incident: incident.id };
    assert_eq!((&opened.cause, &*opened.actor, &*opened.reason), (&cause, "tandem", "10 errors"));
    let acted = incident.line(IncidentStep::Acted, "tandem", "", NOW);
    assert!(
        opened.id < LogId::of(NOW, Order::Change(0), &[]) && LogId::of(NOW, Order::Change(u64::MAX), &[]) < acted.id
    );
    let wanted =
        ActivityKind::Incident { incident: incident.id, rule: incident.rule, step: IncidentStep::Opened, errors: 3 };
    assert_eq!(opened.what, wanted);
}

#[test]
fn errors_that_the_last_incident_counted_count_no_more_until_changes_flow_anew() {
    let watch = Watch {
        rule: "crm-refuses".parse().unwrap(),
        map: "customers".parse().unwrap(),
        uid: MapUid(1),
        open: None,
        closed: Some((NOW, 4)),
        auto_resumed: 2,
        version: 1,
    };
    assert_eq!([3, 4, 5].map(|epoch| watch.counted_until(&map(epoch))), [Some(NOW), Some(NOW), None]);
    let day = AUTO_RESUMES_FORGOTTEN_MS;
    assert_eq!(day, 86_400_000);
    assert_eq!(watch.lately_auto_resumed(NOW.plus_ms(day - 1)), 2);
    assert_eq!(watch.lately_auto_resumed(NOW.plus_ms(day)), 0);
    assert_eq!(Watch { closed: None, ..watch }.lately_auto_resumed(NOW), 0);
}
