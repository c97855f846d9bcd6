//! `sync-write`: accepts a write and applies it to the other app now, or queues it. Trigger: its function URL.

mod answer;
mod batch;
mod body;
mod config;
mod deps;
mod handler;
#[cfg(test)]
mod tests;

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let config = config::Config::from_lookup(aws::settings::environment)?;
    let deps = &deps::connect(&config).await?;
    run(service_fn(move |request: Request| handler::handle(deps, request))).await
}
