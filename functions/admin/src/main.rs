//! `admin`: the REST API of operators. Trigger: its function URL.

mod answer;
mod archive;
mod backlog;
mod config;
mod csv;
mod document;
mod download;
mod guard;
mod logs;
mod map_commands;
mod maps;
mod openapi;
mod operator_ports;
mod parked;
mod read;
mod router;
mod routes;
mod rules;
mod sides;
#[cfg(test)]
mod tests;
mod tokens;
mod views;

use std::sync::Arc;

use lambda_http::{Error, run_with_streaming_response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let config = config::Config::from_lookup(aws::settings::environment)?;
    let world = operator_ports::OperatorPorts::connect(config).await?;
    run_with_streaming_response(router::router(Arc::new(world))).await
}
