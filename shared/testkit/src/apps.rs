//! The two apps of a simulated world: records, row locks, triggers that report every change, and calls that go wrong.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::ports::{Applied, Apps, Call, Description, FetchedRecord, Page, PageError, PageRequest, RecordAddress};
use domain::{
    EntryId, Failure, Record, RecordKey, SideId, Timestamp,
    failure::{CallEffect, ErrorClass},
    lane::LaneVersion,
    listing::Listing,
    record::Image,
    side::{Capability, Health, Side},
};

use crate::{
    bug::Bug,
    executor::{Executor, lock},
    pages::PageHabits,
};

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

/// One app.
#[derive(Debug, Default)]
pub struct FakeApp {
    /// Its records, deleted ones too, with the row's version.
    pub records: BTreeMap<RecordKey, (Image, u64)>,
    /// Records that are refused whatever they are.
    pub refuses: BTreeSet<RecordKey>,
    /// Records on which it fails, without a word about them.
    pub fails: BTreeSet<RecordKey>,
    /// It answers a write with the record as it has stored it.
    pub returns_stored: bool,
    /// How it tidies what it stores.
    pub tidies: Option<fn(&mut Record)>,
    /// Records that take it down when they are written.
    pub dies_of: BTreeSet<RecordKey>,
    /// It is down until then.
    down_until: Timestamp,
    /// How it answered lately.
    health: Health,
    /// Records that a user holds open.
    pub locked: BTreeSet<RecordKey>,
    /// What calls did, in order.
    pub effects: Vec<Effect>,
    /// Changes not reported yet, in order.
    pub outbox: VecDeque<Report>,
    /// Its trigger leaves out what Tandem writes.
    pub silent: bool,
    /// How it gives its records page by page.
    pub pages: PageHabits,
    /// Rows that its lists have beside its records, as JSON, each where a record with this key would be.
    pub odd_rows: BTreeMap<String, String>,
    /// What each `Idempotency-Key` was first used for.
    seen: BTreeMap<EntryId, Image>,
}

impl FakeApp {
    /// A record as it is.
    #[must_use]
    pub fn image(&self, key: &RecordKey) -> Image {
        self.records.get(key).map_or(Image::Absent, |(image, _)| image.clone())
    }

    /// Forgets how the app answered, as a process does that ends.
    pub fn forget_health(&mut self) {
        self.health = Health::default();
    }

    /// Changes a record, as a user of the app does. The new row version.
    pub fn change(&mut self, key: &RecordKey, image: Image) -> u64 {
        let image = self.tidied(image);
        let row = self.records.entry(key.clone()).or_insert((Image::Absent, 0));
        *row = (image, row.1 + 1);
        row.1
    }

    /// What it answers to a write.
    fn stored(&self, key: &RecordKey) -> Option<Record> {
        match self.image(key) {
            Image::Present(record) if self.returns_stored => Some(record),
            _ => None,
        }
    }

    fn tidied(&self, mut image: Image) -> Image {
        if let (Some(tidies), Image::Present(record)) = (self.tidies, &mut image) {
            tidies(record);
        }
        image
    }

    fn apply(&mut self, call: &Call, capability: Capability, at: Timestamp, bug: Option<Bug>) -> Result<(), Failure> {
        let known = self.seen.get(&call.entry).filter(|_| capability == Capability::Idempotent);
        if let Some(first) = known.filter(|_| bug != Some(Bug::AppIgnoresKey)) {
            if *first == call.image {
                return Ok(());
            }
            return Err(failed(ErrorClass::Application, CallEffect::Refused, "simulated: the key has another request"));
        }
        if bug == Some(Bug::AppLies) {
            return Ok(());
        }
        self.seen.insert(call.entry, call.image.clone());
        let before = self.image(&call.record.key);
        let image = match &call.image {
            Image::Absent => Image::Absent,
            // PATCH: fields that are not sent stay.
            Image::Present(fields) => {
                let mut record = if let Image::Present(record) = &before { record.clone() } else { Record::new() };
                record.extend(fields.clone());
                Image::Present(record)
            }
        };
        let version = self.change(&call.record.key, image);
        let image = self.image(&call.record.key);
        self.effects.push(Effect { key: call.record.key.clone(), entry: call.entry, version: call.version });
        if !self.silent {
            self.outbox.push_back(Report { key: call.record.key.clone(), before, image, version, at });
        }
        Ok(())
    }
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

    pub(crate) fn roll(&self) -> Option<End> {
        let faults = *lock(&self.faults);
        let mut roll = self.world.chance(|rng| rng.below(1_000));
        for (end, per_mille) in [
            (End::NotApplied, faults.not_applied),
            (End::Without, faults.unknown_without_effect),
            (End::With, faults.unknown_with_effect),
            (End::Late, faults.unknown_late),
        ] {
            if roll < per_mille {
                return Some(end);
            }
            roll -= per_mille;
        }
        None
    }
}

