//! A simulated world: the production use cases between two fake apps.

mod admin;
mod config;
mod store;

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering},
    task::{Context, Poll},
};

use app::{
    drain::{drain_map, run_lane, sweep},
    ports::{AlertPorts, EventPorts, LaneKey, MailPorts, PortError, Ports, SyncMap, SyncPorts, WakeUps},
};
use domain::{MapId, MapState, SideId, Timestamp, side::Side};

use crate::{
    alerts::{MemoryAlerts, MemoryEvents, MemoryMailer},
    apps::FakeApps,
    bug::Bug,
    config::MemoryTokens,
    executor::{Executor, lock},
    logs::MemoryLog,
    memory::MemoryLanes,
    queues::MemoryQueues,
    sync_runs::MemorySyncRuns,
};

/// How long a function runs at most.
const RUN_MS: u64 = 240_000;
/// When every world begins.
const BEGIN: Timestamp = Timestamp(1_795_428_000_000);

/// Everything a use case works with, simulated.
pub struct SimWorld {
    /// Time, chance and tasks.
    pub executor: Arc<Executor>,
    /// The journal.
    pub lanes: MemoryLanes,
    /// The two apps.
    pub apps: FakeApps,
    /// The paused-write queues.
    pub queues: MemoryQueues,
    /// Sync runs.
    pub sync_runs: MemorySyncRuns,
    map: Mutex<SyncMap>,
    /// More maps between the same apps.
    others: Mutex<Vec<SyncMap>>,
    /// Sides that the map has not.
    more_sides: Mutex<BTreeMap<SideId, Side>>,
    /// The map as functions see it that looked within the last second, with when they did.
    seen: Mutex<Option<(Timestamp, SyncMap)>>,
    /// How long a function remembers a map, in milliseconds.
    memory_ms: AtomicU64,
    woken: Mutex<Vec<Woken>>,
    /// Every state the map was brought into: when, and in which epoch.
    history: Mutex<Vec<(Timestamp, MapState, u64)>>,
    /// So many attempts to save the map fail from now on.
    failing_saves: AtomicU64,
    /// Tokens and sessions.
    pub tokens: MemoryTokens,
    /// The logs.
    pub log: MemoryLog,
    /// Rules and incidents.
    pub alerts: MemoryAlerts,
    /// The mail service.
    pub mailer: MemoryMailer,
    /// The bus.
    pub events: MemoryEvents,
    /// Await points of invocations so far, and the one at which the invocation crashes.
    points: AtomicU64,
    crash_at: AtomicU64,
    ids: AtomicU64,
    crash_per_mille: AtomicU64,
    /// Invocations that crashed.
    pub crashes: AtomicU64,
    crashed_in: Mutex<Option<CrashedIn>>,
}

/// Where an invocation crashed.
#[derive(Clone, Copy, Debug)]
pub struct CrashedIn {
    /// The future that it ran, as the compiler names its type: `app::admin::maps::put<…>::{{closure}}`.
    pub run: &'static str,
    /// The port's method that it waited for, as `Trait.method`, if it had begun.
    pub method: Option<&'static str>,
}

impl SimWorld {
    /// A world with one map.
    #[must_use]
    pub fn new(seed: u64, map: SyncMap) -> Arc<Self> {
        let executor = Executor::new(seed, BEGIN);
        let sides = map.config.sides.each_ref().map(|end| end.side.clone());
        let queues = MemoryQueues::new(Arc::clone(&executor));
        queues.make(map.uid);
        Arc::new(Self {
            lanes: MemoryLanes::new(Arc::clone(&executor)),
            queues,
            apps: FakeApps::new(Arc::clone(&executor), sides),
            log: MemoryLog::new(Arc::clone(&executor)),
            alerts: MemoryAlerts::new(Arc::clone(&executor)),
            sync_runs: MemorySyncRuns::new(Arc::clone(&executor)),
            mailer: MemoryMailer::new(Arc::clone(&executor)),
            events: MemoryEvents::new(Arc::clone(&executor)),
            executor,
            map: Mutex::new(map),
            others: Mutex::default(),
            more_sides: Mutex::default(),
            seen: Mutex::default(),
            memory_ms: AtomicU64::new(0),
            woken: Mutex::default(),
            history: Mutex::default(),
            failing_saves: AtomicU64::new(0),
            tokens: MemoryTokens::default(),
            points: AtomicU64::new(0),
            crash_at: AtomicU64::new(u64::MAX),
            ids: AtomicU64::new(0),
            crash_per_mille: AtomicU64::new(0),
            crashes: AtomicU64::new(0),
            crashed_in: Mutex::default(),
        })
    }

