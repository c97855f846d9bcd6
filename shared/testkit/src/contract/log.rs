//! What every log, and every store of rules and incidents, must do.

use app::ports::{Alerts, CommitError, FailedEvent, Flagged, IncidentChange, Log, LogRange};
use domain::{
    ErrorClass, IncidentId, LogId, MapId, Timestamp,
    log::{LoggedError, Order, Resolution, Resolved},
    rule::{Breach, Ending, Group, Incident, Watch},
    side::Capability,
};

use crate::sample;

const NOON: Timestamp = Timestamp(1_795_435_200_000);

fn error(minute: u64, unit: u128, key: &str, class: ErrorClass) -> LoggedError {
    LoggedError::new(sample::error(NOON.plus_ms(minute * 60_000), unit, key, class))
}

fn map() -> MapId {
    sample::running(Capability::Idempotent).map.id
}

/// Errors are added once, listed newest first, by class, from a time on and behind a line.
///
/// # Panics
/// The log breaks the contract.
pub async fn errors_are_kept_once_and_listed_newest_first<L: Log>(log: &L) {
    let all: Vec<_> = (0..5).map(|n| error(n, u128::from(n), &format!("C-{n}"), ErrorClass::Application)).collect();
    for error in &all {
        assert_eq!(log.add_error(error).await, Ok(true));
        assert_eq!(log.add_error(error).await, Ok(false), "the same once more");
    }
    assert_eq!(log.add_error(&error(9, 9, "C-9", ErrorClass::Timeout)).await, Ok(true));
    let list = async |range: LogRange, limit: usize| {
        log.errors(&map(), ErrorClass::Application, range, limit).await.expect("the log is read")
    };
    let newest: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(list(LogRange::since(Timestamp(0)), 100).await, newest);
    assert_eq!(list(LogRange::since(Timestamp(0)), 2).await, newest[..2]);
    assert_eq!(list(LogRange::since(NOON.plus_ms(3 * 60_000)), 100).await, newest[..2], "the time itself is in it");
    let before = LogRange { from: Timestamp(0), before: Some(newest[1].event.id) };
    assert_eq!(list(before, 100).await, newest[2..]);
    let nothing = LogRange { from: NOON.plus_ms(60 * 60_000), before: Some(newest[1].event.id) };
    assert_eq!(list(nothing, 100).await, []);
    let other: MapId = "other".parse().expect("a name");
    let of_other = log.errors(&other, ErrorClass::Application, LogRange::since(Timestamp(0)), 10).await;
    assert_eq!(of_other, Ok(Vec::new()));
}

/// What an app reports is kept once by the app's own id of it, whenever it comes.
///
/// # Panics
/// The log breaks the contract.
pub async fn a_reported_error_is_kept_once_by_its_own_id<L: Log>(log: &L) {
    assert_eq!(log.add_reported(&error(1, 1, "C-1", ErrorClass::Conflict), 7).await, Ok(true));
    assert_eq!(log.add_reported(&error(2, 2, "C-1", ErrorClass::Conflict), 7).await, Ok(false));
    assert_eq!(log.add_reported(&error(3, 3, "C-1", ErrorClass::Conflict), 8).await, Ok(true));
    let kept = log.errors(&map(), ErrorClass::Conflict, LogRange::since(Timestamp(0)), 10).await;
    assert_eq!(kept.map(|kept| kept.len()), Ok(2));
}

/// The errors of one record up to a time are resolved, once.
///
/// # Panics
/// The log breaks the contract.
pub async fn errors_of_a_record_are_resolved_up_to_a_time<L: Log>(log: &L) {
    let all = [
        error(1, 1, "C#1", ErrorClass::Mapping),
        error(2, 2, "C#1", ErrorClass::Auth),
        error(5, 3, "C#1", ErrorClass::Auth),
        error(1, 4, "C#2", ErrorClass::Auth),
    ];
    for error in &all {
        assert_eq!(log.add_error(error).await, Ok(true));
    }
    let key = "C#1".parse().expect("a key");
    let at = NOON.plus_ms(3 * 60_000);
    let last = vec![(all[1].event.id, ErrorClass::Auth)];
    let over = Resolution { map: map(), key, at, how: Resolved::Written, last };
    assert_eq!(log.resolve(&over).await, Ok(2));
    assert_eq!(log.resolve(&over).await, Ok(0), "they are resolved already");
    let auth = log.errors(&map(), ErrorClass::Auth, LogRange::since(Timestamp(0)), 10).await.expect("the log is read");
    let resolved: Vec<_> = auth.iter().map(|error| (error.event.unit(), error.resolved)).collect();
    assert_eq!(resolved, [(3, None), (2, Some((at, Resolved::Written))), (4, None)]);
}

