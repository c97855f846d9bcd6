//! Alerts in single cases: floods, clocks, operators who are faster, apps that recover.

use std::sync::Arc;

use app::{
    admin::map_commands::switch,
    alerts::{act, evaluate, tick},
    ingest::ingest,
    ports::Ports,
};
use domain::{
    ErrorClass, MapState, SideIx, Timestamp,
    log::{ErrorEvent, LogEvent, LoggedError},
    map::{Backlog, MapCommand},
    record::Image,
    rule::AutoResume,
    side::Capability,
};
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const MINUTE: u64 = 60_000;

/// Ten thousand errors within a second: one breach, one pause.
#[test]
fn a_flood_of_errors_is_one_breach() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    world.alerts.put_rule(sample::rule(1_000));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let at = played.now();
        let events: Vec<_> = (0..10_000_u64)
            .map(|n| {
                let event =
                    sample::error(at.plus_ms(n / 10), u128::from(n), &format!("C-{n}"), ErrorClass::Application);
                LogEvent::Error(Box::new(event))
            })
            .collect();
        for batch in events.chunks(500) {
            ingest(&*played, batch).await.unwrap();
        }
    });
    assert!(world.executor.run(10_000_000));
    assert_eq!(world.alerts.breaches().len(), 1);
    assert_eq!((world.map().map.state, world.log.all_errors().len()), (MapState::Paused, 10_000));
}

/// A clock that jumps neither loses an error nor invents a breach.
#[test]
fn errors_from_clocks_that_jump_are_counted_by_the_distance_between_them() {
    for (ahead_ms, wanted) in [(10 * MINUTE, 1), (16 * MINUTE, 0)] {
        let world = SimWorld::new(3, sample::running(Capability::Idempotent));
        world.alerts.put_rule(sample::rule(2));
        let played = Arc::clone(&world);
        world.executor.spawn(async move {
            let now: Timestamp = played.now();
            for (at, unit) in [(now, 1), (now.plus_ms(ahead_ms), 2)] {
                let event = sample::error(at, unit, "C-1", ErrorClass::Application);
                ingest(&*played, &[LogEvent::Error(Box::new(event))]).await.unwrap();
            }
        });
        assert!(world.executor.run(1_000_000));
        assert_eq!(world.alerts.breaches().len(), wanted, "{ahead_ms} ms ahead");
    }
}

/// A rule that is saved while errors come counts those that are in the log already.
#[test]
fn a_rule_counts_what_happened_before_it_was_made_and_is_gone_with_its_map() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        for n in 0..4_u128 {
            let event = sample::error(world.now(), n, "C-1", ErrorClass::Application);
            ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        }
        let gone =
            ErrorEvent { map: "gone".parse().unwrap(), ..sample::error(world.now(), 9, "C-1", ErrorClass::Timeout) };
        ingest(&*world, &[LogEvent::Error(Box::new(gone))]).await.unwrap();
        world.alerts.put_rule(sample::rule(4));
        assert!(world.alerts.breaches().is_empty());
        let until = world.now().plus_ms(MINUTE);
        let ticked = tick(&*world, until).await.unwrap();
        assert_eq!((ticked.opened, world.map().map.state), (1, MapState::Paused));
        let known: Vec<LoggedError> = world.log.all_errors();
        assert_eq!(known.len(), 5, "the log outlives its map");
    });
    assert!(world.executor.run(1_000_000));
    assert_eq!(world.mailer.taken().len(), 1);
}

/// The function that opened an incident crashed; before the next one acts, an operator has mended and resumed.
#[test]
fn who_resumes_in_the_meantime_has_the_last_word() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        for n in 0..2_u128 {
            let event = sample::error(world.now(), n, "C-1", ErrorClass::Application);
            ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
        }
        let (map, rule) = (world.map().map, sample::rule(2));
        world.alerts.put_rule(rule.clone());
        let opened = evaluate(&*world, &map, &[rule], world.now()).await.unwrap();
        let pause = switch(&*world, &kim(), &map.id, MapCommand::Pause, "to mend it").await;
        assert_eq!(pause.unwrap().state, MapState::Paused);
        switch(&*world, &kim(), &map.id, MapCommand::Resume(Backlog::CatchUp), "it is mended").await.unwrap();
        let acted = act(&*world, &opened[0]).await.unwrap().acted.unwrap();
        assert_eq!((acted.state, world.map().map.state), (None, MapState::CatchingUp));
        assert!(acted.left.unwrap().contains("resumed by kim"));
        assert_eq!(act(&*world, &opened[0]).await.unwrap().acted.map(|acted| acted.at), Some(acted.at));
    });
    assert!(world.executor.run(1_000_000));
}

/// The app is asked with the oldest change; when it takes it the map is resumed, so often and no oftener.
#[test]
fn a_map_resumes_by_itself_when_its_app_is_well_again() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let mut rule = sample::rule(1);
    rule.config.auto_resume = Some(AutoResume { after_minutes: 2, at_most: 1 });
    world.alerts.put_rule(rule);
    let users = Users::new(Arc::clone(&world));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let (crm, minute) = ("crm".parse().unwrap(), || world.executor.sleep(MINUTE));
        let broken = async || {
            let event = sample::error(world.now(), u128::from(world.now().0), "C-9", ErrorClass::Application);
            let event = ErrorEvent { epoch: world.map().map.epoch, ..event };
            ingest(&*world, &[LogEvent::Error(Box::new(event))]).await.unwrap();
            assert_eq!(world.map().map.state, MapState::Paused);
        };
        let ticked = async || tick(&*world, world.now().plus_ms(MINUTE)).await.unwrap();
        broken().await;
        let key = "C-1".parse().unwrap();
        let record = serde_json::json!({"Name": "Ada", "Limit": 1, "OnHold": "No"});
        users.edit_committed(SideIx::First, &key, Image::Present(record.as_object().unwrap().clone())).await;
        while users.report(SideIx::First).await {}
        ticked().await;
        assert_eq!(world.apps.with(&crm, |app| app.effects.len()), 0, "two minutes are not over");
        minute().await;
        minute().await;
        ticked().await;
        assert_eq!(world.apps.with(&crm, |app| app.effects.len()), 1, "the oldest change was the probe");
        assert_eq!((world.map().map.state, world.map().map.cause.as_str()), (MapState::CatchingUp, "auto_resume"));
        broken().await;
        for _ in 0..5 {
            minute().await;
            ticked().await;
        }
        assert_eq!(world.map().map.state, MapState::Paused, "once is enough: now somebody must look");
        let [incident] = &world.alerts.all_incidents()[..] else { panic!("one incident for all of it") };
        assert_eq!((incident.auto_resumed, incident.notices.len()), (1, 2));
    });
    assert!(world.executor.run(1_000_000));
}
