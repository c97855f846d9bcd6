//! The part of the crash matrix that is about logs and alerts: whatever crashes where, each error and each change is in the
//! log, the map is paused once, and people are told.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use app::{
    alerts::{tick, tick_one},
    ingest::{ingest, lines, reported},
    ports::Ports,
};
use domain::{
    ErrorClass, MapState,
    log::{ErrorDisposition, LogEvent, Resolution, Resolved},
    side::Capability,
};
use testkit::{CrashedIn, SimWorld, sample};

const STEPS: u64 = 500_000;
const MINUTE: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// The second error reaches the threshold.
    Ingest,
    /// The same, of parked writes, whose errors end in the same batch; and a line of the activity log.
    IngestTheirEnd,
    /// Errors that an app reports.
    Reported,
    /// `log-ingest` could not judge.
    Tick,
    /// An event of the incident came.
    TickOne,
}

const CASES: [Case; 5] = [Case::Ingest, Case::IngestTheirEnd, Case::Reported, Case::Tick, Case::TickOne];

fn errors(world: &SimWorld) -> Vec<LogEvent> {
    let error = |unit| sample::error(world.now(), unit, "C-1", ErrorClass::Application);
    [1, 2].map(|unit| LogEvent::Error(Box::new(error(unit)))).into()
}

/// What was there before.
async fn set(world: &SimWorld, case: Case) {
    world.alerts.put_rule(sample::rule(2));
    if matches!(case, Case::Tick | Case::TickOne) {
        world.alerts.set_unreadable(case == Case::Tick);
        ingest(world, &errors(world)).await.unwrap();
        world.alerts.set_unreadable(false);
    }
}

/// The invocation; whether it came to its end.
async fn act(world: &SimWorld, case: Case, batch: &[LogEvent]) -> bool {
    let until = world.now().plus_ms(MINUTE);
    match case {
        Case::Ingest | Case::IngestTheirEnd => {
            world.invoke(ingest(world, batch)).await.is_some_and(|done| done.unwrap().not_judged.is_empty())
        }
        Case::Reported => {
            let line = |id: u8| format!(r#"{{"id": "{id}", "map": "customers", "side": "crm", "message": "x"}}"#);
            let read = lines([line(1), line(2)].join("\n").as_bytes()).unwrap();
            world.invoke(reported(world, read)).await.is_some()
        }
        Case::Tick => world.invoke(tick(world, until)).await.is_some(),
        Case::TickOne => {
            let incident = world.alerts.all_incidents()[0].id;
            world.invoke(tick_one(world, incident, until)).await.is_some()
        }
    }
}

/// What the stream, the schedule and the caller do afterwards.
async fn comes_to_rest(world: &SimWorld) {
    for _ in 0..4 {
        // Claims of mails end after ninety seconds.
        world.executor.sleep(MINUTE).await;
        tick(world, world.now().plus_ms(MINUTE)).await.unwrap();
        let logged = [world.alerts.take_log(), world.lanes.take_log()].concat();
        ingest(world, &logged).await.unwrap();
    }
}

fn check(world: &SimWorld, case: Case) {
    let errors = world.log.all_errors();
    assert_eq!(errors.len(), 2, "each error is logged once");
    if case == Case::IngestTheirEnd {
        assert!(errors.iter().all(|error| error.resolved.is_some()), "they are resolved");
    }
    let paused = world.history().iter().filter(|(_, state, _)| *state == MapState::Paused).count();
    assert_eq!((paused, world.alerts.breaches().len()), (1, 1), "one breach, one pause");
    let [incident] = &world.alerts.all_incidents()[..] else { panic!("one incident") };
    assert!(incident.acted.as_ref().is_some_and(|acted| acted.state == Some(MapState::Paused)), "{incident:?}");
    let mails = world.mailer.taken();
    assert!(mails.iter().any(|mail| mail.incident == Some(incident.id)), "nobody was told");
    let logged = world.log.all_activities();
    let lines = 3 + usize::from(case == Case::IngestTheirEnd);
    assert_eq!(logged.len(), lines, "opened, acted, and the change of state: {logged:?}");
    let told = world.events.take();
    let parked = told.iter().filter(|event| event.kind == "Write Parked").count();
    assert!(case != Case::IngestTheirEnd || parked >= 2, "programs are told: {told:?}");
}

fn play(case: Case, point: Option<u64>) -> (u64, Option<CrashedIn>) {
    let world = SimWorld::new(17, sample::running(Capability::Idempotent));
    let (points, crashed) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
    {
        let (world, points, crashed) = (Arc::clone(&world), Arc::clone(&points), Arc::clone(&crashed));
        Arc::clone(&world).executor.spawn(async move {
            set(&world, case).await;
            let mut batch = errors(&world);
            if case == Case::IngestTheirEnd {
                let (map, key, at) = (world.map().map.id, "C-1".parse().unwrap(), world.now());
                let over = Resolution { map, key, at, how: Resolved::Written, last: Vec::new() };
                for event in &mut batch {
                    if let LogEvent::Error(error) = event {
                        error.fate = ErrorDisposition::Parked;
                    }
                }
                batch.extend([LogEvent::Resolved(over), LogEvent::Activity(Box::new(sample::line()))]);
            }
            world.crash_at_point(point);
            let finished = act(&world, case, &batch).await;
            points.store(world.points(), Ordering::SeqCst);
            *crashed.lock().unwrap() = world.crashed_in();
            world.crash_at_point(None);
            if !finished {
                assert!(act(&world, case, &batch).await, "{case:?} does not end after a crash at point {point:?}");
            }
            comes_to_rest(&world).await;
        });
    }
    assert!(world.executor.run(STEPS), "{case:?}, crashed at point {point:?}, does not come to rest");
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&world, case)));
    assert!(told.is_ok(), "{case:?}, crashed at point {point:?}");
    (points.load(Ordering::SeqCst), *crashed.lock().unwrap())
}

/// Crashes each case at each of its points; where that was, and how many for each.
pub(super) fn crashes() -> (Vec<CrashedIn>, String) {
    let (mut all, mut out) = (Vec::new(), String::new());
    for case in CASES {
        let (points, _) = play(case, None);
        let crashes: Vec<_> = (0..points).filter_map(|point| play(case, Some(point)).1).collect();
        assert_eq!(crashes.len() as u64, points, "{case:?}: a point was not reached");
        out.push_str(&format!(" {case:?} {points}"));
        all.extend(crashes);
    }
    (all, out)
}
