//! The story's second part: crm is down for a while, and people go on working in finance.

use std::time::Instant;

use anyhow::ensure;
use serde_json::json;

use super::{ARRIVAL_DEADLINE, POLL, equal};
use crate::output::Output;
use crate::stack::Stack;

/// Number of customers that people save meanwhile.
const CUSTOMERS: usize = 3;

/// Plays this part.
pub(super) async fn play(stack: &Stack, output: Output) -> anyhow::Result<()> {
    let doing = format!("crm is down: {CUSTOMERS} people save in finance all the same, and every change is kept");
    output.step(&doing, None, kept(stack)).await?;
    output.step("crm is back: the changes arrive by themselves", None, back(stack)).await
}

fn name(n: usize) -> String {
    format!("C-{}", 1_500 + n)
}

async fn kept(stack: &Stack) -> anyhow::Result<()> {
    stack.crm().switch(json!({"mode": "down"})).await?;
    for n in 0..CUSTOMERS {
        let customer = json!({
            "OrganizationName": format!("Customer {n}"), "CreditLimit": 5_000, "CustomerGroupId": "20",
            "PrimaryContactPhone": "+1 555 0150", "OnHold": "Yes",
        });
        let saved = stack.finance().edit(&name(n), customer).await?.accepted("saving in finance")?;
        ensure!(saved["tandem"]["status"] == "queued", "Tandem did not queue the change: {saved}");
    }
    Ok(())
}

async fn back(stack: &Stack) -> anyhow::Result<()> {
    stack.crm().switch(json!({"mode": "normal"})).await?;
    let deadline = Instant::now() + ARRIVAL_DEADLINE;
    for n in 0..CUSTOMERS {
        while let Err(different) = equal(stack, &name(n)).await {
            ensure!(Instant::now() < deadline, "after {ARRIVAL_DEADLINE:?}: {different}");
            // Starts the sweep instead of waiting for its minute. A failure does no harm: the next sweep does the same.
            let _swept = stack.sweep().await;
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}
