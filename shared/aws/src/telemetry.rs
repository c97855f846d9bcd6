//! One JSON line per event, on standard output, where Lambda takes it up.

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` filters, e.g. `info,aws_smithy_runtime=warn`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter)
        .init();
}
