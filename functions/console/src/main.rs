//! `console`: the web pages for operators. Trigger: its function URL.

mod http;
mod pages;
mod parts;
mod router;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use aws::{AwsOperatorPorts, Clients, NoApps, OperatorSettings};
use lambda_http::{Error, run_with_streaming_response};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::telemetry::init();
    let settings = OperatorSettings::from_lookup(aws::settings::environment)?;
    let site = router::Site { stack: aws::settings::environment("TANDEM_STACK").unwrap_or_default() };
    let clients = Clients::connect().await;
    // No page calls an app, so the function can neither reach one nor read its secrets.
    let ports = AwsOperatorPorts::connect(&clients, settings, NoApps).await;
    run_with_streaming_response(router::router(Arc::new(ports), site)).await
}