pub(crate) enum End {
    NotApplied,
    Without,
    With,
    Late,
}

fn failed(class: ErrorClass, effect: CallEffect, says: &str) -> Failure {
    Failure::new(class, effect, None, says)
}

/// How long an app is down before its supervisor has started it again.
const DOWN_MS: u64 = 5_000;

/// A record with this field is refused.
pub const REFUSED_FIELD: &str = "refused";

impl Apps for FakeApps {
    async fn write(&self, side: &Side, call: &Call) -> Result<Applied, Failure> {
        let outcome = self.write_once(side, call).await;
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

impl FakeApps {
    async fn write_once(&self, side: &Side, call: &Call) -> Result<Applied, Failure> {
        let capability = side.config.capability;
        let app = Arc::clone(&self.apps[&side.id]);
        self.world.turn_at("Apps.write").await;
        let fresh = || EntryId(u128::from(self.world.chance(crate::rng::Rng::bits)));
        let entry = if self.world.has(Bug::FreshKeyPerAttempt) { fresh() } else { call.entry };
        let call = &Call { entry, ..call.clone() };
        let began = self.world.now();
        while lock(&app).locked.contains(&call.record.key) {
            if self.world.now().ms_since(began) >= side.config.request_timeout_ms {
                return Err(failed(ErrorClass::Timeout, CallEffect::Unknown, "simulated: the record is locked"));
            }
            self.world.sleep(100).await;
        }
        let slow_ms = lock(&self.faults).slow_ms;
        let slow_ms = if slow_ms > 0 { self.world.chance(|rng| rng.below(slow_ms)) } else { 0 };
        let latency_ms = self.latency_ms.load(Ordering::SeqCst) + slow_ms;
        let busy_for_ms = self.busy_for_ms.load(Ordering::SeqCst);
        if latency_ms > 0 {
            self.world.sleep(latency_ms).await;
        }
        if busy_for_ms > 0 {
            let failure = failed(ErrorClass::Throttled, CallEffect::NotApplied, "simulated: 429");
            return Err(Failure { retry_after_ms: Some(busy_for_ms), ..failure });
        }
        let asks_for_it =
            matches!(&call.image, Image::Present(record) if record.get(REFUSED_FIELD).is_some_and(|v| v == true));
        if asks_for_it || lock(&app).refuses.contains(&call.record.key) {
            return Err(failed(ErrorClass::Application, CallEffect::Refused, "simulated: refused"));
        }
        if lock(&app).down_until > self.world.now() {
            return Err(failed(ErrorClass::Network, CallEffect::NotApplied, "simulated: refused to connect"));
        }
        if lock(&app).dies_of.contains(&call.record.key) {
            lock(&app).down_until = self.world.now().plus_ms(DOWN_MS);
            return Err(failed(ErrorClass::Network, CallEffect::Unknown, "simulated: reset"));
        }
        if lock(&app).fails.contains(&call.record.key) {
            return Err(failed(ErrorClass::OtherHttp, CallEffect::Unknown, "simulated: 500"));
        }
        match self.roll() {
            Some(End::NotApplied) if self.world.has(Bug::NotAppliedIsDone) => Ok(Applied::default()),
            Some(End::NotApplied) => {
                Err(failed(ErrorClass::Network, CallEffect::NotApplied, "simulated: refused to connect"))
            }
            Some(End::Without) => Err(failed(ErrorClass::Unavailable, CallEffect::Unknown, "simulated: 503")),
            Some(End::With) => {
                lock(&app).apply(call, capability, self.world.now(), self.world.bug())?;
                Err(failed(ErrorClass::Network, CallEffect::Unknown, "simulated: reset after the effect"))
            }
            Some(End::Late) => {
                let (world, call) = (Arc::clone(&self.world), call.clone());
                // All of it lies within the call's life, the waits before included: a call that outlives it is nobody's.
                let dies = began.plus_ms(side.config.call_life_ms.saturating_sub(side.config.request_timeout_ms));
                let lands_in = self.world.chance(|rng| rng.below(dies.ms_since(world.now()).max(1)));
                self.world.spawn(async move {
                    world.sleep(lands_in).await;
                    while lock(&app).locked.contains(&call.record.key) {
                        if world.now() >= dies {
                            return;
                        }
                        world.sleep(100).await;
                    }
                    let _ = lock(&app).apply(&call, capability, world.now(), world.bug());
                });
                Err(failed(ErrorClass::Timeout, CallEffect::Unknown, "simulated: no answer in time"))
            }
            None => {
                lock(&app).apply(call, capability, self.world.now(), self.world.bug())?;
                let stored = lock(&app).stored(&call.record.key);
                self.world.turn_at("Apps.write").await;
                Ok(Applied { etag: None, stored, unchanged: false })
            }
        }
    }
}
