//! A lane on a bench: writes go in, attempts end as the test says.

use serde_json::json;

use crate::{
    failure::{CallEffect, ErrorClass, Failure},
    id::{EntryId, MapUid, Owner, RecordKey, WriteId},
    lane::{
        Admission, AdmitContext, Answer, Arrival, Attempt, CallDurations, Claim, Echoes, Entry, Head, JournalEffect,
        Marker, Mode, Rejection, SettleContext, Settlement, StepFailure, admit, claim, content, lease_ms, plan, settle,
    },
    log::LogEvent,
    map::{Map, MapState, PerSide, SideIx},
    mapping::tests::customers,
    record::{ContentHash, Image},
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// The lane, its map, and what is stored of it.
pub(in crate::lane) struct Bench {
    pub(in crate::lane) map: Map,
    pub(in crate::lane) sides: [SideConfig; 2],
    pub(in crate::lane) head: Option<Head>,
    pub(in crate::lane) echoes: Echoes,
    pub(in crate::lane) entries: Vec<Entry>,
    pub(in crate::lane) markers: Vec<Marker>,
    pub(in crate::lane) now: Timestamp,
    /// When the sides took a record last.
    pub(in crate::lane) last_taken: PerSide<Option<Timestamp>>,
    pub(in crate::lane) logged: Vec<LogEvent>,
    /// Whose attempt the next direct write is.
    owner: Owner,
    ids: u128,
}

impl Bench {
    pub(in crate::lane) fn new(capability: Capability) -> Self {
        let mut map = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(0));
        map.state = MapState::Running;
        let connector = json!({"kind": "odata", "base_url": "https://app.example/", "create": "upsert"});
        let side = json!({"connector": connector, "capability": capability, "longest_transaction_ms": 0});
        let side: SideConfig = serde_json::from_value(side).unwrap();
        let now = Timestamp(1_795_428_000_000);
        let sides = [side.clone(), side];
        Self {
            map,
            sides,
            head: None,
            echoes: Echoes::default(),
            entries: vec![],
            markers: vec![],
            now,
            last_taken: PerSide::default(),
            logged: vec![],
            owner: Owner(1),
            ids: 1,
        }
    }

    pub(in crate::lane) fn id(&mut self) -> u128 {
        self.ids += 1;
        (u128::from(self.now.0) << 80) + self.ids
    }

    pub(in crate::lane) fn write_id(&mut self) -> WriteId {
        ulid::Ulid(self.id()).to_string().parse().unwrap()
    }

    /// A save of `name` in an app.
    pub(in crate::lane) fn save(&mut self, side: SideIx, name: &str) -> Arrival {
        let image = image(side, name);
        Arrival {
            id: self.write_id(),
            body: ContentHash::of(&image),
            origin: Some(side),
            shape: side,
            mode: Mode::Sync,
            image,
            before: None,
            base: None,
            version: None,
            committed_at: None,
        }
    }

    pub(in crate::lane) fn admit(&mut self, arrival: Arrival) -> Result<Admission, Rejection> {
        let marker = self.markers.iter().find(|marker| marker.id == arrival.id).cloned();
        let entry = EntryId(self.id());
        self.owner = Owner(self.id());
        let context = self.context();
        let admission = admit(self.head.as_ref(), &self.echoes, marker.as_ref(), arrival, entry, context)?;
        match &admission {
            Admission::Execute { head, .. } => self.head = Some((**head).clone()),
            Admission::Append { head, entry } => {
                self.head = Some((**head).clone());
                self.entries.push((**entry).clone());
                self.markers.extend(entry.marker(&key(), crate::lane::MarkerState::Open));
            }
            Admission::Echo(echoes, _) => self.echoes = echoes.clone(),
            _ => {}
        }
        Ok(admission)
    }

    pub(in crate::lane) fn context(&self) -> AdmitContext<'_> {
        let sides = PerSide([&self.sides[0], &self.sides[1]]);
        AdmitContext { map: &self.map, sides, now: self.now, owner: self.owner, lease_ms: self.lease_ms() }
    }

    fn lease_ms(&self) -> u64 {
        lease_ms([&self.sides[0], &self.sides[1]])
    }

    /// Takes the next entry of the lane, as a worker does.
    pub(in crate::lane) fn claim(&mut self) -> Claim {
        let head = self.head.clone().unwrap();
        let stored = self.entries.iter().find(|entry| entry.seq == head.done_seq + 1).cloned();
        let owner = Owner(self.id());
        let durations = CallDurations::of([&self.sides[0], &self.sides[1]]);
        let claimed = claim(&head, stored.as_ref(), &self.map, &key(), owner, self.now, durations);
        if let Claim::Taken { head, .. } = &claimed {
            self.head = Some((**head).clone());
        }
        claimed
    }

    /// Ends the attempt in flight.
    pub(in crate::lane) fn settle(&mut self, entry: &Entry, attempt: &Attempt) -> Option<Answer> {
        let head = self.head.clone().unwrap();
        let owner = head.inflight.as_ref()?.owner?;
        self.settle_as(owner, entry, attempt)
    }

    pub(in crate::lane) fn settle_as(&mut self, owner: Owner, entry: &Entry, attempt: &Attempt) -> Option<Answer> {
        let head = self.head.clone().unwrap();
        let (spare, key) = (EntryId(self.id()), key());
        let echoed = self.echoes.of(head.version_of(entry.seq));
        let terms = SettleContext {
            map: &self.map,
            key: &key,
            sides: [&self.sides[0], &self.sides[1]],
            on_unavailable: self.map.config.on_unavailable,
            echoed: &echoed,
            spare,
            last_taken: self.last_taken,
            now: self.now,
        };
        let Settlement { head: settled, effects, answer } = settle(&head, entry.clone(), owner, attempt, terms)?;
        assert_eq!(settled.version, head.version + 1);
        for effect in effects {
            match effect {
                JournalEffect::Append(entry, marker) | JournalEffect::Update(entry, marker) => {
                    self.entries.retain(|known| known.seq != entry.seq);
                    self.entries.push(entry);
                    self.mark(marker);
                }
                JournalEffect::Archive(archived, marker) => {
                    self.entries.retain(|known| known.seq != archived.entry.seq);
                    self.mark(marker);
                }
                JournalEffect::Keep(_) | JournalEffect::Conflict(_) => {}
                JournalEffect::Log(event) => self.logged.push(event),
                JournalEffect::Finish(seq, marker) => {
                    self.entries.retain(|known| known.seq != seq);
                    self.mark(marker);
                }
            }
        }
        self.head = Some(settled);
        Some(answer)
    }

    fn mark(&mut self, marker: Option<Marker>) {
        if let Some(marker) = marker {
            self.markers.retain(|known| known.id != marker.id);
            self.markers.push(marker);
        }
    }

    /// The attempt that makes all calls but those that wait for the answer.
    pub(in crate::lane) fn done(&self, entry: &Entry, in_call: bool) -> Attempt {
        let mut attempt = Attempt::default();
        for step in plan(entry, &self.map.config).unwrap() {
            if step.write_back && in_call {
                attempt.write_back_deferred = true;
                break;
            }
            let written = match &step.action {
                crate::lane::Action::Put(image) => Some(content(&self.map.config, step.to, image)),
                crate::lane::Action::CopyFrom(_) => None,
            };
            attempt.done.push((step.to, written, None));
        }
        attempt
    }

    /// The attempt whose call of `to` ended so.
    pub(in crate::lane) fn failed(&self, entry: &Entry, to: SideIx, class: ErrorClass, effect: CallEffect) -> Attempt {
        let failure = Failure::new(class, effect, None, "says the app");
        let tried = plan(entry, &self.map.config).unwrap().into_iter().find_map(|step| match step.action {
            crate::lane::Action::Put(image) if step.to == to => Some((to, content(&self.map.config, to, &image))),
            _ => None,
        });
        Attempt { failure: Some(StepFailure { to, at: self.now, failure }), tried, ..Attempt::default() }
    }

    /// Admits a write that goes direct, and ends it well.
    pub(in crate::lane) fn write(&mut self, arrival: Arrival) -> Answer {
        let Ok(Admission::Execute { entry, .. }) = self.admit(arrival) else { panic!("the lane is not idle") };
        let attempt = self.done(&entry, true);
        self.settle(&entry, &attempt).unwrap()
    }

    /// Works on the lane until nothing can be done.
    pub(in crate::lane) fn drain(&mut self) {
        while let Claim::Taken { entry, .. } = self.claim() {
            let attempt = self.done(&entry, false);
            self.settle(&entry, &attempt).unwrap();
        }
    }
}

pub(in crate::lane) fn key() -> RecordKey {
    "C-1".parse().unwrap()
}

pub(in crate::lane) fn image(side: SideIx, name: &str) -> Image {
    let record = match side {
        SideIx::First => json!({"Name": name, "OnHold": "No"}),
        SideIx::Second => json!({"name": name, "hold": false}),
    };
    Image::Present(record.as_object().unwrap().clone())
}
