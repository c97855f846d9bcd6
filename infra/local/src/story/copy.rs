//! The story's first part: Tandem compares the records that both apps had before, copies them, and compares them again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::before::{self, Kind};
use super::equal;
use crate::admin::Admin;
use crate::apps::App;
use crate::output::Output;
use crate::seed::{self, MAP};
use crate::stack::Stack;

/// Number of people who save at the same time.
const PEOPLE: usize = 8;
/// Number of records that people change in each app while the copy runs.
const EDITED: usize = 10;
/// Number of records that the copy creates before people begin to save.
const COPIED_FIRST: u64 = 50;
const DEADLINE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(200);
/// Pause of a person who tries again to save a record that could not be saved.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Plays this part, until the map runs and both apps are equal.
pub(super) async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    let (admin, operator) = (stack.admin("admin")?, stack.admin("operator")?);
    let (customers, accounts, different) = (count(before::CUSTOMERS), before::ACCOUNTS, before::DIFFERENT);
    output.say(format_args!("  finance has {customers} customers already; its page: {}", stack.finance().url()));
    output.say(format_args!(
        "  crm has {accounts} of them, {different} with other values; its page: {}",
        stack.crm().url()
    ));

    let doing = "a dry run compares both apps and writes nothing";
    let dry = output.step(doing, None, dry_run(&operator)).await?;
    tell_dry_run(output, &dry);

    let doing = format!("the initial sync copies; meanwhile people save {} records in both apps", 2 * EDITED);
    let so_far = AtomicU64::new(0);
    let seen = || format!(": {} records so far", told(&so_far.load(Ordering::Relaxed).into()));
    let copied = output.step_seen(&doing, seen, initial_sync(stack, &operator, &so_far)).await?;
    tell_copied(output, &copied);
    let doing = format!("nothing is overwritten: what people saved meanwhile is in both apps, {} of {0}", 2 * EDITED);
    output.step(&doing, None, kept(stack)).await?;

    let doing = format!(
        "people correct {} customers in finance, and an admin adds group {} to the map",
        before::TOO_MUCH + before::NO_CONTACT,
        before::GROUP.0
    );
    output.step(&doing, None, mended(stack, &admin)).await?;
    let doing = format!("the {} that failed are copied once more: 0 left", failures());
    output.step(&doing, None, rerun(&operator, &copied)).await?;
    let doing = "a reconcile compares everything again: both apps are equal";
    let reconciled = output.step(doing, None, reconcile(&operator)).await?;
    let equal = &reconciled["legs"]["finance"]["equal"];
    output.say(format_args!(
        "    {} customers, {} accounts, 0 differences",
        told(equal),
        told(&reconciled["legs"]["crm"]["equal"])
    ));
    output.say(format_args!(
        "    all runs, with every record: GET {}/maps/{MAP}/syncs",
        stack.endpoints().admin.trim_end_matches('/')
    ));
    Ok(())
}

fn tell_dry_run(output: Output, run: &Value) {
    let leg = &run["legs"]["finance"];
    output.say(format_args!(
        "    {} are missing in crm, {} have other values there",
        told(&leg["inserted"]),
        told(&leg["updated"])
    ));
    output.say(format_args!("    {} are the same, {} cannot be copied:", told(&leg["equal"]), told(&leg["failed"])));
    tell_causes(output, run);
}

fn tell_copied(output: Output, run: &Value) {
    let leg = &run["legs"]["finance"];
    output.say(format_args!(
        "    {} created in crm, {} changed there, {} the same, {} failed",
        told(&leg["inserted"]),
        told(&leg["updated"]),
        told(&leg["equal"]),
        told(&leg["failed"])
    ));
    output.say(format_args!("    {} errors, {} causes:", told(&leg["failed"]), causes(run).len()));
    tell_causes(output, run);
}

fn tell_causes(output: Output, run: &Value) {
    for cause in causes(run) {
        let text = |name: &str| cause[name].as_str().unwrap_or_default();
        output.say(format_args!(
            "      {:>2} × {}  (e.g. {})",
            told(&cause["records"]),
            text("message"),
            text("sample")
        ));
    }
}

