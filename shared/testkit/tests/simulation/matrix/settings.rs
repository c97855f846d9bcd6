//! The part of the crash matrix that is about settings: whatever crashes where, its repeat leaves what one call would have
//! left, and each change is logged once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use app::{
    admin::{
        DiscardPolicy, Precondition, document, incidents,
        logs::{ErrorFilter, dismiss, resolve},
        maps, rules, sessions, sides, tokens,
    },
    alerts::{CameBack, bounced},
    error::AppError,
    ingest::ingest,
    ports::{Alerts, ConfigStore, FailedEvent, Flagged, Log, Role, Tokens},
};
use domain::{
    ErrorClass, LogId,
    log::{ActivityKind, LogEvent},
    rule::Address,
    side::Capability,
};
use testkit::{CrashedIn, SimWorld, sample};

use crate::operator::kim;

const STEPS: u64 = 500_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    PutSide,
    DeleteSide,
    PutMap,
    DeleteMap,
    PutRule,
    DeleteRule,
    PutGroup,
    DeleteGroup,
    IssueToken,
    DeleteToken,
    SignIn,
    FindSession,
    SignOut,
    TestRule,
    MailCameBack,
    Unflag,
    Acknowledge,
    Dismiss,
    Resolve,
    Apply,
}

const CASES: [Case; 20] = [
    Case::PutSide,
    Case::DeleteSide,
    Case::PutMap,
    Case::DeleteMap,
    Case::PutRule,
    Case::DeleteRule,
    Case::PutGroup,
    Case::DeleteGroup,
    Case::IssueToken,
    Case::DeleteToken,
    Case::SignIn,
    Case::FindSession,
    Case::SignOut,
    Case::TestRule,
    Case::MailCameBack,
    Case::Unflag,
    Case::Acknowledge,
    Case::Dismiss,
    Case::Resolve,
    Case::Apply,
];

fn somebody() -> Address {
    "ann@example.com".parse().unwrap()
}

/// The world has the same 256 random bits each time.
fn secret(prefix: &str) -> String {
    format!("{prefix}{}Bwc", "BwcH".repeat(10))
}

fn failed_event() -> FailedEvent {
    let at = domain::Timestamp(1_795_428_000_000);
    FailedEvent { id: LogId(1), at, source: "L#customers#C-1 / H".to_owned(), says: "cannot be read".to_owned() }
}

/// What was there before.
async fn set(world: &SimWorld, case: Case) {
    match case {
        Case::DeleteSide => act(world, Case::PutSide).await.unwrap().unwrap(),
        Case::DeleteMap => act(world, Case::PutMap).await.unwrap().unwrap(),
        Case::DeleteRule | Case::TestRule => act(world, Case::PutRule).await.unwrap().unwrap(),
        Case::DeleteGroup => act(world, Case::PutGroup).await.unwrap().unwrap(),
        Case::DeleteToken | Case::SignIn => act(world, Case::IssueToken).await.unwrap().unwrap(),
        Case::FindSession | Case::SignOut => {
            act(world, Case::IssueToken).await.unwrap().unwrap();
            act(world, Case::SignIn).await.unwrap().unwrap();
            world.executor.sleep(10 * 60 * 1_000).await; // so that its use is noted
        }
        Case::Unflag => {
            let flagged = Flagged { address: somebody(), at: world.executor.now(), says: "bounced".to_owned() };
            world.alerts.flag(&flagged).await.unwrap();
        }
        Case::Acknowledge | Case::Resolve => {
            world.alerts.put_rule(sample::rule(1));
            let error = sample::error(world.executor.now(), 1, "C-1", ErrorClass::Application);
            ingest(world, &[LogEvent::Error(Box::new(error))]).await.unwrap();
        }
        Case::Dismiss => world.log.add_failed(&failed_event()).await.unwrap(),
        _ => {}
    }
    lines(world);
}

