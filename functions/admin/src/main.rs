//! `admin`: the REST API of operators. Trigger: its function URL.

mod answer;
mod archive;
mod backlog;
mod config;
mod csv;
mod document;
mod download;
mod errors;
mod guard;
mod logs;
mod maps;
mod openapi;
mod read;
mod router;
mod routes;
mod rules;
mod sides;
mod switch;
#[cfg(test)]
mod tests;
mod tokens;
mod views;
mod world;

use std::sync::Arc;

use lambda_http::{Error, run_with_streaming_response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let config = config::Config::from_lookup(aws::settings::environment)?;
    let world = world::World::connect(config).await?;
    run_with_streaming_response(router::router(Arc::new(world))).await
}
