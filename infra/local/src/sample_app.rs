//! The sample apps `finance` and `crm`: two business apps to try Tandem with.
//!
//! Both are this one program with a different flavor. `finance` speaks as Dynamics 365 Finance & Operations does, and
//! `crm` as Dataverse does; each has its own names, field types and rules. Each runs as its own process with its own
//! database, and behaves as a real app would: it has an OData v4 interface for programs, a page for people, a trigger
//! that reports each change, and row locks that last as long as a change is under way. The page also has switches that
//! break the app on purpose.

mod api;
mod app;
mod assets;
mod calls;
mod contacts;
mod edit;
mod field;
mod flavor;
mod habits;
mod locks;
mod odata;
mod outbox;
mod page;
mod record;
mod records_before;
mod report;
mod server;
mod settings;
mod store;
mod switches;
mod tandem;
#[cfg(test)]
mod tests;
mod wording;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use app::App;
pub(crate) use flavor::FlavorName;
pub(crate) use records_before::store_records;
use settings::Settings;
use tandem::Patience;

/// The arguments of `cargo local app`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Which of the two apps to run.
    #[arg(long, value_enum)]
    flavor: FlavorName,
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// File to which the app writes its port when it listens.
    #[arg(long)]
    port_file: Option<PathBuf>,
    /// The app's database file; the app creates it if it is missing.
    #[arg(long)]
    db: PathBuf,
    /// The key that callers of the data API must send as `x-api-key`.
    #[arg(long)]
    api_key: String,
    /// Base URL of Tandem's `sync-write`; `POST /settings` can set it later.
    #[arg(long)]
    sync_write_url: Option<String>,
    /// Secret (`whsec_…`) with which the app signs its calls of `sync-write`; `POST /settings` can set it later.
    #[arg(long)]
    hmac_secret: Option<String>,
    /// The map that this app's customers belong to.
    #[arg(long, default_value = "customers")]
    map: String,
    /// Name of the other side, for messages on the page.
    #[arg(long)]
    other_name: String,
    /// Id of the process that started this app; the app stops when that process ends.
    #[arg(long)]
    parent_pid: Option<u32>,
}

/// The configuration of a running app.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    flavor: FlavorName,
    port: u16,
    port_file: Option<PathBuf>,
    db: PathBuf,
    api_key: String,
    settings: Settings,
    map: String,
    other_name: String,
    parent_pid: Option<u32>,
    patience: Patience,
}

impl From<Args> for Config {
    fn from(args: Args) -> Self {
        Self {
            flavor: args.flavor,
            port: args.port,
            port_file: args.port_file,
            db: args.db,
            api_key: args.api_key,
            settings: Settings { sync_write_url: args.sync_write_url, hmac_secret: args.hmac_secret },
            map: args.map,
            other_name: args.other_name,
            parent_pid: args.parent_pid,
            patience: Patience::default(),
        }
    }
}

/// Runs an app with the arguments of the command line until it is stopped. Fails as [`serve`] does.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    serve(args.into()).await
}

/// Serves an app until SIGTERM, Ctrl-C or the end of its parent process.
///
/// # Errors
/// When the port is taken, the database cannot be opened, a setting is malformed, or the port file cannot be written.
pub(crate) async fn serve(config: Config) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", config.port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{}", config.port))?;
    let port = listener.local_addr().context("cannot tell the port")?.port();
    let app = Arc::new(App::open(&config)?);
    if let Some(path) = &config.port_file {
        server::write_port_file(path, port)?;
    }
    tracing::info!(app.name = app.flavor.name, app.port = port, "sample app listens");
    let reporter = tokio::spawn(report::run_in_background(app.clone()));
    server::serve(listener, api::router(app), server::stopped(config.parent_pid)).await;
    reporter.abort();
    Ok(())
}
