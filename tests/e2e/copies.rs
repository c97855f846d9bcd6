//! Initial syncs in bad company: functions that are killed, connections that are cut, people who save, apps that commit late.
//!
//! `TANDEM_E2E_KILLS=100` kills at more moments, and waits for leases to end as nobody does in a hurry; `TANDEM_TEST_SEED` plays
//! one run again, as far as threads and processes let it.

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures::{
    StreamExt,
    future::{join, join_all},
};
use serde_json::{Value, json};
use testkit::Rng;

use crate::{
    killer::{killing, soon},
    load::{on_a_small_machine, person, seed, with_side},
    pause::path,
    stack::{World, alone},
    syncs::check_sums,
    values::{customer, key},
    wire::{Wire, lay},
};

/// At how many moments functions are killed and connections are cut.
const KILLS: u32 = 16;
const ON_THE_WIRE: [&str; 3] = ["initial-sync", "sync-write", "resume-drain"];
/// Records of a batch: only in finance, only in crm, in both, and in both with other values.
const BATCH: [usize; 4] = [160, 40, 20, 20];
/// People who save one of them each.
const PEOPLE: usize = 10;
/// An operator who sees a run stand still for so long pauses and resumes it, and so takes it from a worker that may be dead.
const PATIENCE: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(400);
const POLL: Duration = Duration::from_millis(200);
/// The longest transaction of an app, and how late it commits: as late as it may, on a machine that is busy.
const LONGEST_TRANSACTION_MS: u32 = 6_000;
const COMMITS_LATE_MS: u32 = 4_000;

#[test]
fn copies_that_are_killed_and_cut_off_leave_both_apps_equal_and_counts_that_add_up() {
    alone(async |world| {
        let by_hand = std::env::var("TANDEM_E2E_KILLS").ok().and_then(|kills| kills.parse().ok());
        let (seed, kills) = (seed(), by_hand.unwrap_or(KILLS));
        let soon_committed = || json!({"longest_transaction_ms": 1_000});
        with_side(world, "finance", soon_committed(), async || {
            with_side(world, "crm", soon_committed(), async || {
                on_a_small_machine(world, async || killed(world, seed, kills, by_hand.is_none()).await).await;
            })
            .await;
        })
        .await;
    });
}

async fn killed(world: &World, seed: u64, kills: u32, in_a_hurry: bool) {
    let (left, cut) = (AtomicU32::new(kills), AtomicUsize::new(0));
    let wire = Wire::to(&world.stack.endpoints().emulator).await;
    lay(world, &ON_THE_WIRE, Some(&wire)).await;
    let mut scissors = Rng::new(!seed);
    let moments = soon(Rng::new(seed), kills).inspect(|()| {
        left.fetch_sub(1, Ordering::SeqCst);
        cut.fetch_add(wire.cut(&mut scissors), Ordering::SeqCst);
    });
    let work = async {
        let (mut keys, mut runs) = (Vec::new(), 0_u64);
        while runs == 0 || left.load(Ordering::SeqCst) > 0 {
            let batch = store_batch(world);
            let everybody = batch.iter().step_by(batch.len() / PEOPLE).enumerate();
            let everybody = everybody.map(|(n, key)| person(world, key, n, Rng::new(seed ^ (runs << 32) ^ n as u64)));
            let is_nudged = || in_a_hurry || left.load(Ordering::SeqCst) > 0;
            join(copied(world, is_nudged), join_all(everybody)).await;
            keys.extend(batch);
            runs += 1;
        }
        (keys, runs)
    };
    let ((keys, runs), killed) = killing(world, Rng::new(seed), moments, work).await;
    lay(world, &ON_THE_WIRE, None).await;
    let cut = cut.into_inner();
    assert!(killed > 0 && cut > 0, "{killed} functions were killed, {cut} connections were cut; seed {seed}");
    let records = keys.len();
    let _ = writeln!(
        io::stderr(),
        "{runs} copies of {records} records, {killed} functions killed at {kills} moments, {cut} connections cut, seed {seed}"
    );
    for key in &keys {
        world.settled_within(key, DEADLINE).await.unwrap_or_else(|says| panic!("seed {seed}: {says}"));
    }
}

/// Records that were there before anybody looked.
fn store_batch(world: &World) -> Vec<String> {
    let [finance, crm, same, different] = BATCH;
    let keys: Vec<_> = (0..BATCH.iter().sum()).map(|_| key("COPY")).collect();
    let customers = keys.iter().enumerate().filter(|(n, _)| !(finance..finance + crm).contains(n));
    let customers: Vec<_> =
        customers.map(|(n, key)| (key.clone(), customer("Before", u32::try_from(n).expect("few")))).collect();
    let account = |(n, key): (usize, &String)| {
        let name = if n < finance + crm + same { "Before" } else { "Otherwise" };
        (key.clone(), json!({"name": name, "creditlimit": n, "customertypecode": 3, "telephone1": "+1 555 0100"}))
    };
    let accounts: Vec<_> = keys.iter().enumerate().skip(finance).map(account).collect();
    assert_eq!(accounts.len(), crm + same + different);
    world.stack.store_records(&customers, &accounts).expect("the apps' databases take them");
    keys
}

