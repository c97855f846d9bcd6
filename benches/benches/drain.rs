//! How fast a backlog is written, against the bound that the app sets: so many calls at once, each so long. The journal
//! and the queue are in memory, at no distance and at DynamoDB's: what is measured is the drain's own pace.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::Duration;

use anyhow::ensure;
use app::drain::MAX_AT_ONCE;
use benches::drained::World;

const ENTRIES: usize = 10_000;
const RECORDS: usize = 1_000;
const LATENCIES_MS: [u64; 3] = [5, 50, 250];
const ONE_RECORD: usize = 5_000;
/// What a request to DynamoDB takes within a region, of the few milliseconds that AWS names.
const JOURNAL_MS: u64 = 5;
/// Backlogs over which the memory must stay flat.
const BACKLOGS: [usize; 3] = [1_000, 10_000, 100_000];
/// What a drain may need whatever the backlog, above what the journal in memory holds.
const MAX_KIB: u64 = 4 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    println!(
        "| backlog | a call takes | a request to the journal | calls at once, most | entries/s | bound | share of the bound |"
    );
    println!("|---|---|---|---|---|---|---|");
    for journal_ms in [0, JOURNAL_MS] {
        for ms in LATENCIES_MS {
            measure(ENTRIES, RECORDS, ms, journal_ms, MAX_AT_ONCE).await?;
        }
        measure(ONE_RECORD, 1, 5, journal_ms, 1).await?;
    }

    println!("\n| backlog | memory above what the journal holds at the start, peak |\n|---|---|");
    for entries in BACKLOGS {
        let world = World::paused(Duration::from_millis(1), Duration::ZERO);
        world.keep(entries, entries / 10).await?;
        let before = memory::forget_peak()?;
        let (drained, _) = world.drain().await?;
        ensure!(drained.done == entries as u64, "{drained:?}");
        let peak = memory::peak()?.saturating_sub(before);
        println!("| {entries} entries | {peak} KiB |");
        ensure!(peak <= MAX_KIB, "the drain's memory grows with the backlog: {peak} KiB for {entries} entries");
    }
    Ok(())
}

/// What Linux says of this process.
mod memory {
    use anyhow::Context;

    /// Begins a new peak; the memory in use now, in KiB.
    pub(super) fn forget_peak() -> anyhow::Result<u64> {
        std::fs::write("/proc/self/clear_refs", "5").context("the peak cannot be forgotten")?;
        field("VmRSS:")
    }

    /// The most that was in use since, in KiB.
    pub(super) fn peak() -> anyhow::Result<u64> {
        field("VmHWM:")
    }

    fn field(name: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("Linux does not tell")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn measure(entries: usize, records: usize, ms: u64, journal_ms: u64, at_once: usize) -> anyhow::Result<()> {
    let world = World::paused(Duration::from_millis(ms), Duration::from_millis(journal_ms));
    world.keep(entries, records).await?;
    let (drained, took) = world.drain().await?;
    ensure!(drained.done == entries as u64, "{drained:?}");
    let rate = entries as f64 / took.as_secs_f64();
    let bound = at_once as f64 * 1_000.0 / ms as f64;
    println!(
        "| {entries} entries of {records} records | {ms} ms | {journal_ms} ms | {} | {rate:.0} | {bound:.0} | {:.0} % |",
        world.most_at_once(),
        100.0 * rate / bound
    );
    Ok(())
}