    /// Changes the map.
    pub fn change_map(&self, change: impl FnOnce(&mut SyncMap)) {
        change(&mut lock(&self.map));
    }

    /// The map.
    #[must_use]
    pub fn map(&self) -> SyncMap {
        lock(&self.map).clone()
    }

    /// Puts one more map into the world, between the same apps; or changes one of them.
    pub fn put_map(&self, map: SyncMap) {
        self.queues.make(map.uid);
        let mut others = lock(&self.others);
        others.retain(|other| other.map.id != map.id);
        others.push(map);
    }

    /// Maps that were told to be gone on with since this was last asked, and how many lanes were.
    pub fn take_woken(&self) -> (Vec<MapId>, usize) {
        let woken = std::mem::take(&mut *lock(&self.woken));
        let lanes = woken.iter().filter(|woken| matches!(woken, Woken::Lane(_))).count();
        let maps = woken.into_iter().filter_map(|woken| if let Woken::Map(map) = woken { Some(map) } else { None });
        (maps.collect(), lanes)
    }

    /// Invocations crash with this chance in a thousand at each point where they wait.
    pub fn set_crashes(&self, per_mille: u64) {
        self.crash_per_mille.store(per_mille, Ordering::SeqCst);
    }

    /// The next invocation crashes at this point where it waits, and no other does; 0 is before it has begun.
    pub fn crash_at_point(&self, point: Option<u64>) {
        *lock(&self.crashed_in) = None;
        self.points.store(0, Ordering::SeqCst);
        self.crash_at.store(point.unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Points at which invocations waited since [`SimWorld::crash_at_point`].
    #[must_use]
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::SeqCst)
    }

    /// Where the invocation crashed, if one did since [`SimWorld::crash_at_point`].
    #[must_use]
    pub fn crashed_in(&self) -> Option<CrashedIn> {
        *lock(&self.crashed_in)
    }

    /// Every state the map was brought into: when, and in which epoch.
    #[must_use]
    pub fn history(&self) -> Vec<(Timestamp, MapState, u64)> {
        lock(&self.history).clone()
    }

    /// Functions see a map as it was up to so long ago, as the real ones do for a second.
    pub fn set_memory_ms(&self, ms: u64) {
        self.memory_ms.store(ms, Ordering::SeqCst);
    }

    /// The next attempts to save the map fail, so many of them.
    pub fn set_failing_saves(&self, count: u64) {
        self.failing_saves.store(count, Ordering::SeqCst);
    }

    /// Runs a function as an invocation that may crash at any point where it waits; `None` when it did.
    pub fn invoke<'a, T: 'a>(
        &'a self,
        run: impl Future<Output = T> + Send + 'a,
    ) -> impl Future<Output = Option<T>> + Send + 'a {
        let name = std::any::type_name_of_val(&run);
        let mut begun = false;
        let mut run: Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>> = Some(Box::pin(run));
        std::future::poll_fn(move |cx: &mut Context<'_>| {
            if !begun {
                self.executor.trace.begins();
                begun = true;
            }
            let per_mille = self.crash_per_mille.load(Ordering::SeqCst);
            let here = self.points.fetch_add(1, Ordering::SeqCst) == self.crash_at.load(Ordering::SeqCst);
            if here || per_mille > 0 && self.executor.chance(|rng| rng.happens(per_mille)) {
                if here {
                    *lock(&self.crashed_in) = Some(CrashedIn { run: name, method: self.executor.trace.waits() });
                }
                run = None; // dropped where it waits: nothing after that point happens
                self.crashes.fetch_add(1, Ordering::SeqCst);
                return Poll::Ready(None);
            }
            match &mut run {
                Some(run) => run.as_mut().poll(cx).map(Some),
                None => Poll::Ready(None),
            }
        })
    }

    /// One sweep, as the schedule makes it.
    pub async fn sweep(&self) {
        if self.executor.has(Bug::SweepIsIdle) {
            return;
        }
        let until = self.now().plus_ms(RUN_MS);
        let _ = self.invoke(sweep(self, until)).await;
    }

    /// Lanes that were woken since this was last asked, each to be gone on with.
    pub async fn run_woken(&self) {
        let woken = std::mem::take(&mut *lock(&self.woken));
        for woken in woken {
            // Often too short for all that waits: another run must go on.
            let until = self.now().plus_ms(self.executor.chance(|rng| rng.below(RUN_MS)));
            match woken {
                Woken::Lane(lane) => drop(self.invoke(run_lane(self, &lane, until)).await),
                Woken::Map(map) => drop(self.invoke(drain_map(self, &map, until)).await),
            }
        }
    }
}

