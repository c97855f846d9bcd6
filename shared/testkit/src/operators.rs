//! Everything that the use cases of operators work with, in memory: for the tests of `admin` and `console`.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use app::{
    admin::{AdminPorts, tokens::sha256_hex},
    ports::{AlertPorts, Apps, LaneKey, MailPorts, PortError, Ports, SyncPorts, WakeUps},
};
use domain::{MapId, Timestamp};

use crate::{
    Executor, MemoryLanes, MemoryQueues,
    alerts::{MemoryAlerts, MemoryMailer},
    config::{MemoryConfig, MemoryTokens},
    logs::MemoryLog,
    sync_runs::MemorySyncRuns,
};

/// The token that comes with the deployment.
pub const FIRST_ADMIN: &str = "tnd_first";
/// When a world begins.
pub const NOON: &str = "2026-11-23T12:00:00Z";

/// The stores of operators, and the apps of which they ask something.
pub struct OperatorWorld<A> {
    /// Sides and maps.
    pub store: MemoryConfig,
    /// Tokens and sessions.
    pub tokens: MemoryTokens,
    /// The apps.
    pub apps: A,
    /// The journal.
    pub lanes: MemoryLanes,
    /// Sync runs, and their work items.
    pub syncs: MemorySyncRuns,
    /// The maps' queues.
    pub queues: MemoryQueues,
    /// Who was woken.
    pub woken: Woken,
    /// Activity and errors.
    pub log: MemoryLog,
    /// Rules and incidents.
    pub alerts: MemoryAlerts,
    /// Mails that were sent.
    pub mailer: MemoryMailer,
    /// How many batches of events could not be logged.
    pub failed_batches: u64,
    first_admin_sha256: String,
    now_ms: Arc<AtomicU64>,
    ids: AtomicU64,
}

/// Remembers who was woken.
#[derive(Default)]
pub struct Woken(pub Mutex<Vec<String>>);

impl WakeUps for Woken {
    async fn wake_lane(&self, lane: &LaneKey) -> Result<(), PortError> {
        self.0.lock().expect("nobody panics with it").push(format!("{}/{}", lane.map, lane.key));
        Ok(())
    }
    async fn wake_map(&self, map: &MapId) -> Result<(), PortError> {
        self.0.lock().expect("nobody panics with it").push(map.to_string());
        Ok(())
    }
}

impl<A> OperatorWorld<A> {
    /// Makes a world without sides, maps and tokens but the first one. `apps` is given the clock, in milliseconds.
    pub fn new(apps: impl FnOnce(Arc<AtomicU64>) -> A) -> Self {
        let executor = || Executor::new(1, Timestamp(0));
        let noon = Timestamp::parse(NOON).expect("it is a time");
        let now_ms = Arc::new(AtomicU64::new(noon.0));
        Self {
            store: MemoryConfig::default(),
            tokens: MemoryTokens::default(),
            apps: apps(Arc::clone(&now_ms)),
            lanes: MemoryLanes::new(executor()),
            syncs: MemorySyncRuns::new(executor()),
            queues: MemoryQueues::new(executor()),
            woken: Woken::default(),
            log: MemoryLog::new(executor()),
            alerts: MemoryAlerts::new(executor()),
            mailer: MemoryMailer::new(executor()),
            failed_batches: 0,
            first_admin_sha256: sha256_hex(FIRST_ADMIN),
            now_ms,
            ids: AtomicU64::new(1),
        }
    }

    /// Lets time pass.
    pub fn pass_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl<A: Apps> Ports for OperatorWorld<A> {
    type Lanes = MemoryLanes;
    type Queues = MemoryQueues;
    type Config = MemoryConfig;
    type Apps = A;
    type WakeUps = Woken;

    fn lanes(&self) -> &MemoryLanes {
        &self.lanes
    }
    fn queues(&self) -> &MemoryQueues {
        &self.queues
    }
    fn config(&self) -> &MemoryConfig {
        &self.store
    }
    fn apps(&self) -> &A {
        &self.apps
    }
    fn wakes(&self) -> &Woken {
        &self.woken
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

impl<A: Apps> AlertPorts for OperatorWorld<A> {
    type Log = MemoryLog;
    type Alerts = MemoryAlerts;

    fn log(&self) -> &MemoryLog {
        &self.log
    }
    fn alerts(&self) -> &MemoryAlerts {
        &self.alerts
    }
}

impl<A: Apps> MailPorts for OperatorWorld<A> {
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

impl<A: Apps> SyncPorts for OperatorWorld<A> {
    type Runs = MemorySyncRuns;
    type WorkItems = MemorySyncRuns;

    fn runs(&self) -> &MemorySyncRuns {
        &self.syncs
    }
    fn work_items(&self) -> &MemorySyncRuns {
        &self.syncs
    }
}

impl<A: Apps + Send + Sync + 'static> AdminPorts for OperatorWorld<A> {
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
        Some(self.failed_batches)
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        Ok([u8::try_from(self.fresh_id() % 251).unwrap_or_default(); 32])
    }
}
