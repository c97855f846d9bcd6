//! How much of the machine `sync-write` takes: time and CPU per write against calling the app straight, start, memory,
//! size. Ratios of one run; absolute times are of this machine on this day. Needs the release profile.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::{Duration, Instant};

use anyhow::ensure;
use benches::{
    account::{self, Account},
    app::App,
    function::{Function, built},
    sample,
    stats::Durations,
};

/// Measured in turns, so that whatever else the machine does meets both alike.
const WRITES: u32 = 1_000;
const WARM_UP: u32 = 50;
/// Different records, so that neither only young lanes nor only full ones are measured.
const RECORDS: u32 = 100;
const STARTS: u32 = 20;
/// Past the age at which the function reads a map anew.
const LONGER_THAN_CACHED: Duration = Duration::from_millis(1_200);
/// Resumes that are measured.
const RESUMES: u32 = 50;
const FUNCTIONS: [&str; 3] = ["sync-write", "resume-drain", "admin"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    ensure!(!cfg!(debug_assertions), "these figures are of the release profile: cargo bench without --profile dev");
    let account = Account::start().await?;
    let app = App::start(None).await?;
    account.configure(&app.url).await?;
    footprints(&account).await?;
    writes(&account, &app).await?;
    resumed(&account).await
}

/// Size and start of each function.
async fn footprints(account: &Account) -> anyhow::Result<()> {
    println!("| function | binary, stripped | start to ready, p50 of {STARTS} | memory then |\n|---|---|---|---|");
    for name in FUNCTIONS {
        let binary = built(name)?;
        let mib = std::fs::metadata(&binary)?.len() as f64 / 1_048_576.0;
        let (mut starts, mut peak_kib) = (Durations::default(), 0);
        for _ in 0..STARTS {
            let function = Function::start(&binary, &account.environment(account.url())).await?;
            starts.add(function.ready_after);
            peak_kib = function.peak_kib()?;
        }
        let ms = starts.quantile_ms(0.5);
        println!("| {name} | {mib:.1} MiB | {ms:.0} ms | {:.1} MiB |", peak_kib as f64 / 1_024.0);
    }
    Ok(())
}

async fn writes(account: &Account, app: &App) -> anyhow::Result<()> {
    let function = Function::start(&built("sync-write")?, &account.environment(account.url())).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let db = &account.clients().db;
    let (mut straight, mut through, mut reads) = (Durations::default(), Durations::default(), Durations::default());
    let mut cpu_before = Duration::ZERO;
    for n in 0..WARM_UP + WRITES {
        if n == WARM_UP {
            cpu_before = function.cpu_time()?;
        }
        let key = format!("C-{}", 10_000 + n % RECORDS);
        let body = sample::write(&key);

        let record = body["record"].to_string();
        let request = client.patch(format!("{}/accounts('{key}')", app.url)).header("content-type", "application/json");
        let began = Instant::now();
        let answer = request.body(record).send().await?;
        let direct = began.elapsed();
        ensure!(answer.status().is_success(), "the app answers {}", answer.status());

        let (told, took) = function.write(&body).await?;
        ensure!(told["status"] == "written", "{told}");

        let began = Instant::now();
        account::head(db, &key).await?;
        let read = began.elapsed();
        if n >= WARM_UP {
            straight.add(direct);
            through.add(took);
            reads.add(read);
        }
    }
    let cpu_ms = (function.cpu_time()? - cpu_before).as_secs_f64() * 1_000.0 / f64::from(WRITES);
    let (straight, through, reads) = (straight.p50_p99_ms(), through.p50_p99_ms(), reads.p50_p99_ms());
    println!("\n| {WRITES} writes of 1 KB, one after the other | p50 | p99 |\n|---|---|---|");
    for (what, (p50, p99)) in [
        ("the app, called straight", straight),
        ("sync-write, which calls the app", through),
        ("one read of the emulated DynamoDB", reads),
    ] {
        println!("| {what} | {p50:.2} ms | {p99:.2} ms |");
    }
    println!("| overhead of sync-write | {:.2} ms | {:.2} ms |", through.0 - straight.0, through.1 - straight.1);
    println!("| sync-write / straight | {:.1} | {:.1} |", through.0 / straight.0, through.1 / straight.1);
    println!("| overhead / one read of the emulated DynamoDB | {:.1} | |", (through.0 - straight.0) / reads.0);
    println!("\nCPU time of sync-write for a write: {cpu_ms:.2} ms (user and system).");
    println!("Its peak memory after {} writes: {:.1} MiB.", WARM_UP + WRITES, function.peak_kib()? as f64 / 1_024.0);
    Ok(())
}

/// How soon after a resume a record that nobody touched is written directly, by a function that believes in the pause.
async fn resumed(account: &Account) -> anyhow::Result<()> {
    let function = Function::start(&built("sync-write")?, &account.environment(account.url())).await?;
    let (mut first, mut second) = (Durations::default(), Durations::default());
    for n in 0..RESUMES {
        account.run().await?;
        account.pause().await?;
        tokio::time::sleep(LONGER_THAN_CACHED).await;
        let (told, _) = function.write(&sample::write(&format!("K-{n}"))).await?;
        ensure!(told["status"] == "queued", "{told}");
        account.resume().await?;
        let (told, took) = function.write(&sample::write(&format!("U-{n}"))).await?;
        ensure!(told["status"] == "written", "{told}");
        first.add(took);
        let (told, took) = function.write(&sample::write(&format!("V-{n}"))).await?;
        ensure!(told["status"] == "written", "{told}");
        second.add(took);
    }
    println!("\n| after a resume, records that nobody touched | p50 | p99 |\n|---|---|---|");
    for (what, durations) in [("first write", first), ("second write", second)] {
        let (p50, p99) = durations.p50_p99_ms();
        println!("| {what} | {p50:.2} ms | {p99:.2} ms |");
    }
    Ok(())
}
