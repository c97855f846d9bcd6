//! The story's fourth part: people change two hundred customers while the map is paused. Then crm is repaired.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{arrives, equal, is_amount};
use crate::admin::Admin;
use crate::output::Output;
use crate::seed::MAP;
use crate::stack::Stack;

/// Number of customers that people change during the pause.
const CUSTOMERS: usize = 200;
/// Number of people who save them at the same time.
const PEOPLE: usize = 8;
/// Number of the customer whose credit limit crm refuses.
const TOO_MUCH: usize = 77;
const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(250);

/// Plays this part.
pub(super) async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    let operator = stack.admin("operator")?;
    let doing = format!("{PEOPLE} people save {CUSTOMERS} customers in finance: every change is kept, none is written");
    let depth = output.step(&doing, None, saved(stack, &operator)).await?;
    output.say(format_args!("    {depth} changes wait in the queue"));
    let doing = "crm is repaired, the map is resumed: crm gets all of them but one, whose limit it refuses";
    let says = output.step(doing, None, resumed(stack, &operator)).await?;
    output.say(format_args!("    {} waits for an operator: {says}", name(TOO_MUCH)));
    let doing =
        format!("the operator lowers the limit to 900,000, and it arrives too: all {CUSTOMERS} are equal in both apps");
    output.step(&doing, None, mended(stack, &operator)).await
}

fn name(n: usize) -> String {
    format!("C-{}", 3_000 + n)
}

fn path(what: &str) -> String {
    format!("/maps/{MAP}/{what}")
}

async fn saved(stack: &Stack, operator: &Admin) -> anyhow::Result<u64> {
    let saves = (0..CUSTOMERS).map(|n| async move {
        let limit = if n == TOO_MUCH { 2_000_000 } else { 1_000 + n };
        let customer =
            json!({"OrganizationName": format!("Customer {n}"), "CreditLimit": limit, "CustomerGroupId": "10"});
        let saved = stack.finance().edit(&name(n), customer).await?.accepted("saving in finance")?;
        ensure!(saved["tandem"]["status"] == "queued", "Tandem did not queue the change: {saved}");
        Ok(())
    });
    stream::iter(saves).buffer_unordered(PEOPLE).try_collect::<()>().await?;
    ensure!(stack.crm().fields(&name(0)).await?.is_none(), "crm got a customer although the map is paused");
    let queue = operator.get(&path("queue")).await?;
    queue["depth"].as_u64().filter(|depth| *depth >= CUSTOMERS as u64).with_context(|| format!("the queue has {queue}"))
}

async fn resumed(stack: &Stack, operator: &Admin) -> anyhow::Result<String> {
    stack.crm().switch(json!({"mode": "normal"})).await?;
    operator.post(&path("resume"), &json!({"reason": "crm is back"})).await?;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let errors = operator.get(&path("errors")).await?;
        let map = operator.get(&format!("/maps/{MAP}")).await?;
        let parked = errors["entries"].as_array().cloned().unwrap_or_default();
        if let [error] = &parked[..]
            && map["state"] == "Running"
        {
            ensure!(error["key"] == name(TOO_MUCH), "crm refused another record: {error}");
            for n in (0..CUSTOMERS).filter(|n| *n != TOO_MUCH) {
                equal(stack, &name(n)).await?;
            }
            return Ok(error["last_failure"]["message"].as_str().unwrap_or_default().to_owned());
        }
        if Instant::now() > deadline {
            let queue = operator.get(&path("queue")).await?;
            bail!("after {DEADLINE:?} the map is {}, the queue {queue}, errors {errors}", map["state"]);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn mended(stack: &Stack, operator: &Admin) -> anyhow::Result<()> {
    let errors = operator.get(&path("errors")).await?;
    let error = &errors["entries"][0];
    let command = json!({
        "command": "edit", "record": {"CreditLimit": 900_000}, "reason": "crm allows no more than a million",
        "entries": [{"key": error["key"], "seq": error["seq"]}],
    });
    let told = operator.post(&path("entries"), &command).await?;
    ensure!(told["results"][0]["done"] == true, "Tandem did not accept the command: {told}");
    let limit = |field: &'static str| move |record: &Value| is_amount(&record[field], 900_000.0);
    arrives(stack.crm(), "crm", &name(TOO_MUCH), limit("creditlimit")).await?;
    arrives(stack.finance(), "finance", &name(TOO_MUCH), limit("CreditLimit")).await?;
    for n in 0..CUSTOMERS {
        equal(stack, &name(n)).await?;
    }
    Ok(())
}
