//! The story's third part: crm refuses everything, the tenth error pauses the map, and a mail says so.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use super::before::is_from_before;
use crate::admin::Admin;
use crate::mails::Mail;
use crate::output::Output;
use crate::seed::MAP;
use crate::stack::Stack;

/// Errors that pause the map.
const THRESHOLD: u64 = 10;
const RULE: &str = "/rules/crm-refuses";
/// Who is told.
const ON_CALL: &str = "on-call@example.com";
const DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// Plays it, until the map is paused and on-call knows.
pub(super) async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    let operator = stack.admin("operator")?;
    let doing =
        "an operator adds a rule: 10 errors of the type application within 15 minutes pause the map; on-call is told";
    output.step(doing, None, rule(&operator)).await?;
    let doing = "crm refuses every change: people are told why, and the tenth error pauses the map";
    let took = output.step(doing, None, refusals(stack, &operator)).await?;
    output.say(format_args!("    paused {took} ms after the tenth error was met"));
    let mail = output.step("the mail arrives", None, mail(stack, "paused")).await?;
    output.say(format_args!("    {}", mail.subject));
    output.say(format_args!("    all mails can be read at {}", stack.endpoints().mails));
    let doing = "an operator asks whether anything is still being written: functions remember a map for a second";
    output.step(doing, None, quiet(&operator)).await
}

async fn quiet(operator: &Admin) -> anyhow::Result<()> {
    let told =
        operator.post(&format!("/maps/{MAP}/pause?wait=20"), &json!({"reason": "to see that it is quiet"})).await?;
    ensure!(told["quiet"] == true && told["map"]["cause"] == "rule", "it is not quiet, or paused anew: {told}");
    Ok(())
}

/// The last step of the whole: it is over, and on-call knows that, too.
pub(super) async fn recovered(stack: &Stack) -> anyhow::Result<Mail> {
    let mail = mail(stack, "recovered").await?;
    let operator = stack.admin("operator")?;
    let incidents = operator.get("/incidents").await?;
    let incident = &incidents["incidents"][0];
    ensure!(incident["recovered_at"].is_string(), "the incident is not over: {incident}");
    let open = operator.get(&format!("/log/errors?map={MAP}&class=application&resolved=false&limit=1000")).await?;
    let ours = |error: &&Value| error["key"].as_str().is_some_and(|key| key.starts_with("C-3"));
    let open: Vec<_> = open["errors"].as_array().into_iter().flatten().filter(ours).collect();
    ensure!(open.is_empty(), "the record arrived, and its error is not resolved: {open:?}");
    Ok(mail)
}

async fn rule(operator: &Admin) -> anyhow::Result<()> {
    let rule = json!({
        "title": "crm refuses customers", "maps": [MAP], "classes": ["application"], "threshold": THRESHOLD,
        "window_minutes": 15, "action": "pause", "recipients": [ON_CALL], "reminder_minutes": 60,
    });
    operator.put(RULE, &rule).await.map(drop)
}

/// How many errors of the type application the log has, without those of the copy: no rule counts them.
async fn logged(operator: &Admin) -> anyhow::Result<u64> {
    let errors = operator.get(&format!("/log/errors?map={MAP}&class=application&limit=1000")).await?;
    let live = |error: &&Value| error["key"].as_str().is_none_or(|key| !is_from_before(key));
    Ok(errors["errors"].as_array().map_or(0, |errors| errors.iter().filter(live).count() as u64))
}

async fn refusals(stack: &Stack, operator: &Admin) -> anyhow::Result<i64> {
    stack.crm().switch(json!({"mode": "reject"})).await?;
    let before = logged(operator).await?;
    ensure!(before < THRESHOLD, "there are {before} errors already");
    for n in before..THRESHOLD {
        let map = operator.get(&format!("/maps/{MAP}")).await?;
        ensure!(map["state"] == "Running", "after {n} errors the map is {map}");
        let customer = json!({"OrganizationName": "Fabrikam", "CreditLimit": 10_000, "CustomerGroupId": "30"});
        let saved = stack.finance().edit(&format!("C-{}", 2_000 + n), customer).await?;
        ensure!(saved.status == 422, "it was not refused: {} {}", saved.status, saved.body);
        until(async || Ok((logged(operator).await? > n).then_some(())), "the error in the log").await?;
    }
    let paused = async || {
        let map = operator.get(&format!("/maps/{MAP}")).await?;
        Ok((map["state"] == "Paused").then_some(map))
    };
    let map = until(paused, "the map to be paused").await?;
    ensure!(map["cause"] == "rule" && map["actor"] == "tandem", "it was paused by something else: {map}");
    let incident = operator.get(&format!("/incidents/{}", map["incident"].as_str().unwrap_or_default())).await?;
    ensure!(incident["count"] == THRESHOLD, "it was paused after another number of errors: {incident}");
    let errors = operator.get(&format!("/log/errors?map={MAP}&class=application&limit=1")).await?;
    between(&errors["errors"][0]["at"], &map["since"])
}

/// Milliseconds between two times.
fn between(from: &Value, to: &Value) -> anyhow::Result<i64> {
    let at = |value: &Value| -> anyhow::Result<i64> {
        Ok(value.as_str().unwrap_or_default().parse::<jiff::Timestamp>()?.as_millisecond())
    };
    Ok(at(to)? - at(from)?)
}

async fn mail(stack: &Stack, says: &str) -> anyhow::Result<Mail> {
    let there = async || {
        let mails = stack.mails_to(ON_CALL).await?;
        Ok(mails.into_iter().find(|mail| mail.subject.contains(says)))
    };
    let mail = until(there, "the mail").await?;
    ensure!(mail.text.contains(MAP) && mail.html.contains("crm refuses customers"), "it says {}", mail.text);
    Ok(mail)
}

async fn until<T>(ask: impl AsyncFn() -> anyhow::Result<Option<T>>, what: &str) -> anyhow::Result<T> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("waited {DEADLINE:?} in vain for {what}");
        }
        tokio::time::sleep(POLL).await;
    }
}
