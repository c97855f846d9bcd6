//! One app: what it holds, and what a call does to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use app::ports::Call;
use domain::{
    EntryId, Failure, Record, RecordKey, Timestamp,
    failure::{CallEffect, ErrorClass},
    record::Image,
    side::{Capability, Health},
};

use super::{
    Change, Effect, Report,
    calls::{Condition, failed},
    tags,
};
use crate::{bug::Bug, pages::PageHabits};

/// One app.
#[derive(Debug, Default)]
pub struct FakeApp {
    /// Its records, deleted ones too, with the row's version.
    pub records: BTreeMap<RecordKey, (Image, u64)>,
    /// Records that are refused whatever they are.
    pub refuses: BTreeSet<RecordKey>,
    /// Records on which it fails, without a word about them.
    pub fails: BTreeSet<RecordKey>,
    /// Records that it cannot take beside another one that it has: it answers 409.
    pub conflicts: BTreeSet<RecordKey>,
    /// It answers a write with the record as it has stored it.
    pub returns_stored: bool,
    /// How it tidies what it stores.
    pub tidies: Option<fn(&mut Record)>,
    /// Records that take it down when they are written.
    pub dies_of: BTreeSet<RecordKey>,
    /// It is down until then.
    pub(super) down_until: Timestamp,
    /// How it answered lately.
    pub(super) health: Health,
    /// Records that a user holds open.
    pub locked: BTreeSet<RecordKey>,
    /// What calls did, in order.
    pub effects: Vec<Effect>,
    /// Calls that were not made, for the record was as they wanted it.
    pub held: Vec<Effect>,
    /// How often a call met a stale tag.
    pub stale: usize,
    /// What its users did, in order.
    pub changes: Vec<Change>,
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

    /// The version of a record's row; 0: there was never one.
    #[must_use]
    pub fn version(&self, key: &RecordKey) -> u64 {
        self.records.get(key).map_or(0, |(_, version)| *version)
    }

    /// Forgets how the app answered, as a process does that ends.
    pub fn forget_health(&mut self) {
        self.health = Health::default();
    }

    /// Changes a record, as a user of the app does. The new row version.
    pub fn change(&mut self, key: &RecordKey, image: Image, at: Timestamp) -> u64 {
        let version = self.store(key, image);
        self.changes.push(Change { key: key.clone(), image: self.image(key), version, at });
        version
    }

    fn store(&mut self, key: &RecordKey, image: Image) -> u64 {
        let image = self.tidied(image);
        let row = self.records.entry(key.clone()).or_insert((Image::Absent, 0));
        *row = (image, row.1 + 1);
        row.1
    }

    /// What it answers to a write.
    pub(super) fn stored(&self, key: &RecordKey) -> Option<Record> {
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

    /// The effect of a call, if its condition holds. The row's version.
    pub(super) fn apply(
        &mut self,
        call: &Call,
        condition: Condition,
        capability: Capability,
        at: Timestamp,
        bug: Option<Bug>,
    ) -> Result<u64, Failure> {
        let version = self.version(&call.record.key);
        let known = self.seen.get(&call.entry).filter(|_| capability == Capability::Idempotent);
        if let Some(first) = known.filter(|_| bug != Some(Bug::AppIgnoresKey)) {
            if *first == call.image {
                return Ok(version);
            }
            return Err(failed(ErrorClass::Application, CallEffect::Refused, "simulated: the key has another request"));
        }
        if bug == Some(Bug::AppLies) {
            return Ok(version);
        }
        if !self.meets(&call.record.key, condition) && bug != Some(Bug::AppIgnoresTag) {
            self.stale += 1;
            return Err(tags::stale(version));
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
        let version = self.store(&call.record.key, image);
        let image = self.image(&call.record.key);
        let key = call.record.key.clone();
        self.effects.push(Effect { key, entry: call.entry, version: call.version, row: version });
        if !self.silent {
            self.outbox.push_back(Report { key: call.record.key.clone(), before, image, version, at });
        }
        Ok(version)
    }
}
