//! `initial-sync`: works on dry runs, initial syncs and reconciles. Triggers: work items of a queue, each of which names a run,
//! and a schedule every minute that finds runs nobody works on.

mod handler;
#[cfg(test)]
mod tests;

use aws::{
    Clients, SsmSecrets, SyncAwsPorts,
    settings::{Common, Settings, environment},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use targets::{Connectors, Guard};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let mut read = Settings::new(environment);
    let (common, queue) = (Common::read(&mut read), read.required("TANDEM_SYNC_QUEUE"));
    let common = read.finish(common)?;
    let clients = Clients::connect().await;
    let guard = Guard::new(&common.allowed_hosts, common.allow_private)?;
    let apps = Connectors::new(guard, SsmSecrets::new(clients.ssm.clone()))?;
    let ports = &SyncAwsPorts::of(&clients, &common, &queue, apps);
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let until = handler::time_limit(event.context.deadline);
        Box::pin(handler::handle(ports, &event.payload, until)).await
    }))
    .await
}