/// Copies everything. Whoever asks may be answered by nobody: the function that should is killed as well.
async fn copied(world: &World, is_nudged: impl Fn() -> bool) -> Value {
    let reason = key("copy");
    let wanted = json!({"kind": "initial_sync", "winner": "finance", "reason": reason});
    let deadline = Instant::now() + DEADLINE;
    let run = loop {
        if let Ok(made) = world.admin.post(&path("syncs"), &wanted).await {
            break made;
        }
        // It may have been made although nobody said so.
        let runs = world.admin.get(&path("syncs")).await.unwrap_or_default();
        if let Some(made) = runs["runs"].as_array().and_then(|runs| runs.iter().find(|run| run["reason"] == *reason)) {
            break made.clone();
        }
        assert!(Instant::now() < deadline, "no run is made: {runs}");
    };
    let run = format!("{}/{}", path("syncs"), run["id"].as_str().expect("an id"));
    let (mut last, mut moved) = (Value::Null, Instant::now());
    loop {
        tokio::time::sleep(POLL).await;
        let Ok(now) = world.admin.get(&run).await else { continue };
        check_sums(&now);
        if now["state"] == "finished" {
            for leg in ["finance", "crm"] {
                assert_eq!(now["legs"][leg]["not_reached"], 0, "{now}");
            }
            return now;
        }
        assert!(Instant::now() < deadline, "{now}");
        if [&now["legs"], &now["to_look_at"], &now["state"]] != [&last["legs"], &last["to_look_at"], &last["state"]] {
            (last, moved) = (now, Instant::now());
        } else if now["state"] == "paused" || (moved.elapsed() > PATIENCE && is_nudged()) {
            for command in ["pause", "resume"] {
                let _killed =
                    world.admin.post(&format!("{run}/{command}"), &json!({"reason": "it stands still"})).await;
            }
            moved = Instant::now();
        }
    }
}

#[test]
fn changes_that_are_committed_late_in_both_apps_are_not_overwritten_by_a_copy() {
    alone(async |world| {
        let longest = || json!({"longest_transaction_ms": LONGEST_TRANSACTION_MS});
        with_side(world, "finance", longest(), async || {
            with_side(world, "crm", longest(), async || {
                for app in world.apps() {
                    app.switch(json!({"commits_late_ms": COMMITS_LATE_MS})).await.expect("the app is switched");
                }
                let keys = store_batch(world);
                let [finance, crm, same, _] = BATCH;
                // Of each kind of record some are changed, those that both apps have otherwise in either of them.
                let firsts = [(0, true), (finance, false), (finance + crm, true), (finance + crm + same, true)];
                let firsts = firsts.into_iter().chain([(finance + crm + same + 10, false)]);
                let edited: Vec<_> =
                    firsts.flat_map(|(first, here)| (first..first + 4).map(move |n| (n, here))).collect();
                let people = edited.iter().map(|(n, here)| saves_thrice(world, &keys[*n], *here, *n));
                let (run, _) = join(copied(world, || false), join_all(people)).await;
                let mut names = Vec::new();
                for (n, _) in &edited {
                    let settled = world.settled(&keys[*n]).await;
                    let account = settled.crm.expect("crm has it");
                    names.push(json!([account["name"], account["telephone1"], account["creditonhold"]]));
                }
                let wanted: Vec<_> = edited.iter().map(|(n, _)| json!([format!("Live {n}"), "live", true])).collect();
                assert_eq!(names, wanted, "a change was overwritten: {run}");
                for key in &keys {
                    world.settled(key).await;
                }
            })
            .await;
        })
        .await;
    });
}

/// Three changes of different fields, so that one that is overwritten is missing in the end.
async fn saves_thrice(world: &World, key: &str, in_finance: bool, n: usize) {
    let mut rng = Rng::new(n as u64);
    let changes = match in_finance {
        true => [
            json!({"OrganizationName": format!("Live {n}")}),
            json!({"PrimaryContactPhone": "live"}),
            json!({"OnHold": "Yes"}),
        ],
        false => [json!({"name": format!("Live {n}")}), json!({"telephone1": "live"}), json!({"creditonhold": true})],
    };
    for change in changes {
        tokio::time::sleep(Duration::from_millis(rng.below(6_000))).await;
        let app = if in_finance { world.finance() } else { world.crm() };
        let deadline = Instant::now() + DEADLINE;
        loop {
            let saved = app.edit(key, change.clone()).await.expect("the app answers");
            if saved.status == 200 {
                break;
            }
            assert!(saved.status == 409 && Instant::now() < deadline, "{saved:?}");
            tokio::time::sleep(POLL).await;
        }
    }
}
