//! What a direct write of 1 KB asks of DynamoDB, and what that costs. Counted, not timed: every profile will do. Fails
//! when a limit is exceeded.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::ensure;
use benches::{
    account::{self, Account},
    app::{App, Look},
    function::{self, Function},
    price::{Item, USD_PER_MILLION_FIFO_REQUESTS, Units, item_bytes},
    proxy::{Noted, Proxy, in_sequence},
    sample,
};

/// Requests to DynamoDB of one direct write, and how many of them one after the other.
const MAX_REQUESTS: usize = 4;
const MAX_IN_SEQUENCE: usize = 3;
/// Of the first write to a map that was made after the function started: it does not know the map's sides yet.
const MAX_REQUESTS_UNKNOWN: usize = 5;
const MAX_IN_SEQUENCE_UNKNOWN: usize = 4;
/// DynamoDB's share of a million direct writes to records whose lane is young.
const MAX_USD_PER_MILLION: f64 = 2.75;
/// Past the age at which the function reads a map anew.
const LONGER_THAN_CACHED: Duration = Duration::from_millis(1_200);
/// Final answers that a lane remembers; from here on its head no longer grows by them.
const FULL_RING: usize = domain::limits::RECENT_ANSWERS;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let account = Account::start().await?;
    let in_flight: Arc<Mutex<Option<Item>>> = Arc::default();
    let app = App::start(Some(looking(&account, &in_flight))).await?;
    let proxy = Proxy::start(account.url()).await?;
    let binary = function::built("sync-write")?;

    println!("| direct write of 1 KB, map | DynamoDB requests | in sequence | which |\n|---|---|---|---|");
    let function = Function::start(&binary, &account.environment(&proxy.url)).await?;
    account.configure(&app.url).await?;
    count(&function, &proxy, "made since the function started", (MAX_REQUESTS_UNKNOWN, MAX_IN_SEQUENCE_UNKNOWN))
        .await?;
    drop(function);
    let function = Function::start(&binary, &account.environment(&proxy.url)).await?;
    let limits = (MAX_REQUESTS, MAX_IN_SEQUENCE);
    count(&function, &proxy, "read as the function started", limits).await?;
    count(&function, &proxy, "known, read within the last second", limits).await?;
    tokio::time::sleep(LONGER_THAN_CACHED).await;
    count(&function, &proxy, "known, read longer ago", limits).await?;

    println!(
        "\n| write of 1 KB while the map is paused | requests | in sequence | which | WRU | RRU | $ per million |"
    );
    println!("|---|---|---|---|---|---|---|");
    account.pause().await?;
    tokio::time::sleep(LONGER_THAN_CACHED).await;
    let function = Function::start(&binary, &account.environment(&proxy.url)).await?;
    function.write(&sample::write("P-0")).await?; // the queue's address is looked up once
    for what in ["first of a record", "second of the record"] {
        kept(&account, &function, &proxy, what).await?;
    }
    drop(function);
    account.run().await?;
    let function = Function::start(&binary, &account.environment(&proxy.url)).await?;

    println!("\n| direct write of 1 KB, record | head before | in flight | after | WRU | RRU | $ per million |");
    println!("|---|---|---|---|---|---|---|");
    let priced = Priced { account: &account, function: &function, app: &app, in_flight: &in_flight };
    let first = priced.write("C-2", false).await?;
    first.tell("written for the first time");
    let second = priced.write("C-2", false).await?;
    second.tell("written for the second time");
    for _ in 2..FULL_RING {
        priced.write("C-2", false).await?;
    }
    priced.write("C-2", false).await?.tell("written often, the other app reports nothing");
    for _ in 0..FULL_RING {
        priced.write("C-3", true).await?;
    }
    priced.write("C-3", true).await?.tell("written often, the other app reports each write");
    println!(
        "\nReading the map and its sides anew adds {} RRU (${:.3} per million) to one write a second and sandbox.",
        MAP_AND_SIDES.reads,
        MAP_AND_SIDES.usd_per_million()
    );
    let usd = first.units().usd_per_million();
    ensure!(usd <= MAX_USD_PER_MILLION, "a million writes cost ${usd}, more than ${MAX_USD_PER_MILLION}");
    Ok(())
}

/// A map and two sides; with some 50 fields or fewer each of them is below 4 KB.
const MAP_AND_SIDES: Units = Units { reads: 3, writes: 0 };

/// Notes the head while a write is in flight. Straight to the emulator: it is not the function's request.
fn looking(account: &Account, in_flight: &Arc<Mutex<Option<Item>>>) -> Look {
    let (db, in_flight) = (account.clients().db.clone(), Arc::clone(in_flight));
    Arc::new(move |key| {
        let (db, in_flight) = (db.clone(), Arc::clone(&in_flight));
        Box::pin(async move {
            let head = account::head(&db, &key).await.ok().flatten();
            if let Ok(mut seen) = in_flight.lock() {
                *seen = head;
            }
        })
    })
}

