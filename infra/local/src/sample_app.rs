//! The sample apps `finance` and `crm`: two business apps to try Tandem with.
//!
//! Both are this one program with a different flavor: `finance` speaks as Dynamics 365 Finance & Operations does, `crm` as
//! Dataverse does, each with names, field types and rules of its own. Each runs as a process of its own with a database of
//! its own, and behaves as a real app would: an OData v4 interface for others, a page for people, a trigger that reports each
//! change, and rows that stay locked while a change is under way. The page also has switches that break the app on purpose.

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

/// What `cargo local app` is started with.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Which of the two apps to be.
    #[arg(long, value_enum)]
    flavor: FlavorName,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// File to write the port to, once the app listens.
    #[arg(long)]
    port_file: Option<PathBuf>,
    /// The app's database file; made when missing.
    #[arg(long)]
    db: PathBuf,
    /// What a caller of the data API must send as `x-api-key`.
    #[arg(long)]
    api_key: String,
    /// Base address of Tandem's `sync-write`; may follow later by `POST /settings`.
    #[arg(long)]
    sync_write_url: Option<String>,
    /// Secret (`whsec_…`) to sign calls of `sync-write` with; may follow later too.
    #[arg(long)]
    hmac_secret: Option<String>,
    /// The map this app's customers belong to.
    #[arg(long, default_value = "customers")]
    map: String,
    /// Name of the side at the other end, for the sentences on the page.
    #[arg(long)]
    other_name: String,
    /// Process to stop with: must be the one that started this app.
    #[arg(long)]
    parent_pid: Option<u32>,
}

/// Everything an app needs to run.
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

/// Runs an app with the arguments of the command line until it is told to stop.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    serve(args.into()).await
}

/// Serves an app until SIGTERM, Ctrl-C or the end of its parent process.
///
/// # Errors
/// When the database cannot be opened, the port is taken, a setting is malformed, or the port file cannot be written.
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
