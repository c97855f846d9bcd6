//! Thousands of writes through two pauses, while functions are killed and connections dropped at random.
//!
//! `TANDEM_E2E_WRITES=10000` sends more of them; `TANDEM_TEST_SEED` plays one run again, as far as threads and processes
//! let it.

use std::{
    io::{self, Write as _},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use domain::lane::LaneVersion;
use futures::{Stream, StreamExt, future::join_all, stream};
use serde_json::json;
use testkit::Rng;

use crate::{
    killer::killing,
    load::{applied_versions, on_a_small_machine, seed, writer},
    outages::open_lane,
    pause::{caught_up, path},
    stack::{World, alone},
    values::key,
    wire::{Wire, lay},
};

const WRITES: usize = 500;
/// Programs that write, each its own records, one after the other.
const PROGRAMS: usize = 10;
const KEYS_EACH: usize = 5;
/// How often functions are killed, and connections to the emulator cut: in each of the five parts that the two pauses make.
const KILLINGS: usize = 15;
const CUTS: usize = 40;
const ON_THE_WIRE: [&str; 2] = ["sync-write", "resume-drain"];
const POLL: Duration = Duration::from_millis(50);

#[test]
fn writes_through_two_pauses_and_killed_functions_arrive_once_and_in_order() {
    alone(async |world| {
        let (seed, writes) = (seed(), number("TANDEM_E2E_WRITES").unwrap_or(WRITES));
        on_a_small_machine(world, async || {
            let (answered, cut) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let wire = Wire::to(&world.stack.endpoints().emulator).await;
            lay(world, &ON_THE_WIRE, Some(&wire)).await;
            let programs = (0..PROGRAMS).map(|n| program(world, n, writes / PROGRAMS, &answered, seed));
            let cuts = at_each(&answered, writes, CUTS).fold(Rng::new(!seed), async |mut rng, ()| {
                cut.fetch_add(wire.cut(&mut rng), Ordering::SeqCst);
                rng
            });
            let work = async { futures::join!(join_all(programs), pauses(world, &answered, writes), cuts).0 };
            let moments = at_each(&answered, writes, KILLINGS);
            let (told, killed) = killing(world, Rng::new(seed), moments, work).await;
            lay(world, &ON_THE_WIRE, None).await;
            let cut = cut.into_inner();
            assert!(killed > 0 && cut > 0, "{killed} functions were killed, {cut} connections were cut; seed {seed}");
            let _ = writeln!(
                io::stderr(),
                "{writes} writes, {killed} functions killed, {cut} connections cut, seed {seed}"
            );
            let told: Vec<_> = told.into_iter().flatten().collect();
            assert_eq!(told.iter().map(|(_, versions)| versions.len()).sum::<usize>(), writes / PROGRAMS * PROGRAMS);
            for (key, acknowledged) in &told {
                world.settled(key).await;
                for app in world.apps() {
                    let applied = applied_versions(app, key).await;
                    account(acknowledged, &applied).unwrap_or_else(|wrong| panic!("{key}, seed {seed}: {wrong}"));
                }
                assert!(open_lane(world, key).await.is_none(), "{key} is stuck; seed {seed}");
            }
            caught_up(world).await;
        })
        .await;
    });
}

/// Moments all over the work: each time when another one of so many parts of the writes is answered.
fn at_each(answered: &AtomicUsize, writes: usize, parts: usize) -> impl Stream<Item = ()> {
    stream::iter(1..parts).then(move |part| async move {
        while answered.load(Ordering::SeqCst) < writes * part / parts {
            tokio::time::sleep(POLL).await;
        }
    })
}

fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

/// Writes, one after the other; what it was told of each record, in the order in which it was told.
async fn program(
    world: &World,
    n: usize,
    writes: usize,
    answered: &AtomicUsize,
    seed: u64,
) -> Vec<(String, Vec<LaneVersion>)> {
    let mut told: Vec<_> = (0..KEYS_EACH).map(|_| (key("PAUSES"), Vec::new())).collect();
    for write in 0..writes {
        let (key, versions) = &mut told[write % KEYS_EACH];
        let rng = Rng::new(seed ^ ((n * writes + write) as u64));
        versions.push(writer(world, key, write, rng).await);
        answered.fetch_add(1, Ordering::SeqCst);
    }
    told
}

/// Pauses the map when a fifth of the writes is answered, resumes it at two fifths, and once more.
async fn pauses(world: &World, answered: &AtomicUsize, writes: usize) {
    for (fifths, command, body) in [
        (1, "pause", json!({"reason": "the first pause"})),
        (2, "resume", json!({"reason": "the first pause is over"})),
        (3, "pause", json!({"reason": "the second pause"})),
        (4, "resume", json!({"reason": "the second pause is over"})),
    ] {
        while answered.load(Ordering::SeqCst) < writes * fifths / 5 {
            tokio::time::sleep(POLL).await;
        }
        // The function may be killed, too: a repeat is no error.
        while world.admin.post(&path(command), &body).await.is_err() {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// Whether what was applied is what was acknowledged: each once, in the order of the acknowledgements.
fn account(acknowledged: &[LaneVersion], applied: &[LaneVersion]) -> Result<(), String> {
    if let Some(pair) = acknowledged.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("{} was acknowledged before {}", pair[0], pair[1]));
    }
    if let Some(lost) = acknowledged.iter().find(|version| !applied.contains(version)) {
        return Err(format!("{lost} was acknowledged and not applied"));
    }
    if let Some(pair) = applied.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(format!("{} was applied before {}", pair[0], pair[1]));
    }
    match applied.iter().find(|version| !acknowledged.contains(version)) {
        Some(nobodys) => Err(format!("{nobodys} was applied and never acknowledged")),
        None => Ok(()),
    }
}

#[test]
fn the_account_finds_what_is_lost_doubled_reordered_or_nobodys() {
    let versions = |seqs: &[u64]| seqs.iter().map(|seq| LaneVersion { generation: 1, seq: *seq }).collect::<Vec<_>>();
    let found = |acknowledged: &[u64], applied: &[u64]| account(&versions(acknowledged), &versions(applied));
    assert_eq!(found(&[1, 2, 3], &[1, 2, 3]), Ok(()));
    for (acknowledged, applied) in [
        (&[1, 2, 3][..], &[1, 3][..]),
        (&[1, 2, 3], &[1, 2, 2, 3]),
        (&[1, 2, 3], &[1, 3, 2]),
        (&[1, 2, 3], &[1, 2, 3, 4]),
        (&[2, 1], &[1, 2]),
    ] {
        assert!(found(acknowledged, applied).is_err(), "{acknowledged:?} {applied:?}");
    }
}
