//! `admin`: the REST API for operators. Trigger: its function URL.

mod api;
mod bodies;
mod config;
mod http;
mod openapi;
mod operator_ports;
mod router;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use lambda_http::{Error, run_with_streaming_response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let config = config::Config::from_lookup(aws::settings::environment)?;
    let ports = operator_ports::OperatorPorts::connect(config).await?;
    run_with_streaming_response(router::router(Arc::new(ports))).await
}
