//! Kills functions in the middle of their work.

use std::{fs, path::Path, pin::pin, time::Duration};

use futures::{
    Stream, StreamExt,
    future::{Either, select},
    stream,
};
use rustix::process::{Pid, Signal, kill_process};
use testkit::Rng;

use crate::stack::World;

/// Between two killings, at most.
const BETWEEN_MS_MAX: u64 = 1_500;
const BETWEEN_SWEEPS: Duration = Duration::from_secs(2);

/// A few moments soon after each other: what a killed function held is closed to others until its lease ends.
pub(crate) fn soon(mut rng: Rng, moments: u32) -> impl Stream<Item = ()> {
    stream::iter(0..moments).then(move |_| tokio::time::sleep(Duration::from_millis(1 + rng.below(BETWEEN_MS_MAX))))
}

/// Does some work while at some moments some of the functions that run are killed. The work's result, and how many were.
pub(crate) async fn killing<T>(
    world: &World,
    mut rng: Rng,
    moments: impl Stream<Item = ()>,
    work: impl Future<Output = T>,
) -> (T, usize) {
    // The emulator runs each function as a process of its own, from a folder of this stack.
    let files = world.stack.endpoints_file().with_file_name("emulator").canonicalize().expect("the emulator's files");
    let mut killed = 0;
    let kill = async {
        let mut moments = pin!(moments);
        while moments.next().await.is_some() {
            for process in functions(&files) {
                if rng.happens(500) && kill_process(process, Signal::KILL).is_ok() {
                    killed += 1;
                }
            }
        }
    };
    let ((), done) = {
        // What a killed function held is taken over by a sweep when its lease ends; the next minute's may be far.
        let sweep = async {
            loop {
                let _refused_while_others_run = world.stack.sweep().await;
                tokio::time::sleep(BETWEEN_SWEEPS).await;
            }
        };
        let (work, sweep) = (pin!(work), pin!(sweep));
        let worked = async {
            match select(work, sweep).await {
                Either::Left((done, _)) => done,
                Either::Right((never, _)) => never,
            }
        };
        futures::join!(kill, worked)
    };
    (done, killed)
}

fn functions(files: &Path) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("processes can be listed").flatten();
    let ours = processes.filter(|process| {
        fs::read_link(process.path().join("exe")).is_ok_and(|exe| exe.starts_with(files) && exe.ends_with("bootstrap"))
    });
    ours.filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?)).collect()
}
