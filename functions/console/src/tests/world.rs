//! Everything the use cases work with, in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use app::{
    admin::{AdminPorts, tokens::sha256_hex},
    ports::{AlertPorts, LaneKey, MailPorts, PortError, Ports, SyncPorts, WakeUps},
};
use aws::NoApps;
use domain::{MapId, Timestamp};
use testkit::{
    Executor, MemoryLanes, MemoryQueues,
    alerts::{MemoryAlerts, MemoryMailer},
    config::{MemoryConfig, MemoryTokens},
    logs::MemoryLog,
    sync_runs::MemorySyncRuns,
};

/// The token that comes with the deployment.
pub(super) const FIRST_ADMIN: &str = "tnd_first";
pub(super) const NOON: &str = "2026-11-23T12:00:00Z";

pub(super) struct World {
    pub(super) store: MemoryConfig,
    pub(super) tokens: MemoryTokens,
    pub(super) lanes: MemoryLanes,
    pub(super) syncs: MemorySyncRuns,
    pub(super) queues: MemoryQueues,
    pub(super) log: MemoryLog,
    pub(super) alerts: MemoryAlerts,
    pub(super) mailer: MemoryMailer,
    first_admin_sha256: String,
    now_ms: AtomicU64,
    ids: AtomicU64,
}

/// Nobody needs to be woken here.
pub(super) struct Nobody;

impl WakeUps for Nobody {
    async fn wake_lane(&self, _: &LaneKey) -> Result<(), PortError> {
        Ok(())
    }
    async fn wake_map(&self, _: &MapId) -> Result<(), PortError> {
        Ok(())
    }
}

impl World {
    pub(super) fn new() -> Self {
        let executor = || Executor::new(1, Timestamp(0));
        Self {
            store: MemoryConfig::default(),
            tokens: MemoryTokens::default(),
            lanes: MemoryLanes::new(executor()),
            syncs: MemorySyncRuns::new(executor()),
            queues: MemoryQueues::new(executor()),
            log: MemoryLog::new(executor()),
            alerts: MemoryAlerts::new(executor()),
            mailer: MemoryMailer::new(executor()),
            first_admin_sha256: sha256_hex(FIRST_ADMIN),
            now_ms: AtomicU64::new(Timestamp::parse(NOON).unwrap().0),
            ids: AtomicU64::new(1),
        }
    }

    pub(super) fn pass_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Ports for World {
    type Lanes = MemoryLanes;
    type Queues = MemoryQueues;
    type Config = MemoryConfig;
    type Apps = NoApps;
    type WakeUps = Nobody;

    fn lanes(&self) -> &MemoryLanes {
        &self.lanes
    }
    fn queues(&self) -> &MemoryQueues {
        &self.queues
    }
    fn config(&self) -> &MemoryConfig {
        &self.store
    }
    fn apps(&self) -> &NoApps {
        &NoApps
    }
    fn wakes(&self) -> &Nobody {
        &Nobody
    }
    fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }
    fn fresh_id(&self) -> u128 {
        u128::from(self.ids.fetch_add(1, Ordering::SeqCst))
    }
    /// Waiting costs no time here, but time passes.
    async fn sleep(&self, ms: u64) {
        self.pass_ms(ms);
    }
}

impl AlertPorts for World {
    type Log = MemoryLog;
    type Alerts = MemoryAlerts;

    fn log(&self) -> &MemoryLog {
        &self.log
    }
    fn alerts(&self) -> &MemoryAlerts {
        &self.alerts
    }
}

impl MailPorts for World {
    type Mailer = MemoryMailer;

    fn mailer(&self) -> &MemoryMailer {
        &self.mailer
    }
    fn console_url(&self) -> &str {
        ""
    }
    fn api_url(&self) -> &str {
        ""
    }
}

impl SyncPorts for World {
    type Runs = MemorySyncRuns;
    type WorkItems = MemorySyncRuns;

    fn runs(&self) -> &MemorySyncRuns {
        &self.syncs
    }
    fn work_items(&self) -> &MemorySyncRuns {
        &self.syncs
    }
}

impl AdminPorts for World {
    type Store = MemoryConfig;
    type Tokens = MemoryTokens;

    fn store(&self) -> &MemoryConfig {
        &self.store
    }
    fn tokens(&self) -> &MemoryTokens {
        &self.tokens
    }
    fn first_admin_sha256(&self) -> Option<&str> {
        Some(&self.first_admin_sha256)
    }
    async fn failed_batches(&self) -> Option<u64> {
        Some(0)
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        Ok([u8::try_from(self.fresh_id() % 251).unwrap(); 32])
    }
}