/// Errors that are named are resolved, once, whatever record they are of; and no others.
///
/// # Panics
/// The log breaks the contract.
pub async fn errors_that_are_named_are_resolved<L: Log>(log: &L) {
    let all: Vec<_> = (0..4).map(|n| error(n, u128::from(n), "C-1", ErrorClass::Throttled)).collect();
    for error in &all {
        assert_eq!(log.add_error(error).await, Ok(true));
    }
    let name = |n: usize| (all[n].event.id, ErrorClass::Throttled);
    let at = NOON.plus_ms(60_000);
    let resolve = async |named: &[_]| log.resolve_these(&map(), named, at, Resolved::Operator).await;
    assert_eq!(resolve(&[name(0), name(2)]).await, Ok(2));
    assert_eq!(resolve(&[name(2), name(3)]).await, Ok(1), "one of them was resolved already");
    let wrong = (all[1].event.id, ErrorClass::Auth);
    assert_eq!(resolve(&[wrong]).await, Ok(0), "there is no such error, and none is made");
    let open = |error: &LoggedError| error.resolved.is_none();
    let kept = log.errors(&map(), ErrorClass::Throttled, LogRange::since(Timestamp(0)), 10).await.expect("it is read");
    assert_eq!(kept.iter().map(open).collect::<Vec<_>>(), [false, false, true, false]);
    assert_eq!(kept[0].resolved, Some((at, Resolved::Operator)));
    assert_eq!(log.errors(&map(), ErrorClass::Auth, LogRange::since(Timestamp(0)), 10).await, Ok(Vec::new()));
}

/// Lines of the activity log are kept once, by map; noisy maps and failed events are told.
///
/// # Panics
/// The log breaks the contract.
pub async fn activities_noisy_maps_and_failed_events_are_kept<L: Log>(log: &L) {
    let line = sample::line();
    assert_eq!(log.gone().await, Ok(Vec::new()));
    let of_map =
        domain::log::Activity { map: Some(map()), id: LogId::of(line.at, Order::Change(0), &[b"2"]), ..line.clone() };
    for line in [&line, &of_map] {
        assert_eq!(log.add_activity(line).await, Ok(true));
    }
    assert_eq!(log.gone().await, Ok(vec![map()]), "the line says that it was deleted");
    assert_eq!(log.activities(None, LogRange::since(Timestamp(0)), 10).await, Ok(vec![line]));
    assert_eq!(log.activities(Some(&map()), LogRange::since(Timestamp(0)), 10).await, Ok(vec![of_map]));
    assert_eq!(log.noisy(Timestamp(0)).await, Ok(Vec::new()));
    for at in [NOON.plus_ms(5), NOON] {
        assert_eq!(log.note_noisy(&map(), at).await, Ok(()), "an older one changes nothing");
    }
    assert_eq!(log.noisy(NOON.plus_ms(5)).await, Ok(vec![map()]));
    assert_eq!(log.noisy(NOON.plus_ms(6)).await, Ok(Vec::new()));
    let failed = |n: u64| FailedEvent {
        id: LogId::of(NOON.plus_ms(n), Order::Change(0), &[b"x"]),
        at: NOON.plus_ms(n),
        source: "L#m#k / H".to_owned(),
        says: "cannot be read".to_owned(),
    };
    for n in [1, 2, 2] {
        assert_eq!(log.add_failed(&failed(n)).await, Ok(()));
    }
    assert_eq!(log.failed(None, 10).await, Ok(vec![failed(2), failed(1)]));
    assert_eq!(log.failed(None, 1).await, Ok(vec![failed(2)]));
    assert_eq!(log.failed(Some(failed(2).id), 10).await, Ok(vec![failed(1)]));
    assert_eq!((log.forget_failed(failed(2).id).await, log.forget_failed(failed(2).id).await), (Ok(()), Ok(())));
    assert_eq!(log.failed(None, 10).await, Ok(vec![failed(1)]));
}