/// The causes of failures, the most frequent first.
fn causes(run: &Value) -> Vec<Value> {
    let mut causes = run["causes"].as_array().cloned().unwrap_or_default();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause["records"].as_u64()));
    causes
}

fn failures() -> usize {
    before::TOO_MUCH + before::NO_CONTACT + before::NEW_GROUP
}

/// Formats a count in an answer for people.
fn told(value: &Value) -> String {
    value.as_u64().and_then(|value| usize::try_from(value).ok()).map_or_else(|| "?".to_owned(), count)
}

fn count(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

fn syncs() -> String {
    format!("/maps/{MAP}/syncs")
}

async fn start(operator: &Admin, wanted: &Value) -> anyhow::Result<String> {
    let run = operator.post(&syncs(), wanted).await?;
    let id = run["id"].as_str().with_context(|| format!("the run has no id: {run}"))?;
    Ok(format!("{}/{id}", syncs()))
}

/// Waits until a run has finished, and checks that its counts add up.
async fn end(operator: &Admin, run: &str) -> anyhow::Result<Value> {
    end_seen(operator, run, &AtomicU64::new(0)).await
}

/// Does the same as [`end`], and keeps in `so_far` how many rows of finance have been dealt with.
async fn end_seen(operator: &Admin, run: &str, so_far: &AtomicU64) -> anyhow::Result<Value> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let run = operator.get(run).await?;
        let count = |name: &str| run["legs"]["finance"][name].as_u64().unwrap_or_default();
        so_far.store(count("read").saturating_sub(count("not_reached")), Ordering::Relaxed);
        if run["state"] == "finished" {
            for leg in ["finance", "crm"] {
                let count = |name: &str| run["legs"][leg][name].as_u64().unwrap_or(u64::MAX / 16);
                let ends = ["inserted", "updated", "equal", "skipped", "failed"].map(count);
                ensure!(ends.iter().sum::<u64>() == count("read"), "the counts of {leg} do not add up: {run}");
            }
            return Ok(run);
        }
        ensure!(run["state"] == "running" && Instant::now() < deadline, "the run does not end: {run}");
        tokio::time::sleep(POLL).await;
    }
}

fn ensure_counts(run: &Value, leg: &str, wanted: &[(&str, usize)]) -> anyhow::Result<()> {
    for (name, wanted) in wanted {
        let found = &run["legs"][leg][name];
        ensure!(found.as_u64() == Some(*wanted as u64), "{name} of {leg} is {found}, not {wanted}: {run}");
    }
    Ok(())
}

async fn dry_run(operator: &Admin) -> anyhow::Result<Value> {
    let run = start(operator, &json!({"kind": "dry_run", "winner": "finance", "reason": "before go-live"})).await?;
    let run = end(operator, &run).await?;
    let missing = before::CUSTOMERS - before::ACCOUNTS - before::NEW_GROUP;
    ensure_counts(
        &run,
        "finance",
        &[
            ("read", before::CUSTOMERS),
            ("inserted", missing),
            ("updated", before::DIFFERENT),
            ("equal", before::ACCOUNTS - before::DIFFERENT),
            ("failed", before::NEW_GROUP),
        ],
    )?;
    ensure_counts(&run, "crm", &[("read", before::ACCOUNTS), ("inserted", 0), ("updated", 0)])?;
    Ok(run)
}

async fn initial_sync(stack: &Stack, operator: &Admin, so_far: &AtomicU64) -> anyhow::Result<Value> {
    let run = start(operator, &json!({"kind": "initial_sync", "winner": "finance", "reason": "go-live"})).await?;
    let deadline = Instant::now() + DEADLINE;
    while operator.get(&run).await?["legs"]["finance"]["inserted"].as_u64() < Some(COPIED_FIRST) {
        ensure!(Instant::now() < deadline, "nothing is copied: {}", operator.get(&run).await?);
        tokio::time::sleep(POLL).await;
    }
    let edits = edits().into_iter().map(|edit| async move { edit.save(stack).await });
    stream::iter(edits).buffer_unordered(PEOPLE).try_collect::<()>().await?;
    let meanwhile = operator.get(&run).await?;
    ensure!(meanwhile["state"] == "running", "the copy ended before people had saved: {meanwhile}");
    let run = end_seen(operator, &run, so_far).await?;
    ensure_counts(&run, "finance", &[("failed", failures())])?;
    let mut found: Vec<_> = causes(&run).iter().filter_map(|cause| cause["records"].as_u64()).collect();
    found.sort_unstable();
    ensure!(
        found == [before::NEW_GROUP, before::NO_CONTACT, before::TOO_MUCH].map(|n| n as u64),
        "other causes: {run}"
    );
    Ok(run)
}

