//! People and triggers of the two apps: they edit, hold locks, roll back, report, and repeat what got no answer.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use app::{
    ports::Ports,
    request::WriteRequest,
    write::{WithSideNames, WriteError, write},
};
use domain::{
    EntryId, RecordKey, SideId, SideIx, Timestamp,
    lane::{Answer, LaneVersion, Mode, SkipReason},
    record::Image,
};
use serde_json::{Value, json};

use crate::{executor::lock, world::SimWorld};

/// The servers of an app have clocks that differ by so much.
const CLOCKS_DIFFER_MS: u64 = 3_000;

/// What a caller was told, for the checks.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The id of the write.
    pub id: String,
    /// The record.
    pub key: RecordKey,
    /// Who called.
    pub origin: SideId,
    /// What that app calls the record's version.
    pub version: Option<u64>,
    /// Whether the caller could still roll back.
    pub mode: Mode,
    /// What the record was, if the caller said it, and what it is to be.
    pub says: String,
    /// When it was first sent.
    pub sent: Timestamp,
    /// When it was answered.
    pub answered: Timestamp,
    /// The answer.
    pub answer: Result<Answer, WriteError>,
    /// The record that was sent.
    pub record: Value,
}

/// A write that came again after it had been answered.
#[derive(Clone, Debug)]
pub struct Again {
    /// The id of the write.
    pub id: String,
    /// What its caller was told first.
    pub first: Answer,
    /// It came with another body.
    pub other: bool,
    /// What its caller was told now.
    pub answer: Result<Answer, WriteError>,
}

/// The people and triggers of a world.
pub struct Users {
    world: Arc<SimWorld>,
    heard: Mutex<Vec<Heard>>,
    again: Arc<Mutex<Vec<Again>>>,
    again_per_mille: AtomicU64,
    /// Reports do not say what the record was before.
    terse: AtomicBool,
    /// A `sync` caller commits within so many milliseconds of its answer.
    commits_within_ms: AtomicU64,
    /// Records of transactions that their app has ended: what was accepted of them does not stand.
    ended: Mutex<BTreeSet<RecordKey>>,
}

impl Users {
    /// Nobody yet.
    #[must_use]
    pub fn new(world: Arc<SimWorld>) -> Arc<Self> {
        Arc::new(Self {
            world,
            heard: Mutex::default(),
            again: Arc::default(),
            again_per_mille: AtomicU64::new(0),
            terse: AtomicBool::new(false),
            commits_within_ms: AtomicU64::new(0),
            ended: Mutex::default(),
        })
    }

    /// From now on writes come again after their answer with this chance in a thousand, half of them with another body.
    pub fn set_again(&self, per_mille: u64) {
        self.again_per_mille.store(per_mille, Ordering::SeqCst);
    }

    /// From now on nobody says what a record was before.
    pub fn set_terse(&self) {
        self.terse.store(true, Ordering::SeqCst);
    }

    /// From now on `sync` callers commit some time after their answer, up to this long.
    pub fn set_commits_within_ms(&self, ms: u64) {
        self.commits_within_ms.store(ms, Ordering::SeqCst);
    }

    /// Records of transactions that their app has ended, since they were open for too long.
    #[must_use]
    pub fn ended_transactions(&self) -> BTreeSet<RecordKey> {
        lock(&self.ended).clone()
    }

    /// What was told to writes that came again.
    #[must_use]
    pub fn again(&self) -> Vec<Again> {
        lock(&self.again).clone()
    }