/// Rules and groups change by their version.
///
/// # Panics
/// The store breaks the contract.
pub async fn rules_and_groups_change_by_their_version<A: Alerts>(alerts: &A) {
    let (rule, line) = (sample::rule(10), sample::line());
    let changed = domain::rule::Rule { version: 2, ..rule.clone() };
    assert_eq!(alerts.rules().await, Ok(Vec::new()));
    assert_eq!(alerts.save_rule(&changed, 1, &line).await, Err(CommitError::Stale), "there is nothing to change");
    assert_eq!(alerts.save_rule(&rule, 0, &line).await, Ok(()));
    assert_eq!(alerts.save_rule(&rule, 0, &line).await, Err(CommitError::Stale), "it is not made twice");
    assert_eq!(alerts.save_rule(&changed, 1, &line).await, Ok(()));
    assert_eq!(alerts.rule(&rule.id).await, Ok(Some(changed.clone())));
    assert_eq!(alerts.rules().await, Ok(vec![changed]));
    assert_eq!(alerts.delete_rule(&rule.id, 1, &line).await, Err(CommitError::Stale));
    assert_eq!(alerts.delete_rule(&rule.id, 2, &line).await, Ok(()));
    assert_eq!(alerts.rule(&rule.id).await, Ok(None));
    let address: domain::rule::Address = "kim@example.com".parse().expect("an address");
    let group = Group {
        id: "on-call".parse().expect("a name"),
        members: [address.clone()].into(),
        version: 1,
        actor: "kim".to_owned(),
        changed_at: NOON,
    };
    assert_eq!(alerts.save_group(&group, 0).await, Ok(()));
    assert_eq!(alerts.save_group(&group, 0).await, Err(CommitError::Stale));
    assert_eq!(alerts.groups().await, Ok(vec![group.clone()]));
    assert_eq!(alerts.delete_group(&group.id, 1).await, Ok(()));
    let flagged = Flagged { address: address.clone(), at: NOON, says: "bounced".to_owned() };
    assert_eq!(alerts.flag(&flagged).await, Ok(()));
    assert_eq!(alerts.flag(&flagged).await, Ok(()));
    assert_eq!(alerts.flagged().await, Ok(vec![flagged]));
    assert_eq!((alerts.unflag(&address).await, alerts.unflag(&address).await), (Ok(true), Ok(false)));
}

/// An incident and its watch change together or not at all; open ones are found until their last mail is settled.
///
/// # Panics
/// The store breaks the contract.
pub async fn an_incident_changes_with_its_watch_or_not_at_all<A: Alerts>(alerts: &A) {
    let (rule, map) = (sample::rule(1), sample::running(Capability::Idempotent).map);
    let breach = Breach { first_at: NOON, last_at: NOON, errors: vec![LogId(1)] };
    let error = error(1, 1, "C-1", ErrorClass::Application);
    let open = |id: u128| Incident::open(IncidentId(id), &rule, &map, &breach, &[&error], NOON);
    let watch = |open: Option<IncidentId>, version: u64| Watch {
        rule: rule.id.clone(),
        map: map.id.clone(),
        uid: map.uid,
        open,
        closed: None,
        auto_resumed: 0,
        version,
    };
    let one = open(1 << 90);
    let first = IncidentChange {
        incident: one.clone(),
        expected: 0,
        watch: Some((watch(Some(one.id), 1), 0)),
        line: Some(sample::line()),
    };
    assert_eq!(alerts.watch(&rule.id, &map.id).await, Ok(None));
    assert_eq!(alerts.save_incident(&first).await, Ok(()));
    let other = open(2 << 90);
    let second = IncidentChange { incident: other.clone(), watch: Some((watch(Some(other.id), 1), 0)), ..first };
    assert_eq!(alerts.save_incident(&second).await, Err(CommitError::Stale), "the watch has an open one");
    assert_eq!(alerts.incident(other.id).await, Ok(None), "nothing of it was saved");
    assert_eq!(alerts.incident(one.id).await, Ok(Some(one.clone())));
    assert_eq!(alerts.open_incidents().await, Ok(vec![one.clone()]));
    assert_eq!(alerts.watch(&rule.id, &map.id).await, Ok(Some(watch(Some(one.id), 1))));
    let mut over = one.recovered(Ending::Quiet, NOON);
    let close = IncidentChange { incident: over.clone(), expected: 1, watch: Some((watch(None, 2), 1)), line: None };
    assert_eq!(alerts.save_incident(&close).await, Ok(()));
    assert_eq!(alerts.open_incidents().await, Ok(vec![over.clone()]), "nobody was told yet");
    over.notices.iter_mut().for_each(|notice| notice.to = Some(Vec::new()));
    over.version += 1;
    let told = IncidentChange { incident: over.clone(), expected: 2, watch: None, line: None };
    assert_eq!(alerts.save_incident(&told).await, Ok(()));
    assert_eq!(alerts.save_incident(&told).await, Err(CommitError::Stale));
    assert_eq!(alerts.open_incidents().await, Ok(Vec::new()));
    let after = IncidentChange { incident: other.clone(), expected: 0, watch: None, line: None };
    assert_eq!(alerts.save_incident(&after).await, Ok(()));
    assert_eq!(alerts.incidents(None, 10).await, Ok(vec![other.clone(), over.clone()]), "newest first");
    assert_eq!(alerts.incidents(Some(other.id), 10).await, Ok(vec![over]));
}
