//! The story: shows on the two apps what Tandem does, and checks each step.

mod alert;
pub(crate) mod before;
mod copy;
mod outage;
mod pause;

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use ulid::Ulid;

use crate::apps::App;
use crate::http::Answer;
use crate::output::Output;
use crate::seed::MAP;
use crate::stack::Stack;

/// The customer of the story.
const KEY: &str = "C-1001";
/// Longest wait for a change. It arrives within milliseconds, but later on a busy machine.
const ARRIVAL_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// Plays the story on a stack that was started [with the story](crate::Options::with_story): its map does not run yet.
///
/// # Errors
/// When a step does not have the expected result. The error says what the story found instead.
pub async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    output.heading("Before go-live");
    copy::play(stack, output).await?;
    output.heading("Day to day");
    let (finance, crm) = (stack.finance(), stack.crm());
    let doing = format!("somebody enters customer {KEY} in finance: crm gets account {KEY}, in its own terms");
    output.step(&doing, None, finance_to_crm(finance, crm)).await?;
    let doing = "somebody raises the credit limit in crm to 75,000: finance gets it";
    output.step(doing, None, crm_to_finance(finance, crm)).await?;
    let doing = "an import sends the same request twice: each app applies it once, both answers are the same";
    output.step(doing, None, same_request_twice(stack)).await?;
    let doing =
        "somebody raises the limit in finance to 2,000,000, more than crm allows: nothing changes in either app";
    let reason = output.step(doing, None, refused(finance, crm)).await?;
    output.say(format_args!("    and finance shows: {reason}"));
    outage::play(stack, output).await?;
    alert::play(stack, output).await?;
    pause::play(stack, output).await?;
    let doing = "all changes have arrived: the incident is over, and the mail that says so arrives";
    let mail = output.step(doing, None, alert::recovered(stack)).await?;
    output.say(format_args!("    {}", mail.subject));
    Ok(())
}

async fn finance_to_crm(finance: &App, crm: &App) -> anyhow::Result<()> {
    let customer = json!({
        "OrganizationName": "Contoso Retail", "CreditLimit": 50_000, "CustomerGroupId": "10",
        "PrimaryContactPhone": "+1 555 0100", "OnHold": "No",
    });
    finance.edit(KEY, customer).await?.accepted("saving in finance")?;
    arrives(crm, "crm", KEY, |account| {
        account["name"] == "Contoso Retail"
            && is_amount(&account["creditlimit"], 50_000.0)
            && account["customertypecode"] == 3
            && account["telephone1"] == "+1 555 0100"
            && account["creditonhold"] == false
    })
    .await
}

async fn crm_to_finance(finance: &App, crm: &App) -> anyhow::Result<()> {
    let change = json!({"creditlimit": 75_000, "customertypecode": 9});
    crm.edit(KEY, change).await?.accepted("saving in crm")?;
    arrives(finance, "finance", KEY, |customer| {
        is_amount(&customer["CreditLimit"], 75_000.0) && customer["CustomerGroupId"] == "20"
    })
    .await
}

async fn same_request_twice(stack: &Stack) -> anyhow::Result<()> {
    let (finance, crm, sync_write) = (stack.finance(), stack.crm(), stack.sync_write()?);
    // No origin: neither app has the change, so Tandem writes to both.
    let write = json!({
        "id": Ulid::generate().to_string(), "map": MAP, "key": KEY, "op": "upsert",
        "record": {
            "OrganizationName": "Contoso Retail", "CreditLimit": 80_000, "CustomerGroupId": "20",
            "PrimaryContactPhone": "+1 555 0199", "OnHold": "No",
        },
    });
    let before = [applied(finance).await?, applied(crm).await?];
    let first = sync_write.send(&write).await?;
    ensure!(first.status == 200 && first.text("status") == "written", "the first: {} {}", first.status, first.body);
    let second = sync_write.send(&write).await?;
    // Compares outcome and version only: the answer to the repeat may lack the journal's entry, which may be gone.
    let told = |answer: &Answer| (answer.status, answer.text("status").to_owned(), answer.text("version").to_owned());
    let (one, other) = (told(&first), told(&second));
    ensure!(one == other, "answered {} {} at first, then {} {}", first.status, first.body, second.status, second.body);
    let after = [applied(finance).await?, applied(crm).await?];
    ensure!(after == before.map(|count| count + 1), "applied {before:?} before and {after:?} times after");
    arrives(crm, "crm", KEY, |account| is_amount(&account["creditlimit"], 80_000.0)).await?;
    arrives(finance, "finance", KEY, |customer| is_amount(&customer["CreditLimit"], 80_000.0)).await
}

async fn refused(finance: &App, crm: &App) -> anyhow::Result<String> {
    let before = [finance.fields(KEY).await?, crm.fields(KEY).await?];
    let answer = finance.edit(KEY, json!({"CreditLimit": 2_000_000})).await?;
    ensure!(answer.status == 422, "was not refused: {} {}", answer.status, answer.body);
    let after = [finance.fields(KEY).await?, crm.fields(KEY).await?];
    ensure!(after == before, "were {before:?} and are {after:?}");
    let reason = answer.text("error");
    ensure!(!reason.is_empty(), "no reason was given: {}", answer.body);
    Ok(reason.to_owned())
}

/// Waits until a record of the app `name` has the expected fields.
async fn arrives(app: &App, name: &str, key: &str, as_wanted: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + ARRIVAL_DEADLINE;
    loop {
        let seen = app.fields(key).await.with_context(|| format!("reading {key} in {name}"))?;
        if seen.as_ref().is_some_and(&as_wanted) {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{name} does not have it after {ARRIVAL_DEADLINE:?}; it has {}", seen.unwrap_or_default());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Fails unless both apps have this customer, with equal values in every field of the map.
async fn equal(stack: &Stack, key: &str) -> anyhow::Result<()> {
    let (customer, account) = (stack.finance().fields(key).await?, stack.crm().fields(key).await?);
    let (Some(customer), Some(account)) = (customer, account) else { bail!("{key} is not in both apps") };
    let kinds = [("10", 3), ("20", 9), ("30", 5), before::GROUP];
    let kind = |group: &Value| kinds.iter().find(|(known, _)| group == known).map(|(_, kind)| *kind);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let limit = customer["CreditLimit"].as_f64().or_else(|| customer["CreditLimit"].as_str()?.parse().ok());
    let same = customer["OrganizationName"] == account["name"]
        && limit.is_some_and(|limit| is_amount(&account["creditlimit"], limit))
        && account["customertypecode"].as_i64() == kind(&customer["CustomerGroupId"])
        && text(&customer["PrimaryContactPhone"]) == text(&account["telephone1"])
        && (customer["OnHold"] == "Yes") == (account["creditonhold"] == true);
    ensure!(same, "finance has {customer}, crm has {account}");
    Ok(())
}

/// Counts how often Tandem changed the record of the story in an app.
async fn applied(app: &App) -> anyhow::Result<usize> {
    Ok(app.calls(KEY).await?.iter().filter(|call| call["applied"] == true).count())
}

/// Whether a value is this amount. Apps write amounts as numbers or as text, with or without decimals.
fn is_amount(value: &Value, wanted: f64) -> bool {
    let amount = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    amount.is_some_and(|amount| (amount - wanted).abs() < 0.005)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_the_same_however_it_is_written() {
        for value in [json!(75_000), json!(75_000.0), json!("75000.00")] {
            assert!(is_amount(&value, 75_000.0), "{value}");
        }
        assert!(!is_amount(&json!(null), 0.0));
    }
}
