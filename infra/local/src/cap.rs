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

/// Each app has a copy of its own: Node looks for packages beside the sources.
const SOURCES: [&str; 4] = ["package.json", "server.js", "srv/sales.cds", "srv/sales.js"];
/// It takes a second, and longer on a machine that is building something.
const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// An app on CAP with a database of its own; it ends when this is dropped, and with the process that holds this.
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

    /// Installs what is missing, and starts an app with an empty database. Its files are in the folder `name` of the run
    /// `work`, under `target/local`.
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
        fs::create_dir_all(dir.join("srv")).with_context(|| format!("{} cannot be made", dir.display()))?;
        for source in SOURCES {
            fs::copy(project.join(source), dir.join(source)).with_context(|| format!("{source} cannot be copied"))?;
        }
        symlink(&packages, dir.join("node_modules")).context("a link to the packages cannot be made")?;
        let mut app = Self { node: NODE.program(&layout, "node"), dir, port: 0, process: None };
        app.start_again().await?;
        Ok(app)
    }

    /// The root of its OData service.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/odata/v4/sales/", self.port)
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again after it was killed, where it was and with the data it had.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let (log, port_file) = (self.dir.join("log"), self.dir.join("port"));
        if port_file.exists() {
            fs::remove_file(&port_file).context("an old port cannot be removed")?;
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
        self.port = fs::read_to_string(&port_file)?.parse().context("an app on CAP told no port")?;
        self.process = Some(process);
        Ok(())
    }
}
