//! `log-ingest`: writes the error log and the activity log, and judges the rules of the maps touched. Triggers: the table's
//! stream, filtered to items with an outbox; and a function URL, for errors that the apps report themselves.

mod config;
mod stream;
#[cfg(test)]
mod tests;
mod url;

use aws::{AwsAlertPorts, Clients, NoApps, SsmSecrets};
use callers::Callers;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// What the function works with.
struct Deps {
    callers: Callers,
    world: AwsAlertPorts<NoApps>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let config = config::Config::from_lookup(aws::settings::environment)?;
    let clients = Clients::connect().await;
    let callers = Callers::new(config.auth.clone(), SsmSecrets::new(clients.ssm.clone()));
    let deps = &Deps { callers, world: AwsAlertPorts::of(&clients, &config.common, &config.alerts, NoApps) };
    run(service_fn(move |event: LambdaEvent<Value>| Box::pin(handle(deps, event.payload)))).await
}

async fn handle(deps: &Deps, event: Value) -> Result<Value, Error> {
    if event.get("Records").is_some() {
        return Ok(stream::handle(&deps.world, &event).await);
    }
    url::handle(&deps.callers, &deps.world, event).await
}
