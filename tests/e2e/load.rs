//! Many writers of few records, whose calls and functions are killed at random.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use domain::lane::LaneVersion;
use futures::{FutureExt, future::join_all};
use local::{Answer, App};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::Rng;
use tokio::time::timeout;

use crate::{
    killer::{killing, soon},
    outages::open_lane,
    requests::{Request, lambda},
    stack::{World, alone},
    values::{customer, id, key, write},
};

const WRITERS: usize = 200;
const KEYS: usize = 20;
/// The first calls of a writer are dropped after this at most, often in the middle of its work.
const PATIENCE_MS_MAX: u64 = 400;
/// How many of its calls are dropped at most.
const DROPPED_MAX: u64 = 3;
/// Calls of one writer until it has its answer. It waits between them: others are at work on the same record.
const CALLS_MAX: u32 = 200;
const BETWEEN_CALLS: Duration = Duration::from_millis(250);
/// How often functions are killed.
const KILLINGS: u32 = 4;
/// Short, so that what a killed function held is free again soon.
const APP_TIMEOUT_MS: u64 = 2_000;
/// Runs of each function at the same time: each is a process here. Calls beyond that are told 429, as on AWS.
const CONCURRENCY: [(&str, u32); 2] = [("sync-write", 16), ("resume-drain", 4)];

#[test]
fn writers_killed_and_repeated_leave_every_record_equal_in_order_and_written_once() {
    alone(async |world| {
        let seed = seed();
        on_a_small_machine(world, async || {
            let keys: Vec<String> = (0..KEYS).map(|_| key("LOAD")).collect();
            let writers = (0..WRITERS).map(|n| writer(world, &keys[n % KEYS], n, Rng::new(seed ^ n as u64)));
            let moments = soon(Rng::new(seed), KILLINGS);
            let (versions, killed) = killing(world, Rng::new(seed), moments, join_all(writers)).await;
            assert!(killed > 0, "nothing was killed; seed {seed}");
            for (at, key) in keys.iter().enumerate() {
                world.settled(key).await;
                let mut wanted: Vec<_> = versions.iter().skip(at).step_by(KEYS).copied().collect();
                wanted.sort();
                for app in world.apps() {
                    let applied = applied_versions(app, key).await;
                    assert_eq!(applied, wanted, "each once, in order; {key}, seed {seed}");
                }
                assert!(open_lane(world, key).await.is_none(), "{key} is stuck; seed {seed}");
            }
        })
        .await;
    });
}

#[test]
fn people_saving_on_both_pages_while_functions_are_killed_end_with_equal_records() {
    alone(async |world| {
        let seed = seed();
        on_a_small_machine(world, async || {
            let keys: Vec<String> = (0..KEYS).map(|_| key("PAGES")).collect();
            let people = (0..WRITERS).map(|n| person(world, &keys[n % KEYS], n, Rng::new(seed ^ n as u64)));
            let moments = soon(Rng::new(seed), KILLINGS);
            let ((), killed) = killing(world, Rng::new(seed), moments, join_all(people).map(drop)).await;
            assert!(killed > 0, "nothing was killed; seed {seed}");
            for key in &keys {
                world.settled(key).await;
                assert!(open_lane(world, key).await.is_none(), "{key} is stuck; seed {seed}");
            }
        })
        .await;
    });
}

/// Chance differs from run to run; `TANDEM_TEST_SEED` plays one again, as far as threads and processes let it.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("TANDEM_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| ulid::Ulid::generate().timestamp_ms())
}

