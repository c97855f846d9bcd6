//! A third-party app for tests: SAP CAP. Only its data model and a few rules are ours; they are in `tests/cap`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::layout::Layout;
use crate::log_file;
use crate::npm;
use crate::process::{Ending, Process};
use crate::tools::NODE;

/// The files of which each app gets its own copy: Node looks for packages beside the sources.
const SOURCES: [&str; 4] = ["package.json", "server.js", "srv/sales.cds", "srv/sales.js"];
/// Longest wait for an app to start. It takes a second, but longer on a machine that is building something.
const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// An app on CAP with its own database. Its process ends when this is dropped, or when the process that holds this
/// ends.
#[derive(Debug)]
pub struct Cap {
    node: PathBuf,
    dir: PathBuf,
    port: u16,
    process: Option<Process>,
}

impl Cap {
    /// The only users, by name; they have the same password.
    pub const USERS: [&str; 2] = ["tandem", "kim"];
    /// Their password. The app listens on the loopback address only.
    pub const PASSWORD: &str = "for-tests-only";

    /// Installs Node and the packages if they are missing, and starts an app with an empty database. The app's files
    /// are in `target/local/{work}/{name}`.
    ///
    /// # Errors
    /// [`Blocked`](crate::Blocked) when Python or the network is missing; any other error says why it does not start.
    pub async fn start(work: &str, name: &str) -> anyhow::Result<Self> {
        let layout = Layout::find()?;
        let project = layout.root().join("tests/cap");
        let packages = npm::install(&project, &layout).await?;
        let dir = layout.work(Some(work)).join(name);
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
        }
        fs::create_dir_all(dir.join("srv")).with_context(|| format!("{} cannot be created", dir.display()))?;
        for source in SOURCES {
            fs::copy(project.join(source), dir.join(source)).with_context(|| format!("{source} cannot be copied"))?;
        }
        symlink(&packages, dir.join("node_modules")).context("a link to the packages cannot be created")?;
        let mut app = Self { node: NODE.program(&layout, "node"), dir, port: 0, process: None };
        app.start_again().await?;
        Ok(app)
    }

    /// The root URL of its OData service.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/odata/v4/sales/", self.port)
    }

    /// Kills the app, whatever it is doing.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts a killed app again, on the same port and with the same data.
    ///
    /// # Errors
    /// When the app does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let (log, port_file) = (self.dir.join("log"), self.dir.join("port"));
        if port_file.exists() {
            fs::remove_file(&port_file).context("the old port file cannot be removed")?;
        }
        let mut command = Command::new(&self.node);
        command.arg("node_modules/@sap/cds/bin/serve.js").args(["--port", &self.port.to_string()]);
        command.current_dir(&self.dir).env_clear().env("HOME", &self.dir).env("NO_COLOR", "1");
        command.env("PORT_FILE", &port_file);
        let mut process = Process::start(command, &log, Ending::AtOnce)?;
        let deadline = Instant::now() + START_DEADLINE;
        while !port_file.exists() {
            if let Some(status) = process.ended()? {
                bail!("an app on CAP ended ({status}) instead of starting; {}", log_file::excerpt(&log));
            }
            if Instant::now() > deadline {
                bail!("an app on CAP does not start; {}", log_file::excerpt(&log));
            }
            tokio::time::sleep(POLL).await;
        }
        self.port = fs::read_to_string(&port_file)?.parse().context("the app on CAP wrote no port")?;
        self.process = Some(process);
        Ok(())
    }
}
