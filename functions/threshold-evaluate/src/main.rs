//! `threshold-evaluate`: judges rules that `log-ingest` may have missed, acts, sends mail and reminders, closes
//! recovered incidents, and probes broken apps. Triggers: a schedule every minute, incident events, and mail events.

mod handler;
#[cfg(test)]
mod tests;

use aws::{
    AlertSettings, AwsAlertPorts, Clients, SsmSecrets,
    settings::{Common, Settings, environment},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use targets::{Connectors, Guard};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let mut read = Settings::new(environment);
    let (common, settings) = (Common::read(&mut read), AlertSettings::read(&mut read));
    let (common, settings) = read.finish((common, settings))?;
    let clients = Clients::connect().await;
    let guard = Guard::new(&common.allowed_hosts, common.allow_private)?;
    let apps = Connectors::new(guard, SsmSecrets::new(clients.ssm.clone()))?;
    let world = &AwsAlertPorts::of(&clients, &common, &settings, apps);
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let until = handler::time_limit(event.context.deadline);
        Box::pin(handler::handle(world, &event.payload, until)).await
    }))
    .await
}