/// A program that sends one write until it has its answer, and is killed now and then. Its write's version.
pub(crate) async fn writer(world: &World, key: &str, n: usize, mut rng: Rng) -> LaneVersion {
    let request = write(&id(), key, &customer(&format!("Writer {n}"), u32::try_from(n).expect("few")));
    for _ in 0..rng.below(DROPPED_MAX + 1) {
        let patience = Duration::from_millis(1 + rng.below(PATIENCE_MS_MAX));
        let _dropped = timeout(patience, world.sync_write.send(&request)).await;
    }
    let mut last = None;
    for _ in 0..CALLS_MAX {
        let told = world.sync_write.send(&request).await;
        match &told {
            Ok(told) if matches!(told.status, 200 | 202) && told.text("status") != "skipped" => return version(told),
            // Under way, contended, or its function was killed: the same again is safe.
            Ok(told) if matches!(told.status, 409 | 429 | 500..) && told.text("code") != "write_id_reused" => {}
            Ok(told) => panic!("writer {n}: {told:?}"),
            Err(_no_answer) => {}
        }
        last = Some(told);
        tokio::time::sleep(BETWEEN_CALLS).await;
    }
    panic!("writer {n} has no answer: {last:?}");
}

/// A person who saves on one of the two pages, again and again while told that it cannot be saved now.
pub(crate) async fn person(world: &World, key: &str, n: usize, mut rng: Rng) {
    let (name, limit) = (format!("Person {n}"), u32::try_from(n).expect("few"));
    let in_finance = rng.happens(500);
    let mut last = None;
    for _ in 0..CALLS_MAX {
        let saved = if in_finance {
            world.finance().edit(key, customer(&name, limit)).await
        } else {
            world.crm().edit(key, json!({"name": name, "creditlimit": limit})).await
        };
        let saved = saved.expect("the app answers");
        match saved.status {
            200 => return,
            409 => last = Some(saved),
            _ => panic!("person {n}: {saved:?}"),
        }
        tokio::time::sleep(BETWEEN_CALLS * (1 + u32::try_from(rng.below(8)).expect("few"))).await;
    }
    panic!("person {n} cannot save: {last:?}");
}

fn version(told: &Answer) -> LaneVersion {
    told.text("version").parse().unwrap_or_else(|says| panic!("{says}: {told:?}"))
}

/// The versions of the changes that Tandem made in an app, in the order in which it made them.
pub(crate) async fn applied_versions(app: &App, key: &str) -> Vec<LaneVersion> {
    let calls = app.calls(key).await.expect("the app answers");
    let applied = calls.iter().filter(|call| call["applied"] == true);
    applied.map(|call| call["version"].as_str().and_then(|text| text.parse().ok()).expect("a version")).collect()
}

/// Lets Tandem wait for the apps only shortly, and run few functions at once, for the length of a test.
pub(crate) async fn on_a_small_machine(world: &World, test: impl AsyncFnOnce()) {
    let path = |function: &str| format!("functions/{}/concurrency", world.stack.endpoints().functions[function]);
    for (function, at_once) in CONCURRENCY {
        let limit = json!({"ReservedConcurrentExecutions": at_once});
        lambda(world, Method::PUT, &path(function), &limit).await;
    }
    let short = || json!({"request_timeout_ms": APP_TIMEOUT_MS});
    let ended = with_side(world, "finance", short(), async || {
        with_side(world, "crm", short(), async || AssertUnwindSafe(test()).catch_unwind().await).await
    })
    .await;
    for (function, _) in CONCURRENCY {
        lambda(world, Method::DELETE, &path(function), &json!({})).await;
    }
    ended.unwrap_or_else(|panic| resume_unwind(panic));
}

/// Changes settings of a side for the length of a test.
pub(crate) async fn with_side<T>(world: &World, side: &str, settings: Value, test: impl AsyncFnOnce() -> T) -> T {
    let path = format!("/sides/{side}");
    let before = world.admin.get(&path).await.expect("admin answers")["config"].clone();
    let mut config = before.clone();
    for (name, value) in settings.as_object().expect("settings") {
        config[name] = value.clone();
    }
    put(world, &path, &config).await;
    let ended = AssertUnwindSafe(test()).catch_unwind().await;
    put(world, &path, &before).await;
    ended.unwrap_or_else(|panic| resume_unwind(panic))
}

async fn put(world: &World, path: &str, config: &Value) {
    let request = Request::new(Method::PUT, path, config.to_string());
    let request = request.for_admin(world, "admin").header("content-type", "application/json").header("if-match", "*");
    let told = request.send(world).await;
    assert_eq!(told.status, 200, "{told:?}");
}
