//! `admin`: the REST API for operators. Trigger: its function URL.

mod api;
mod bodies;
mod http;
mod openapi;
mod router;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws::{AwsOperatorPorts, Clients, OperatorSettings, SsmSecrets};
use lambda_http::{Error, run_with_streaming_response};
use targets::{Connectors, Guard};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let settings = OperatorSettings::from_lookup(aws::settings::environment)?;
    let clients = Clients::connect().await;
    let guard = Guard::new(&settings.common.allowed_hosts, settings.common.allow_private)?;
    let apps = Connectors::new(guard, SsmSecrets::new(clients.ssm.clone()))?;
    let ports = AwsOperatorPorts::connect(&clients, settings, apps).await;
    run_with_streaming_response(router::router(Arc::new(ports))).await
}
