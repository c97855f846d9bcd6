//! Evaluation in single cases: what is judged late or again, rules that change in mid-flood, parts that fail.

use std::{future::Future, sync::Arc};

use app::{
    admin::map_commands::switch,
    alerts::{TickCounts, tick},
    ingest::ingest,
    ports::Ports,
};
use domain::{
    ErrorClass, MapState, Timestamp,
    log::{ErrorEvent, LogEvent},
    map::{Backlog, MapCommand},
    rule::{Action, AutoResume, Rule, RuleConfig},
    side::Capability,
};
use testkit::{SimWorld, sample};

use crate::operator::kim;

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;

fn in_world<F: Future<Output = ()> + Send + 'static>(play: impl FnOnce(Arc<SimWorld>) -> F) {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    world.executor.spawn(play(Arc::clone(&world)));
    assert!(world.executor.run(1_000_000));
}

fn named(name: &str, config: RuleConfig) -> Rule {
    Rule { id: name.parse().expect("a name"), config, ..sample::rule(1) }
}

/// An error happens and is logged.
async fn meets(world: &SimWorld, unit: u128) {
    let event = sample::error(world.now(), unit, "C-1", ErrorClass::Application);
    logs(world, ErrorEvent { epoch: world.map().map.epoch, ..event }).await;
}

async fn logs(world: &SimWorld, event: ErrorEvent) {
    ingest(world, &[LogEvent::Error(Box::new(event))]).await.expect("it is logged");
}

async fn ticks(world: &SimWorld) -> TickCounts {
    tick(world, world.now().plus_ms(MINUTE)).await.expect("rules are read")
}

#[test]
fn a_window_that_is_over_pauses_nothing_now() {
    in_world(|world| async move {
        meets(&world, 1).await;
        meets(&world, 2).await;
        world.executor.sleep(2 * HOUR).await;
        // The long window of one rule has errors read that lie outside every window of the other.
        let short = RuleConfig { threshold: 2, window_minutes: 1, ..sample::rule(2).config };
        let long = RuleConfig { threshold: 100, window_minutes: 1_440, ..short.clone() };
        world.alerts.put_rule(named("short", short));
        world.alerts.put_rule(named("long", long));
        meets(&world, 3).await;
        assert_eq!((ticks(&world).await.opened, world.map().map.state), (0, MapState::Running));
        meets(&world, 4).await;
        assert_eq!(world.map().map.state, MapState::Paused, "this one is reached now");
        assert_eq!(world.alerts.breaches().len(), 1);
    });
}

/// `log-ingest` was down: the errors reach it an hour late, in a batch of their own.
#[test]
fn what_is_logged_late_is_judged_by_the_time_at_which_it_happened() {
    for (apart, state) in [(14 * MINUTE, MapState::Paused), (16 * MINUTE, MapState::Running)] {
        in_world(move |world| async move {
            world.alerts.put_rule(sample::rule(2));
            let first: Timestamp = world.now();
            world.executor.sleep(HOUR).await;
            for (n, at) in [first, first.plus_ms(apart)].into_iter().enumerate() {
                logs(&world, sample::error(at, n as u128, "C-1", ErrorClass::Application)).await;
            }
            assert_eq!(world.map().map.state, state, "{apart} ms apart");
        });
    }
}

#[test]
fn a_rule_that_is_given_an_action_in_mid_flood_acts() {
    in_world(|world| async move {
        let mut rule = sample::rule(2);
        rule.config.action = Action::None;
        world.alerts.put_rule(rule.clone());
        for unit in 0..3 {
            meets(&world, unit).await;
        }
        assert_eq!((world.alerts.all_incidents().len(), world.map().map.state), (1, MapState::Running));
        rule.config.action = Action::Pause;
        world.alerts.put_rule(rule);
        meets(&world, 3).await;
        assert_eq!(world.map().map.state, MapState::Paused);
        assert_eq!(world.alerts.all_incidents().len(), 1, "the same flood");
    });
}

/// The map is paused by then: nothing is written to the app, and stopping it would lose what comes.
#[test]
fn a_stronger_action_waits_for_errors_of_a_map_that_runs() {
    in_world(|world| async move {
        let mut rule = sample::rule(1);
        world.alerts.put_rule(rule.clone());
        meets(&world, 1).await;
        rule.config.action = Action::Stop;
        world.alerts.put_rule(rule);
        ticks(&world).await;
        assert_eq!(world.map().map.state, MapState::Paused);
    });
}

#[test]
fn a_log_that_cannot_be_read_keeps_nobody_from_being_told() {
    in_world(|world| async move {
        world.alerts.put_rule(sample::rule(1));
        meets(&world, 1).await;
        world.log.set_failing(1_000);
        let ticked = ticks(&world).await;
        assert_eq!((ticked.left, ticked.mails), (1, 1));
        world.log.set_failing(0);
        assert_eq!(ticks(&world).await.left, 0);
    });
}

/// A run that has no time left says what it left; the next one does it.
#[test]
fn a_run_ends_with_its_time_and_says_what_it_left() {
    in_world(|world| async move {
        world.alerts.put_rule(sample::rule(1));
        meets(&world, 1).await;
        let ticked = tick(&*world, world.now()).await.unwrap();
        assert_eq!((ticked.left, ticked.mails, ticked.maps), (2, 0, 0), "a map and an incident");
        assert_eq!(ticks(&world).await.mails, 1);
    });
}

/// An app that breaks whenever it is asked again is not resumed for ever: the cap holds over the incidents of a day.
#[test]
fn resuming_by_itself_is_capped_over_one_incident_after_the_other() {
    in_world(|world| async move {
        let mut rule = sample::rule(1);
        rule.config.auto_resume = Some(AutoResume { after_minutes: 2, at_most: 2 });
        world.alerts.put_rule(rule);
        let mut unit = 0;
        let mut paused_again = async || {
            unit += 1;
            meets(&world, unit).await;
            for _ in 0..4 {
                world.executor.sleep(MINUTE).await;
                ticks(&world).await;
                world.sweep().await;
            }
            ticks(&world).await;
            world.map().map.state
        };
        let one_after_the_other = [paused_again().await, paused_again().await, paused_again().await];
        assert_eq!(one_after_the_other, [MapState::Running, MapState::Running, MapState::Paused]);
        let incidents = world.alerts.all_incidents();
        assert_eq!(incidents.iter().filter(|incident| incident.recovered.is_some()).count(), 2, "{incidents:?}");
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "it is mended").await.unwrap();
        for _ in 0..25 * 60 {
            world.executor.sleep(MINUTE).await;
        }
        world.sweep().await;
        ticks(&world).await;
        world.executor.sleep(25 * HOUR).await;
        assert_eq!(paused_again().await, MapState::Running, "after a day it may be tried again");
    });
}