    /// What all were told.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        lock(&self.heard).clone()
    }

    fn side(&self, side: SideIx) -> SideId {
        self.world.map().map.config.side(side).side.clone()
    }

    /// A write's id as one of an app's servers makes it: their clocks differ, and ids of one millisecond have no order.
    fn write_id(&self) -> u128 {
        let (behind, tail) = self.world.executor.chance(|rng| (rng.below(CLOCKS_DIFFER_MS), rng.bits()));
        let made_at = self.world.now().0 - behind;
        (u128::from(made_at) << 80) | (u128::from(tail) << 16) | (self.world.fresh_id() >> 16 & 0xffff)
    }

    /// Sends a write until it is answered, with the same id.
    pub async fn send(&self, mut request: Value) -> Result<Answer, WriteError> {
        let id = ulid::Ulid(self.write_id()).to_string();
        request["id"] = json!(id);
        let body = request;
        let request = readable(body.clone());
        let sent = self.world.now();
        let answer = loop {
            match self.world.invoke(write(&*self.world, &request)).await {
                Some(Ok(WithSideNames { what, .. })) => break Ok(what),
                // No answer, or one that asks to come again.
                None | Some(Err(WriteError::InProgress | WriteError::Contended | WriteError::Port(_))) => {
                    let ms = 200 + self.world.executor.chance(|rng| rng.below(5_000));
                    self.world.executor.sleep(ms).await;
                }
                Some(Err(error)) => break Err(error),
            }
        };
        let origin = request.origin.clone().unwrap_or_else(|| self.side(SideIx::First));
        let (key, answered) = (request.key.clone(), self.world.now());
        let says = format!("{:?} -> {:?}", request.before, request.record);
        let (version, mode, answer_told) = (request.version, request.mode, answer.clone());
        lock(&self.heard).push(Heard {
            id: id.clone(),
            key,
            origin,
            version,
            mode,
            says,
            sent,
            answered,
            answer: answer_told,
            record: body["record"].clone(),
        });
        let per_mille = self.again_per_mille.load(Ordering::SeqCst);
        if let Ok(first) = &answer
            && is_remembered(first)
            && per_mille > 0
            && self.world.executor.chance(|rng| rng.happens(per_mille))
        {
            let other = self.world.executor.chance(|rng| rng.below(2)) == 0;
            self.comes_again(Again { id, first: first.clone(), other, answer: answer.clone() }, body);
        }
        answer
    }

    /// Sends a write once more, some time later.
    fn comes_again(&self, mut again: Again, mut body: Value) {
        let (world, all) = (Arc::clone(&self.world), Arc::clone(&self.again));
        if again.other {
            body["version"] = json!(body["version"].as_u64().unwrap_or(0) + 1);
        }
        let request = readable(body);
        self.world.executor.spawn(async move {
            for _ in 0..20 {
                let ms = world.executor.chance(|rng| rng.below(30_000));
                world.executor.sleep(ms).await;
                match world.invoke(write(&*world, &request)).await {
                    None | Some(Err(WriteError::InProgress | WriteError::Contended | WriteError::Port(_))) => {}
                    Some(told) => {
                        again.answer = told.map(|told| told.what);
                        return lock(&all).push(again);
                    }
                }
            }
        });
    }

    fn request(
        &self,
        origin: &SideId,
        key: &RecordKey,
        image: &Image,
        before: &Image,
        version: u64,
        at: Timestamp,
    ) -> Value {
        let mut request = json!({"map": self.world.map().map.id, "key": key, "origin": origin, "version": version});
        match image {
            Image::Present(record) => request["record"] = json!(record),
            Image::Absent => request["op"] = json!("delete"),
        }
        if self.terse.load(Ordering::SeqCst) {
            // Without it, a change that is reported late counts as made when it arrived.
            request["committed_at"] = json!(at.to_string());
        } else {
            request["before"] = match before {
                Image::Present(record) => json!(record),
                Image::Absent => Value::Null,
            };
        }
        request
    }

    /// A person saves a record while holding it locked, as dual-write's synchronous mode does: written to the other
    /// app first, committed here only if that was taken.
    pub async fn edit_sync(&self, side: SideIx, key: &RecordKey, image: Image) {
        let id = self.side(side);
        let apps = &self.world.apps;
        // What the trigger has not reported yet goes first: an app sends the changes of one record in their order.
        let reported = |app: &crate::apps::FakeApp| app.outbox.iter().all(|report| report.key != *key);
        while apps.with(&id, |app| !reported(app) || !app.locked.insert(key.clone())) {
            self.world.executor.sleep(90).await;
        }
        let (before, version) = apps.with(&id, |app| {
            let version = app.records.get(key).map_or(0, |(_, version)| *version);
            (app.image(key), version + 1)
        });
        let at = self.world.now();
        let told = self.send(self.request(&id, key, &image, &before, version, at)).await;
        let too_old = told == Err(WriteError::IdTooOld);
        let ms = self.commits_within_ms.load(Ordering::SeqCst);
        if ms > 0 {
            self.world.executor.sleep(self.world.executor.chance(|rng| rng.below(ms))).await;
        }
        // The app ends a transaction that is open for too long. What was accepted of it must not stand in the other app.
        let longest_ms = self.world.map().sides[side.at()].config.longest_transaction_ms;
        let too_old = too_old || (told.is_ok() && self.world.now() >= at.plus_ms(longest_ms));
        if too_old {
            lock(&self.ended).insert(key.clone());
        }
        let now = self.world.now();
        let commits = matches!(
            told,
            Ok(Answer::Written { .. } | Answer::Queued { .. } | Answer::Parked { .. } | Answer::Skipped(_))
        );
        apps.with(&id, |app| {
            if !too_old && commits {
                app.change(key, image, now);
            } else if too_old {
                // It cannot be told whether the write took effect: report what the record is here.
                let version = app.change(key, before.clone(), now);
                let report =
                    crate::apps::Report { key: key.clone(), before: before.clone(), image: before, version, at };
                app.outbox.push_back(report);
            }
            app.locked.remove(key);
        });
    }

    /// A person saves a record; the app's trigger reports it later.
    pub async fn edit_committed(&self, side: SideIx, key: &RecordKey, image: Image) {
        let id = self.side(side);
        while self.world.apps.with(&id, |app| app.locked.contains(key)) {
            self.world.executor.sleep(90).await;
        }
        let at = self.world.now();
        self.world.apps.with(&id, |app| {
            let before = app.image(key);
            let version = app.change(key, image, at);
            let image = app.image(key);
            app.outbox.push_back(crate::apps::Report { key: key.clone(), before, image, version, at });
        });
    }

    /// Reports what is in an app's outbox, in order. Whether there was anything.
    pub async fn report(&self, side: SideIx) -> bool {
        let id = self.side(side);
        let Some(report) = self.world.apps.with(&id, |app| app.outbox.front().cloned()) else { return false };
        let mut request = self.request(&id, &report.key, &report.image, &report.before, report.version, report.at);
        request["mode"] = json!("committed");
        let _ = self.send(request).await;
        self.world.apps.with(&id, |app| app.outbox.pop_front());
        true
    }
}

