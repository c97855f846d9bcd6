//! A world for the drain: the journal and the queue in memory, an app and a journal that take a fixed time for each call,
//! real time.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use app::{
    Ports,
    drain::{Drained, drain_map},
    ports::{
        Applied, Apps, Call, CommitError, Config, Description, FetchedRecord, LaneKey, Page, PageError, PageRequest,
        PortError, RecordAddress, SyncMap, WakeUps,
    },
    request::WriteRequest,
    write::write,
};
use domain::{
    Failure, Map, MapId, MapState, SideId, Timestamp,
    listing::Listing,
    side::{Capability, Health, Side},
};
use serde_json::json;
use testkit::{Executor, MemoryLanes, MemoryQueues, sample};

use crate::journal::Journal;

/// Everything the drain works with.
pub struct World {
    journal: Journal,
    queues: MemoryQueues,
    map: Mutex<SyncMap>,
    ids: AtomicU64,
    latency: Duration,
    calls: AtomicUsize,
    most: AtomicUsize,
}

impl World {
    /// A paused map whose other app takes `latency` for each call; the journal takes `journal` for each request.
    ///
    /// # Panics
    /// Never: the clock is after 1970.
    #[must_use]
    pub fn paused(latency: Duration, journal: Duration) -> Self {
        let executor = Executor::new(1, now());
        let mut map = sample::running(Capability::Idempotent);
        map.map.state = MapState::Paused;
        let queues = MemoryQueues::new(executor.clone());
        queues.make(map.uid);
        Self {
            journal: Journal::new(MemoryLanes::new(executor), journal),
            queues,
            map: Mutex::new(map),
            ids: AtomicU64::new(1),
            latency,
            calls: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    /// Keeps so many writes, over so many records in turn.
    ///
    /// # Errors
    /// A write was not kept.
    pub async fn keep(&self, writes: usize, records: usize) -> anyhow::Result<()> {
        for n in 0..writes {
            let request = json!({
                "id": ulid::Ulid(self.fresh_id()).to_string(), "map": "customers", "key": format!("C-{}", n % records),
                "origin": "finance", "mode": "committed", "record": {"Name": format!("n{n}"), "OnHold": "No"}, "before": null,
            });
            let request = WriteRequest::from_value(request).map_err(|error| anyhow::anyhow!("{error:?}"))?;
            write(self, &request).await?;
        }
        Ok(())
    }

    /// Resumes the map and drains it; how long that took.
    ///
    /// # Errors
    /// The drain failed.
    pub async fn drain(&self) -> anyhow::Result<(Drained, Duration)> {
        let id = {
            let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
            map.map.state = MapState::CatchingUp;
            map.map.epoch += 1;
            map.id.clone()
        };
        self.journal.drains();
        let began = Instant::now();
        let drained = drain_map(self, &id, now().plus_ms(3_600_000)).await?;
        Ok((drained, began.elapsed()))
    }

    /// Most calls of the app at the same time.
    #[must_use]
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    fn map(&self) -> SyncMap {
        self.map.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

impl Ports for World {
    type Lanes = Journal;
    type Queues = MemoryQueues;
    type Config = Self;
    type Apps = Self;
    type WakeUps = Self;

    fn lanes(&self) -> &Journal {
        &self.journal
    }
    fn queues(&self) -> &MemoryQueues {
        &self.queues
    }
    fn config(&self) -> &Self {
        self
    }
    fn apps(&self) -> &Self {
        self
    }
    fn wakes(&self) -> &Self {
        self
    }
    fn now(&self) -> Timestamp {
        now()
    }
    fn fresh_id(&self) -> u128 {
        (u128::from(now().0) << 80) | u128::from(self.ids.fetch_add(1, Ordering::SeqCst))
    }
    async fn sleep(&self, ms: u64) {
        if ms > 0 {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
    }
}

impl Config for World {
    async fn map(&self, _: &MapId) -> Result<Option<SyncMap>, PortError> {
        Ok(Some(self.map()))
    }
    async fn fresh_map(&self, _: &MapId) -> Result<Option<SyncMap>, PortError> {
        Ok(Some(self.map()))
    }
    async fn maps(&self) -> Result<Vec<SyncMap>, PortError> {
        Ok(vec![self.map()])
    }
    async fn save_map(&self, map: &Map, _: u64, _: &domain::log::Activity) -> Result<(), CommitError> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner).map = map.clone();
        Ok(())
    }
}

impl Apps for World {
    async fn write(&self, _: &Side, _: &Call) -> Result<Applied, Failure> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(calls, Ordering::SeqCst);
        tokio::time::sleep(self.latency).await;
        self.calls.fetch_sub(1, Ordering::SeqCst);
        Ok(Applied::default())
    }
    async fn read(&self, _: &Side, _: &RecordAddress) -> Result<Option<FetchedRecord>, Failure> {
        Ok(None)
    }
    async fn read_page(&self, _: &Side, _: &Listing, _: &PageRequest) -> Result<Page, PageError> {
        Ok(Page::default())
    }
    fn health(&self, _: &SideId) -> Health {
        Health::default()
    }

    async fn sample(&self, _: &Side, _: &str) -> Result<Option<FetchedRecord>, Failure> {
        Ok(None)
    }
    async fn describe(&self, _: &Side, _: &[String]) -> Result<Option<Description>, Failure> {
        Ok(None)
    }
    async fn probe(&self, _: &Side, _: Option<&str>) -> Result<(), Failure> {
        Ok(())
    }
}

impl WakeUps for World {
    async fn wake_lane(&self, _: &LaneKey) -> Result<(), PortError> {
        Ok(())
    }
    async fn wake_map(&self, _: &MapId) -> Result<(), PortError> {
        Ok(())
    }
}