async fn count(function: &Function, proxy: &Proxy, what: &str, limits: (usize, usize)) -> anyhow::Result<()> {
    proxy.take();
    let (told, _) = function.write(&sample::write("C-1")).await?;
    ensure!(told["status"] == "written", "{told}");
    let noted = proxy.take();
    let (requests, steps) = (noted.len(), in_sequence(&noted));
    let names: Vec<_> = noted.iter().map(|Noted { operation, .. }| operation.as_str()).collect();
    println!("| {what} | {requests} | {steps} | {} |", names.join(", "));
    ensure!(requests <= limits.0 && steps <= limits.1, "more than {} requests, or {} in sequence", limits.0, limits.1);
    Ok(())
}

/// Requests of a write that is kept, and how many of them one after the other.
const MAX_REQUESTS_KEPT: usize = 6;
const MAX_IN_SEQUENCE_KEPT: usize = 6;

/// What is asked of SQS for an entry: it is sent alone, and received and deleted with nine others.
const QUEUE_REQUESTS: f64 = 1.2;

async fn kept(account: &Account, function: &Function, proxy: &Proxy, what: &str) -> anyhow::Result<()> {
    let db = &account.clients().db;
    let before = account::items(db).await?;
    proxy.take();
    let (told, _) = function.write(&sample::write("P-1")).await?;
    ensure!(told["status"] == "queued", "{told}");
    let noted = proxy.take();
    let after = account::items(db).await?;
    let (requests, steps) = (noted.len(), in_sequence(&noted));
    let names: Vec<_> = noted.iter().map(|Noted { operation, .. }| operation.as_str()).collect();
    // One transaction changes all of them; whatever is read is smaller than what one unit reads.
    let changed = after.iter().filter(|(key, item)| before.get(key) != Some(item));
    let written: Units = changed.map(|(key, item)| Units::in_a_transaction(before.get(key), item)).sum();
    let read: Units = names.iter().map(|name| Units { writes: 0, reads: reads(name) }).sum();
    let units: Units = [written, read].into_iter().sum();
    let usd = units.usd_per_million() + QUEUE_REQUESTS * USD_PER_MILLION_FIFO_REQUESTS;
    let names = names.join(", ");
    println!("| {what} | {requests} | {steps} | {names} | {} | {} | {usd:.2} |", units.writes, units.reads);
    ensure!(requests <= MAX_REQUESTS_KEPT && steps <= MAX_IN_SEQUENCE_KEPT, "more requests than may be");
    Ok(())
}

/// Units of a read: a head or a marker, or a map and its sides.
fn reads(operation: &str) -> usize {
    match operation {
        "GetItem" => 1,
        "BatchGetItem" => MAP_AND_SIDES.reads,
        _ => 0,
    }
}

/// What it takes to price a write.
struct Priced<'a> {
    account: &'a Account,
    function: &'a Function,
    app: &'a App,
    in_flight: &'a Mutex<Option<Item>>,
}

/// One write, by the head it found, made and left.
struct Heads {
    before: Option<Item>,
    in_flight: Item,
    after: Item,
}

impl Priced<'_> {
    /// Writes a record and notes the heads; then lets the other app report it, if `reported`.
    async fn write(&self, key: &str, reported: bool) -> anyhow::Result<Heads> {
        let db = &self.account.clients().db;
        let before = account::head(db, key).await?;
        let (told, _) = self.function.write(&sample::write(key)).await?;
        ensure!(told["status"] == "written", "{told}");
        let in_flight = self.in_flight.lock().ok().and_then(|mut seen| seen.take());
        let after = account::head(db, key).await?;
        let (Some(in_flight), Some(after)) = (in_flight, after) else { anyhow::bail!("there is no head") };
        if reported {
            let (told, _) = self.function.write(&sample::report(key, &self.app.last()?)).await?;
            ensure!(told["reason"] == "echo", "{told}");
        }
        Ok(Heads { before, in_flight, after })
    }
}

impl Heads {
    fn units(&self) -> Units {
        let Self { before, in_flight, after } = self;
        let read = Units::read(before.as_ref());
        [read, Units::update(before.as_ref(), in_flight), Units::update(Some(in_flight), after)].into_iter().sum()
    }

    fn tell(&self, what: &str) {
        let units = self.units();
        let bytes = |item: &Item| item_bytes(item);
        let before = self.before.as_ref().map_or(0, bytes);
        let (in_flight, after) = (bytes(&self.in_flight), bytes(&self.after));
        let usd = units.usd_per_million();
        println!("| {what} | {before} B | {in_flight} B | {after} B | {} | {} | {usd:.3} |", units.writes, units.reads);
    }
}
