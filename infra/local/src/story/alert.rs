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

/// Number of errors at which the rule pauses the map.
const THRESHOLD: u64 = 10;
const RULE: &str = "/rules/crm-refuses";
/// The address that the rule sends mail to.
const ON_CALL: &str = "on-call@example.com";
const DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);

/// Plays this part, until the map is paused and the mail has arrived.
pub(super) async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    let operator = stack.admin("operator")?;
    let doing =
        "an operator adds a rule: 10 errors of the type application within 15 minutes pause the map; on-call is told";
    output.step(doing, None, rule(&operator)).await?;
    let doing = "crm refuses every change: people are told why, and the tenth error pauses the map";
    let took = output.step(doing, None, refusals(stack, &operator)).await?;
    output.say(format_args!("    Tandem paused the map {took} ms after the tenth error"));
    let mail = output.step("the mail arrives", None, mail(stack, "paused")).await?;
    output.say(format_args!("    {}", mail.subject));
    output.say(format_args!("    all mails can be read at {}", stack.endpoints().mails));
    let doing = "an operator asks whether anything is still being written: functions remember a map for a second";
    output.step(doing, None, quiet(&operator)).await
}

async fn quiet(operator: &Admin) -> anyhow::Result<()> {
    let told =
        operator.post(&format!("/maps/{MAP}/pause?wait=20"), &json!({"reason": "to see that it is quiet"})).await?;
    ensure!(
        told["quiet"] == true && told["map"]["cause"] == "rule",
        "the map still writes, or was paused again: {told}"
    );
    Ok(())
}

/// Checks at the end of the story that the incident has recovered. Returns the mail that says so.
pub(super) async fn recovered(stack: &Stack) -> anyhow::Result<Mail> {
    let mail = mail(stack, "recovered").await?;
    let operator = stack.admin("operator")?;
    let incidents = operator.get("/incidents").await?;
    let incident = &incidents["incidents"][0];
    ensure!(incident["recovered_at"].is_string(), "the incident has not recovered: {incident}");
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

/// Counts the errors of the class `application` in the log, without those of the copy, which the rule does not count.
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
        ensure!(saved.status == 422, "crm did not refuse the change: {} {}", saved.status, saved.body);
        until(async || Ok((logged(operator).await? > n).then_some(())), "the error in the log").await?;
    }
    let paused = async || {
        let map = operator.get(&format!("/maps/{MAP}")).await?;
        Ok((map["state"] == "Paused").then_some(map))
    };
    let map = until(paused, "the map to be paused").await?;
    ensure!(map["cause"] == "rule" && map["actor"] == "tandem", "something other than the rule paused the map: {map}");
    let incident = operator.get(&format!("/incidents/{}", map["incident"].as_str().unwrap_or_default())).await?;
    ensure!(incident["count"] == THRESHOLD, "the rule paused the map at the wrong number of errors: {incident}");
    let errors = operator.get(&format!("/log/errors?map={MAP}&class=application&limit=1")).await?;
    between(&errors["errors"][0]["at"], &map["since"])
}

/// The milliseconds from one time to another.
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