/// A change that a person makes while the copy runs.
struct Edit {
    in_finance: bool,
    key: String,
    name: String,
}

/// The edits. They are spread over the list, so that the copy has passed some of the records and not reached others.
fn edits() -> Vec<Edit> {
    let pick = |kind: fn(Kind) -> bool| {
        let all = before::numbers(kind);
        let step = all.len() / EDITED;
        all.into_iter().step_by(step).take(EDITED).collect::<Vec<_>>()
    };
    let edit = |in_finance: bool| {
        move |n| Edit {
            in_finance,
            key: before::key(n),
            name: format!("Changed in {}", if in_finance { "finance" } else { "crm" }),
        }
    };
    let in_crm = pick(|kind| matches!(kind, Kind::InBoth(_)));
    pick(|kind| kind == Kind::Plain).into_iter().map(edit(true)).chain(in_crm.into_iter().map(edit(false))).collect()
}

impl Edit {
    async fn save(&self, stack: &Stack) -> anyhow::Result<()> {
        let (app, field) = match self.in_finance {
            true => (stack.finance(), "OrganizationName"),
            false => (stack.crm(), "name"),
        };
        save(app, &self.key, &json!({field: self.name})).await
    }
}

/// Saves a record, and tries again while the app answers 409, as a person would.
async fn save(app: &App, key: &str, fields: &Value) -> anyhow::Result<()> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let saved = app.edit(key, fields.clone()).await?;
        match saved.status {
            200 => return Ok(()),
            409 if Instant::now() < deadline => tokio::time::sleep(TRY_AGAIN).await,
            _ => bail!("{key} was not saved: {} {}", saved.status, saved.body),
        }
    }
}

/// Fails unless both apps have each edit.
async fn kept(stack: &Stack) -> anyhow::Result<()> {
    for edit in edits() {
        let customer = stack.finance().fields(&edit.key).await?.unwrap_or_default();
        ensure!(customer["OrganizationName"] == edit.name.as_str(), "{} was overwritten: {customer}", edit.key);
        equal(stack, &edit.key).await?;
    }
    Ok(())
}

async fn mended(stack: &Stack, admin: &Admin) -> anyhow::Result<()> {
    admin.overwrite(&format!("/maps/{MAP}"), &seed::map_config_with(before::GROUP)).await?;
    let too_much = before::numbers(|kind| kind == Kind::TooMuch);
    let no_contact = before::numbers(|kind| kind == Kind::NoContact);
    let limit = || json!({"CreditLimit": 900_000});
    let contact = || json!({"ContactPersonId": before::CONTACT});
    let corrected = too_much.into_iter().map(|n| (n, limit())).chain(no_contact.into_iter().map(|n| (n, contact())));
    let saves = corrected.map(|(n, fields)| async move { save(stack.finance(), &before::key(n), &fields).await });
    stream::iter(saves).buffer_unordered(PEOPLE).try_collect().await
}

async fn rerun(operator: &Admin, parent: &Value) -> anyhow::Result<()> {
    let wanted = json!({
        "kind": "initial_sync", "winner": "finance", "selection": "failed", "parent": parent["id"],
        "reason": "corrected",
    });
    let run = start(operator, &wanted).await?;
    let run = end(operator, &run).await?;
    ensure_counts(&run, "finance", &[("read", failures()), ("failed", 0), ("skipped", 0)])
}

async fn reconcile(operator: &Admin) -> anyhow::Result<Value> {
    let run = start(operator, &json!({"kind": "reconcile", "winner": "finance", "reason": "are both equal?"})).await?;
    let run = end(operator, &run).await?;
    for leg in ["finance", "crm"] {
        ensure_counts(&run, leg, &[("read", before::CUSTOMERS), ("equal", before::CUSTOMERS)])?;
    }
    Ok(run)
}