/// The entry an answer names.
#[must_use]
pub fn entry_of(answer: &Answer) -> Option<EntryId> {
    match answer {
        Answer::Queued { entry, .. } | Answer::Parked { entry, .. } => Some(*entry),
        Answer::Written { entry, .. } => *entry,
        Answer::Archived { .. } | Answer::Skipped(_) | Answer::Refused { .. } | Answer::Unavailable { .. } => None,
    }
}

fn readable(request: Value) -> WriteRequest {
    WriteRequest::from_value(request).unwrap_or_else(|error| panic!("a readable request: {error:?}"))
}

/// Whether this is told again when the write comes again; otherwise it is decided anew.
fn is_remembered(answer: &Answer) -> bool {
    match answer {
        Answer::Skipped(reason) => matches!(reason, SkipReason::Echo | SkipReason::Covered),
        Answer::Unavailable { .. } => false,
        _ => true,
    }
}

/// The version an answer names.
#[must_use]
pub fn version_of(answer: &Answer) -> Option<LaneVersion> {
    match answer {
        Answer::Written { version, .. }
        | Answer::Queued { version, .. }
        | Answer::Parked { version, .. }
        | Answer::Archived { version, .. } => Some(*version),
        Answer::Skipped(_) | Answer::Refused { .. } | Answer::Unavailable { .. } => None,
    }
}
