//! The two apps of a simulated world: records, row locks, triggers that report every change, and calls that go wrong.

mod calls;
mod fake_app;
mod tags;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::ports::{Applied, Apps, Call, Description, FetchedRecord, Page, PageError, PageRequest, RecordAddress};
use domain::{
    EntryId, Failure, RecordKey, SideId, Timestamp,
    failure::{CallEffect, ErrorClass},
    lane::LaneVersion,
    listing::Listing,
    record::Image,
    side::{Capability, Health, Side},
};

use self::calls::{Condition, failed};
pub use self::fake_app::FakeApp;
use crate::executor::{Executor, lock};

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallFaults {
    /// Nothing was sent.
    pub not_applied: u64,
    /// An error answer, and no effect.
    pub unknown_without_effect: u64,
    /// The effect, and no answer.
    pub unknown_with_effect: u64,
    /// No answer, and the effect comes later, while the call still lives.
    pub unknown_late: u64,
    /// No chance, but milliseconds: a write takes less than this.
    pub slow_ms: u64,
}

/// A call that had an effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The record.
    pub key: RecordKey,
    /// The entry.
    pub entry: EntryId,
    /// Its version.
    pub version: LaneVersion,
    /// The row's version after it.
    pub row: u64,
}

/// What a user set a record to.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The record.
    pub key: RecordKey,
    /// What it is from then on.
    pub image: Image,
    /// The row's version.
    pub version: u64,
    /// When it was committed.
    pub at: Timestamp,
}

/// A change that the app's trigger has to report.
#[derive(Clone, Debug)]
pub struct Report {
    /// The record.
    pub key: RecordKey,
    /// What it was.
    pub before: Image,
    /// What it is.
    pub image: Image,
    /// The row's version.
    pub version: u64,
    /// When it was committed.
    pub at: Timestamp,
}

/// Both apps.
pub struct FakeApps {
    pub(crate) world: Arc<Executor>,
    pub(crate) apps: BTreeMap<SideId, Arc<Mutex<FakeApp>>>,
    faults: Mutex<CallFaults>,
    pub(crate) latency_ms: AtomicU64,
    pub(crate) busy_for_ms: AtomicU64,
}

impl FakeApps {
    /// Two empty apps.
    #[must_use]
    pub fn new(world: Arc<Executor>, sides: [SideId; 2]) -> Self {
        let apps = sides.into_iter().map(|side| (side, Arc::default())).collect();
        Self { world, apps, faults: Mutex::default(), latency_ms: AtomicU64::new(0), busy_for_ms: AtomicU64::new(0) }
    }

    /// From now on these faults.
    pub fn set_faults(&self, faults: CallFaults) {
        *lock(&self.faults) = faults;
    }

    /// From now on each write and each page takes so long.
    pub fn set_latency_ms(&self, ms: u64) {
        self.latency_ms.store(ms, Ordering::SeqCst);
    }

    /// From now on each write and each page is answered 429, with this `Retry-After`; 0: no more.
    pub fn set_busy_for_ms(&self, ms: u64) {
        self.busy_for_ms.store(ms, Ordering::SeqCst);
    }

    /// Looks at an app, or changes it.
    pub fn with<T>(&self, side: &SideId, look: impl FnOnce(&mut FakeApp) -> T) -> T {
        look(&mut lock(&self.apps[side]))
    }
}

/// A record with this field is refused.
pub const REFUSED_FIELD: &str = "refused";

impl Apps for FakeApps {
    async fn write(&self, side: &Side, call: &Call) -> Result<Applied, Failure> {
        let outcome = if side.config.capability == Capability::Versioned {
            self.write_if_unchanged(side, call).await
        } else {
            self.request(side, call, Condition::Always).await.map(|applied| Applied { etag: None, ..applied })
        };
        let now = self.world.now();
        self.with(&side.id, |app| app.health.note_call(call.ending(&outcome), now));
        outcome
    }

    async fn read(&self, side: &Side, record: &RecordAddress) -> Result<Option<FetchedRecord>, Failure> {
        self.world.turn_at("Apps.read").await;
        if self.roll().is_some() {
            return Err(failed(ErrorClass::Unavailable, CallEffect::NotApplied, "simulated: 503"));
        }
        Ok(match self.with(&side.id, |app| app.image(&record.key)) {
            Image::Present(record) => Some(FetchedRecord { record, etag: None }),
            Image::Absent => None,
        })
    }

    async fn read_page(&self, side: &Side, listing: &Listing, request: &PageRequest) -> Result<Page, PageError> {
        self.world.turn_at("Apps.read_page").await;
        self.page_once(side, listing, request).await
    }

    fn health(&self, side: &SideId) -> Health {
        self.with(side, |app| app.health.clone())
    }

    fn note_report(&self, side: &SideId, is_own: bool, at: Timestamp) {
        self.with(side, |app| app.health.reports.note(is_own, at));
    }

    async fn sample(&self, side: &Side, _: &str) -> Result<Option<FetchedRecord>, Failure> {
        self.world.turn_at("Apps.sample").await;
        let present = |(image, _): &(Image, u64)| match image {
            Image::Present(record) => Some(FetchedRecord { record: record.clone(), etag: None }),
            Image::Absent => None,
        };
        Ok(self.with(&side.id, |app| app.records.values().find_map(present)))
    }

    async fn describe(&self, _: &Side, _: &[String]) -> Result<Option<Description>, Failure> {
        self.world.turn_at("Apps.describe").await;
        Ok(None)
    }

    async fn probe(&self, _: &Side, _: Option<&str>) -> Result<(), Failure> {
        self.world.turn_at("Apps.probe").await;
        Ok(())
    }
}
