//! `resume-drain`: continues lanes that have waiting entries. Triggers: an event that names a lane, and a schedule
//! every minute, the sweep.

mod handler;
#[cfg(test)]
mod tests;

use aws::{
    AwsPorts, Clients, SsmSecrets,
    settings::{Common, Settings, environment},
};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use targets::{Connectors, Guard};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let mut read = Settings::new(environment);
    let common = Common::read(&mut read);
    let common = read.finish(common)?;
    let clients = Clients::connect().await;
    let guard = Guard::new(&common.allowed_hosts, common.allow_private)?;
    let apps = Connectors::new(guard, SsmSecrets::new(clients.ssm.clone()))?;
    let world = &AwsPorts::of(&clients, &common, apps);
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let until = handler::time_limit(event.context.deadline);
        Box::pin(handler::handle(world, &event.payload, until)).await
    }))
    .await
}
