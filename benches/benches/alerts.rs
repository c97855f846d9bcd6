//! What alerting takes: from the last error to the pause, the run of each minute, and how fast errors are logged. In this
//! process, over the emulated DynamoDB; requests are counted on their way there.

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

use std::{fs, time::Instant};

use anyhow::Context;
use app::{
    alerts::tick,
    ingest::ingest,
    ports::{AlertPorts, Alerts, Log, Ports},
};
use aws::{
    AlertSettings, AwsAlertPorts, Clients, NoApps,
    settings::{Common, Settings},
};
use benches::{
    account::{Account, clients_at},
    proxy::Proxy,
    stats::Durations,
};
use domain::{
    ErrorClass, LogId, Map, MapId, MapState, Timestamp,
    id::MapUid,
    log::{ErrorEvent, LogEvent, LoggedError, Order},
    rule::Rule,
};
use testkit::sample;

type World = AwsAlertPorts<NoApps>;

/// Pauses that are timed.
const PAUSES: u64 = 100;
const RULES: usize = 100;
const NOISY: u64 = 100;
/// Errors that are logged, and how many come with one invocation.
const ERRORS: u64 = 10_000;
const BATCH: usize = 100;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let account = Account::start().await?;
    let proxy = Proxy::start(account.url()).await?;
    let clients = clients_at(&proxy.url).await;
    let world = world(&account, &clients)?;
    account.put_sides().await?;
    pauses(&world, &proxy).await?;
    logging(&world).await?;
    minutes(&account, &world, &proxy).await
}

fn world(account: &Account, clients: &Clients) -> anyhow::Result<World> {
    let environment = account.environment(account.url());
    let mut read = Settings::new(|name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    });
    let (common, alerts) = (Common::read(&mut read), AlertSettings::read(&mut read));
    let (common, alerts) = read.finish((common, alerts)).map_err(anyhow::Error::msg)?;
    Ok(AwsAlertPorts::of(clients, &common, &alerts, NoApps))
}

fn map(name: &str) -> anyhow::Result<Map> {
    let id: MapId = name.parse().map_err(|says: String| anyhow::Error::msg(says))?;
    let mut map = Map::new(id, MapUid(7), sample::customers(), "bench", Timestamp(0));
    map.state = MapState::Running;
    Ok(map)
}

fn error(world: &World, map: &Map, n: u64) -> ErrorEvent {
    let at = world.now();
    let mut event = sample::error(at, u128::from(n), &format!("C-{n}"), ErrorClass::Application);
    event.id = LogId::of(at, Order::Change(0), &[map.id.as_str().as_bytes(), &n.to_be_bytes()]);
    event.map = map.id.clone();
    event
}

fn logged(event: ErrorEvent) -> LogEvent {
    LogEvent::Error(Box::new(event))
}

/// From the tenth error's arrival in `log-ingest` to the map being paused: it is logged, judged and acted upon.
async fn pauses(world: &World, proxy: &Proxy) -> anyhow::Result<()> {
    let rule = sample::rule(10);
    world.alerts().save_rule(&rule, 0, &sample::line()).await?;
    let (mut durations, mut asked) = (Durations::default(), 0);
    for n in 0..PAUSES {
        let map = map(&format!("paused-{n}"))?;
        put_map(world, &map).await?;
        for error_n in 0..9 {
            ingest(world, &[logged(error(world, &map, error_n))]).await?;
        }
        let tenth = logged(error(world, &map, 9));
        proxy.take();
        let began = Instant::now();
        let done = ingest(world, &[tenth]).await?;
        durations.add(began.elapsed());
        anyhow::ensure!(done.paused_after_ms.len() == 1, "it did not pause: {done:?}");
        asked = proxy.take().len();
    }
    let (p50, p99) = durations.p50_p99_ms();
    println!(
        "| from the tenth error in `log-ingest` to the pause, {PAUSES} maps | p50 | p99 | requests |\n|---|---|---|---|"
    );
    println!("| logged, judged, incident opened, map paused | {p50:.1} ms | {p99:.1} ms | {asked} |");
    world.alerts().delete_rule(&rule.id, 1, &sample::line()).await?;
    Ok(())
}

/// The run of each minute, with more and more quiet maps, then with noisy ones.
async fn minutes(account: &Account, world: &World, proxy: &Proxy) -> anyhow::Result<()> {
    for n in 0..RULES {
        let id = format!("rule-{n}").parse().map_err(|says: String| anyhow::Error::msg(says))?;
        let mut rule = Rule { id, ..sample::rule(1_000) };
        rule.config.window_minutes = u32::try_from(1 + n % 60)?;
        world.alerts().save_rule(&rule, 0, &sample::line()).await?;
    }
    // What the pauses above have left is not part of it.
    forget(account).await?;
    println!("\n| a run of `threshold-evaluate`, {RULES} rules | requests | p50 of 20 |\n|---|---|---|");
    let mut made = 0_u64;
    for quiet in [10_u64, 1_000, 100_000] {
        account.put_maps(made..quiet, map).await?;
        made = quiet;
        row(world, proxy, &format!("{quiet} quiet maps")).await?;
    }
    for n in 0..NOISY {
        let map = map(&format!("m-{n}"))?;
        for error_n in 0..20 {
            let event = error(world, &map, error_n);
            world.log().add_error(&LoggedError::new(event)).await?;
        }
        world.log().note_noisy(&map.id, world.now()).await?;
    }
    row(world, proxy, &format!("{NOISY} noisy maps of 100,000, 20 errors each")).await
}

async fn row(world: &World, proxy: &Proxy, what: &str) -> anyhow::Result<()> {
    let (mut durations, mut asked) = (Durations::default(), 0);
    for _ in 0..20 {
        proxy.take();
        let began = Instant::now();
        tick(world, world.now().plus_ms(60_000)).await?;
        durations.add(began.elapsed());
        asked = proxy.take().len();
    }
    println!("| {what} | {asked} | {:.1} ms |", durations.quantile_ms(0.5));
    Ok(())
}

/// Errors a second, in batches as the stream brings them, and what that takes of memory.
async fn logging(world: &World) -> anyhow::Result<()> {
    let map = map("flood")?;
    put_map(world, &map).await?;
    let rule = sample::rule(1_000);
    world.alerts().save_rule(&rule, 0, &sample::line()).await?;
    let before = peak_mib()?;
    let events: Vec<_> = (0..ERRORS).map(|n| logged(error(world, &map, n))).collect();
    let began = Instant::now();
    for batch in events.chunks(BATCH) {
        ingest(world, batch).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "ten thousand")]
    let rate = ERRORS as f64 / began.elapsed().as_secs_f64();
    println!(
        "\n| {ERRORS} errors in batches of {BATCH}, one rule of 1,000 errors | errors/s of one invocation | peak memory before | after |\n|---|---|---|---|"
    );
    println!("| one map, one class | {rate:.0} | {before} MiB | {} MiB |", peak_mib()?);
    Ok(world.alerts().delete_rule(&rule.id, 1, &sample::line()).await?)
}

async fn put_map(world: &World, map: &Map) -> anyhow::Result<()> {
    use app::ports::Config;
    Ok(world.config().save_map(map, 0, &sample::line()).await?)
}

async fn forget(account: &Account) -> anyhow::Result<()> {
    account.empty("NOISY").await?;
    account.empty("INCIDENTS").await
}

/// The most memory that this process has had.
fn peak_mib() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak is told")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
}