impl SimWorld {
    /// Works on the sync runs whose work items are due.
    pub async fn work_on_syncs(&self) {
        for active in self.sync_runs.take_due(self.now()) {
            let until = self.now().plus_ms(self.executor.chance(|rng| rng.below(RUN_MS)));
            let _ = self.invoke(app::sync::work(self, &active, until)).await;
        }
    }

    /// One sweep over the sync runs, as the schedule makes it.
    pub async fn sweep_syncs(&self) {
        let _ = self.invoke(app::sync::sweep(self)).await;
    }
}

/// What was woken.
#[derive(Clone, Debug)]
enum Woken {
    Lane(LaneKey),
    Map(MapId),
}

impl Ports for SimWorld {
    type Queues = MemoryQueues;

    type Lanes = MemoryLanes;
    type Config = Self;
    type Apps = FakeApps;
    type WakeUps = Self;

    fn lanes(&self) -> &MemoryLanes {
        &self.lanes
    }
    fn queues(&self) -> &MemoryQueues {
        &self.queues
    }
    fn config(&self) -> &Self {
        self
    }
    fn apps(&self) -> &FakeApps {
        &self.apps
    }
    fn wakes(&self) -> &Self {
        self
    }
    fn now(&self) -> Timestamp {
        self.executor.now()
    }
    fn fresh_id(&self) -> u128 {
        let count = self.ids.fetch_add(1, Ordering::SeqCst) + 1;
        let chance = self.executor.chance(crate::rng::Rng::bits) & 0xffff;
        (u128::from(self.now().0) << 80) | (u128::from(count) << 16) | u128::from(chance)
    }
    async fn sleep(&self, ms: u64) {
        self.executor.turn_at("Ports.sleep").await;
        self.executor.sleep(ms).await;
    }
}

impl SyncPorts for SimWorld {
    type Runs = MemorySyncRuns;
    type WorkItems = MemorySyncRuns;

    fn runs(&self) -> &MemorySyncRuns {
        &self.sync_runs
    }
    fn work_items(&self) -> &MemorySyncRuns {
        &self.sync_runs
    }
}

impl AlertPorts for SimWorld {
    type Log = MemoryLog;
    type Alerts = MemoryAlerts;

    fn log(&self) -> &MemoryLog {
        &self.log
    }
    fn alerts(&self) -> &MemoryAlerts {
        &self.alerts
    }
}

impl MailPorts for SimWorld {
    type Mailer = MemoryMailer;

    fn mailer(&self) -> &MemoryMailer {
        &self.mailer
    }
    fn console_url(&self) -> &str {
        ""
    }
    fn api_url(&self) -> &str {
        "https://admin.example"
    }
}

impl EventPorts for SimWorld {
    type Events = MemoryEvents;

    fn events(&self) -> &MemoryEvents {
        &self.events
    }
}

impl WakeUps for SimWorld {
    async fn wake_lane(&self, lane: &LaneKey) -> Result<(), PortError> {
        self.executor.turn_at("WakeUps.wake_lane").await;
        // Some are lost: the sweep must find what they would have woken.
        if self.executor.chance(|rng| rng.happens(700)) {
            lock(&self.woken).push(Woken::Lane(lane.clone()));
        }
        Ok(())
    }
    async fn wake_map(&self, map: &MapId) -> Result<(), PortError> {
        self.executor.turn_at("WakeUps.wake_map").await;
        if self.executor.chance(|rng| rng.happens(700)) {
            lock(&self.woken).push(Woken::Map(map.clone()));
        }
        Ok(())
    }
}

impl SimWorld {
    /// Milliseconds since the world began.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now().ms_since(BEGIN)
    }
}