/// The invocation; `None`: it crashed.
async fn act(world: &SimWorld, case: Case) -> Option<Result<(), AppError>> {
    let kim = kim();
    let (map, side) = (world.map().map.config, world.map().sides[1].config.clone());
    let (orders, erp) = ("orders".parse().unwrap(), "erp".parse().unwrap());
    let (rule, group) = ("r".parse().unwrap(), "on-call".parse().unwrap());
    let unsaid = Precondition::Unsaid;
    match case {
        Case::PutSide => world.invoke(sides::put(world, &kim, erp, side, unsaid)).await.map(|done| done.map(drop)),
        Case::DeleteSide => world.invoke(sides::delete(world, &kim, &erp, Precondition::Anything)).await,
        Case::PutMap => world
            .invoke(maps::put(world, &kim, orders, map, unsaid, DiscardPolicy::Keep))
            .await
            .map(|done| done.map(drop)),
        Case::DeleteMap => {
            world.invoke(maps::delete(world, &kim, &orders, Precondition::Anything, DiscardPolicy::Keep)).await
        }
        Case::PutRule => {
            let config = sample::rule(2).config;
            world.invoke(rules::put(world, &kim, rule, config, unsaid)).await.map(|done| done.map(drop))
        }
        Case::DeleteRule => world.invoke(rules::delete(world, &kim, &rule, Precondition::Anything)).await,
        Case::PutGroup => {
            let members = [somebody()].into();
            world.invoke(rules::put_group(world, &kim, group, members, unsaid)).await.map(|done| done.map(drop))
        }
        Case::DeleteGroup => world.invoke(rules::delete_group(world, &group, Precondition::Anything)).await,
        Case::IssueToken => world.invoke(tokens::issue(world, "ann", Role::Viewer)).await.map(|done| done.map(drop)),
        Case::DeleteToken => match world.list_tokens().await.unwrap().first() {
            Some(token) => world.invoke(tokens::delete(world, &token.id)).await,
            None => Some(Ok(())),
        },
        Case::SignIn => world.invoke(sessions::sign_in(world, &secret("tnd_"))).await.map(|done| done.map(drop)),
        Case::FindSession => {
            let found = world.invoke(sessions::find(world, &secret(sessions::PREFIX))).await;
            found.map(|done| done.map(|caller| assert_eq!(caller.unwrap().name, "ann")))
        }
        Case::SignOut => world.invoke(sessions::sign_out(world, &secret(sessions::PREFIX))).await,
        Case::TestRule => world.invoke(rules::send_test_mails(world, &kim, &rule, "")).await.map(|done| done.map(drop)),
        Case::MailCameBack => {
            let back =
                CameBack { to: somebody(), message_id: String::new(), says: "bounced".to_owned(), lasting: true };
            world.invoke(bounced(world, &back, None)).await.map(|done| done.map_err(AppError::from))
        }
        Case::Unflag => world.invoke(incidents::unflag(world, &somebody())).await,
        Case::Acknowledge => {
            let incident = world.alerts.all_incidents()[0].id;
            world.invoke(incidents::acknowledge(world, &kim, incident, "on it")).await.map(|done| done.map(drop))
        }
        Case::Dismiss => world.invoke(dismiss(world, &kim, failed_event().id, "seen")).await,
        Case::Apply => {
            let mut wanted = document::export(world).await.unwrap();
            wanted.sides.insert(erp, side);
            wanted.maps.insert(orders, map);
            world.invoke(document::apply(world, &kim, wanted, false)).await.map(|done| done.map(drop))
        }
        Case::Resolve => {
            let filter = ErrorFilter { maps: vec![world.map().map.id], ..ErrorFilter::default() };
            let done = world.invoke(resolve(world, &kim, filter, "map=customers", "mended")).await;
            done.map(|done| done.map(drop))
        }
    }
}

/// Lines that commits logged since this was last asked.
fn lines(world: &SimWorld) -> Vec<ActivityKind> {
    let logged = [world.alerts.take_log(), world.lanes.take_log()].concat().into_iter();
    logged.filter_map(|event| if let LogEvent::Activity(line) = event { Some(line.what) } else { None }).collect()
}

/// What is there, without times and ids of chance.
async fn state(world: &SimWorld) -> String {
    let sides: Vec<_> = world.list_sides().await.unwrap().into_iter().map(|side| (side.id, side.version)).collect();
    let maps: Vec<_> = world.list_maps().await.unwrap().into_iter().map(|map| (map.id, map.version)).collect();
    let rules: Vec<_> = world.alerts.rules().await.unwrap().into_iter().map(|rule| (rule.id, rule.version)).collect();
    let groups: Vec<_> = world.alerts.groups().await.unwrap().into_iter().map(|one| (one.id, one.version)).collect();
    let tokens: Vec<_> = world.list_tokens().await.unwrap().into_iter().map(|token| token.name).collect();
    let sessions = world.tokens.sessions().len();
    let flagged = world.alerts.flagged().await.unwrap().len();
    let seen = world.alerts.all_incidents().iter().filter(|incident| incident.acknowledged.is_some()).count();
    let failed = world.log.failed(None, 10).await.unwrap().len();
    let open = world.log.all_errors().iter().filter(|error| error.resolved.is_none()).count();
    format!("{sides:?} {maps:?} {rules:?} {groups:?} {tokens:?} {sessions} {flagged} {seen} {failed} {open}")
}

/// How many points there are, where it crashed, and what is there in the end.
struct Played {
    points: u64,
    crashed: Option<CrashedIn>,
    state: String,
    lines: Vec<ActivityKind>,
}

fn play(case: Case, point: Option<u64>) -> Played {
    let world = SimWorld::new(17, sample::running(Capability::Idempotent));
    let (points, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(None)));
    {
        let (world, points, ended) = (Arc::clone(&world), Arc::clone(&points), Arc::clone(&ended));
        Arc::clone(&world).executor.spawn(async move {
            set(&world, case).await;
            world.crash_at_point(point);
            let finished = act(&world, case).await;
            points.store(world.points(), Ordering::SeqCst);
            let crashed = world.crashed_in();
            world.crash_at_point(None);
            match finished {
                Some(done) => done.unwrap(),
                None => match act(&world, case).await.unwrap() {
                    // It had been done: there is nothing to delete, or the name is taken.
                    Ok(()) | Err(AppError::NotFound(_) | AppError::Of { .. } | AppError::Conflict(_)) => {}
                    Err(error) => panic!("{case:?}, crashed at point {point:?}: {error}"),
                },
            }
            *ended.lock().unwrap() = Some((crashed, state(&world).await, lines(&world)));
        });
    }
    assert!(world.executor.run(STEPS), "{case:?}, crashed at point {point:?}, does not come to rest");
    let (crashed, state, lines) = ended.lock().unwrap().take().unwrap();
    Played { points: points.load(Ordering::SeqCst), crashed, state, lines }
}

/// Crashes each case at each of its points; where that was, and how many for each.
pub(super) fn crashes() -> (Vec<CrashedIn>, String) {
    let (mut all, mut out) = (Vec::new(), String::new());
    for case in CASES {
        let whole = play(case, None);
        for point in 0..whole.points {
            let played = play(case, Some(point));
            assert_eq!(played.state, whole.state, "{case:?}, crashed at point {point}");
            assert_eq!(played.lines, whole.lines, "{case:?}, crashed at point {point}: each change is logged once");
            all.extend(played.crashed);
        }
        out.push_str(&format!(" {case:?} {}", whole.points));
    }
    (all, out)
}
