//! One running app: its database, its locks, its switches, and its client of Tandem.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rusqlite::Connection;
use tokio::sync::Notify;

use super::Config;
use super::flavor::Flavor;
use super::locks::{RecordLock, RecordLocks};
use super::outbox;
use super::record::{self, Row};
use super::store::Store;
use super::switches::Switches;
use super::tandem::{Mode, Patience, Tandem, Write};

/// Longest wait for a record's lock, like the lock timeout of a database.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The state that all handlers of an app share.
#[derive(Debug)]
pub(super) struct App {
    pub(super) flavor: &'static Flavor,
    pub(super) map: String,
    pub(super) other_name: String,
    pub(super) api_key: String,
    pub(super) store: Store,
    pub(super) switches: Switches,
    pub(super) tandem: Tandem,
    pub(super) patience: Patience,
    /// Wakes the background reporter.
    pub(super) reports_wait: Notify,
    locks: RecordLocks,
}

/// An app, shared by its tasks.
pub(super) type SharedApp = Arc<App>;

impl App {
    /// Opens the database. Turns edits that a crash has interrupted into reports.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let store =
            Store::open(&config.db).with_context(|| format!("cannot open the database {}", config.db.display()))?;
        let app = Self {
            flavor: config.flavor.flavor(),
            map: config.map.clone(),
            other_name: config.other_name.clone(),
            api_key: config.api_key.clone(),
            store,
            switches: Switches::default(),
            tandem: Tandem::new().context("cannot make an HTTP client")?,
            patience: config.patience,
            reports_wait: Notify::new(),
            locks: RecordLocks::default(),
        };
        config.settings.check().map_err(anyhow::Error::msg)?;
        app.store
            .transaction(|tx| -> rusqlite::Result<()> {
                config.settings.save(tx)?;
                outbox::doubt_all(tx, || app.tandem.new_id())
            })
            .context("cannot write to the database")?;
        Ok(app)
    }

    /// Waits for the record's lock. Returns `None` when others held it for longer than [`LOCK_WAIT`].
    pub(super) async fn lock(&self, key: &str) -> Option<RecordLock> {
        tokio::time::timeout(LOCK_WAIT, self.locks.lock(key)).await.ok()
    }

    /// The row as the app stores it. An app that tidies stores other values than it is sent.
    pub(super) fn stored(&self, row: &Row) -> Row {
        let fields = match self.switches.habits().tidies {
            true => row.fields.as_ref().map(|fields| record::tidied(self.flavor, fields)),
            false => row.fields.clone(),
        };
        Row { fields, version: row.version }
    }

    /// The write that reports the change of a record from `before` to `after`.
    pub(super) fn write(&self, key: &str, before: &Row, after: &Row, mode: Mode) -> Write {
        let write = Write::new(&self.map, self.flavor.name, key, before, after, mode);
        let before = write.before.filter(|_| self.switches.habits().tells_before);
        Write { before, ..write }
    }

    /// Puts the report of a committed change into the outbox, in the transaction of that change.
    ///
    /// Does nothing while the app is not connected to Tandem: the initial sync copies such changes.
    pub(super) fn note_report(&self, tx: &Connection, key: &str, before: &Row, after: &Row) -> rusqlite::Result<()> {
        if super::settings::Settings::load(tx)?.link().is_none() {
            return Ok(());
        }
        outbox::add(tx, &self.tandem.new_id(), &self.write(key, before, after, Mode::Committed))
    }
}
