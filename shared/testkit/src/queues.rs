//! The paused-write queues in memory, with what a real one does to messages: loses, doubles, delays and forgets them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::ports::{Pointer, PortError, Queues, Received};
use domain::{EntryId, Map, RecordKey, Timestamp, id::MapUid};

use crate::{
    bug::Bug,
    executor::{Executor, lock},
};

/// How long received messages, and all others of their group, are hidden.
const VISIBILITY_MS: u64 = 60_000;
/// How long a second message with the same deduplication id is dropped.
const DEDUP_MS: u64 = 5 * 60_000;
/// How long a message is kept.
const RETENTION_MS: u64 = 14 * 24 * 60 * 60_000;
/// Messages of one answer.
const BATCH: usize = 10;

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueFaults {
    /// The call fails without effect.
    pub transient: u64,
    /// Nothing can be received.
    pub unreadable: u64,
    /// A message is accepted and lost.
    pub lost: u64,
    /// A message is received once more later on, though it was deleted.
    pub doubled: u64,
}

#[derive(Clone, Debug)]
struct Message {
    pointer: Pointer,
    sent: Timestamp,
    receipt: Option<(String, Timestamp)>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    /// When a pointer to an entry was last taken.
    taken: BTreeMap<EntryId, Timestamp>,
    receipts: u64,
}

/// The paused-write queues in memory.
pub struct MemoryQueues {
    world: Arc<Executor>,
    queues: Mutex<BTreeMap<MapUid, Queue>>,
    faults: Mutex<QueueFaults>,
    latency_ms: AtomicU64,
    sent: AtomicU64,
}

impl MemoryQueues {
    /// No queue yet.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self {
            world,
            queues: Mutex::default(),
            faults: Mutex::default(),
            latency_ms: AtomicU64::new(0),
            sent: AtomicU64::new(0),
        }
    }

    /// Makes a map's queue, as it was made with the map.
    pub fn make(&self, map: MapUid) {
        lock(&self.queues).entry(map).or_default();
    }

    /// From now on these faults.
    pub fn set_faults(&self, faults: QueueFaults) {
        *lock(&self.faults) = faults;
    }

    /// From now on it takes so long to send.
    pub fn set_latency_ms(&self, ms: u64) {
        self.latency_ms.store(ms, Ordering::SeqCst);
    }

    /// How many messages were taken in all.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// How many messages are in a map's queue.
    #[must_use]
    pub fn messages(&self, map: MapUid) -> usize {
        lock(&self.queues).get(&map).map_or(0, |queue| queue.messages.len())
    }

    fn happens(&self, which: impl Fn(&QueueFaults) -> u64) -> bool {
        let per_mille = which(&lock(&self.faults));
        per_mille > 0 && self.world.chance(|rng| rng.happens(per_mille))
    }

    async fn call<T>(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut BTreeMap<MapUid, Queue>) -> T,
    ) -> Result<T, PortError> {
        self.world.turn_at(method).await;
        if self.happens(|faults| faults.transient) {
            return Err(PortError::Transient("simulated: the queue did not answer".to_owned()));
        }
        let done = effect(&mut lock(&self.queues));
        self.world.turn_at(method).await;
        Ok(done)
    }
}

impl Queues for MemoryQueues {
    async fn create(&self, map: &Map) -> Result<(), PortError> {
        self.call("Queues.create", |queues| {
            queues.entry(map.uid).or_default();
        })
        .await
    }

    async fn remove(&self, map: &Map) -> Result<(), PortError> {
        self.call("Queues.remove", |queues| drop(queues.remove(&map.uid))).await
    }

    async fn send(&self, map: &Map, pointers: &[Pointer]) -> Result<(), PortError> {
        let latency_ms = self.latency_ms.load(Ordering::SeqCst);
        if latency_ms > 0 {
            self.world.sleep(latency_ms).await;
        }
        let now = self.world.now();
        self.sent.fetch_add(pointers.len() as u64, Ordering::SeqCst);
        let kept: Vec<_> = pointers.iter().filter(|_| !self.happens(|faults| faults.lost)).cloned().collect();
        self.call("Queues.send", |queues| {
            let Some(queue) = queues.get_mut(&map.uid) else {
                return Err(PortError::Permanent(format!("map {} has no queue", map.id)));
            };
            for pointer in kept {
                let last = queue.taken.get(&pointer.entry);
                if last.is_none_or(|last| now.ms_since(*last) >= DEDUP_MS) {
                    queue.taken.insert(pointer.entry, now);
                    queue.messages.push(Message { pointer, sent: now, receipt: None });
                }
            }
            Ok(())
        })
        .await?
    }

    async fn receive(&self, map: &Map) -> Result<Vec<Received>, PortError> {
        let now = self.world.now();
        if self.happens(|faults| faults.unreadable) {
            return Err(PortError::Permanent("simulated: not allowed".to_owned()));
        }
        let received = self
            .call("Queues.receive", |queues| queues.get_mut(&map.uid).map_or_else(Vec::new, |queue| queue.receive(now)))
            .await?;
        Ok(if self.world.has(Bug::NothingIsFound) { Vec::new() } else { received })
    }

    async fn delete(&self, map: &Map, receipts: &[String]) -> Result<(), PortError> {
        let doubled = self.happens(|faults| faults.doubled) || self.world.has(Bug::PointersStay);
        self.call("Queues.delete", |queues| {
            let Some(queue) = queues.get_mut(&map.uid) else { return };
            let named =
                |message: &Message| message.receipt.as_ref().is_some_and(|(receipt, _)| receipts.contains(receipt));
            if !doubled {
                queue.messages.retain(|message| !named(message));
            }
        })
        .await
    }

    async fn depth(&self, map: &Map) -> Result<Option<u64>, PortError> {
        let now = self.world.now();
        self.call("Queues.depth", |queues| {
            queues.get_mut(&map.uid).map(|queue| {
                queue.forget(now);
                queue.messages.len() as u64
            })
        })
        .await
    }
}

impl Queue {
    fn forget(&mut self, now: Timestamp) {
        self.messages.retain(|message| now.ms_since(message.sent) < RETENTION_MS);
    }

    fn receive(&mut self, now: Timestamp) -> Vec<Received> {
        self.forget(now);
        let hidden = |message: &Message| message.receipt.as_ref().is_some_and(|(_, until)| *until > now);
        let blocked: BTreeSet<RecordKey> =
            self.messages.iter().filter(|message| hidden(message)).map(|message| message.pointer.key.clone()).collect();
        let mut received = Vec::new();
        for message in self.messages.iter_mut().filter(|message| !blocked.contains(&message.pointer.key)).take(BATCH) {
            self.receipts += 1;
            let receipt = self.receipts.to_string();
            message.receipt = Some((receipt.clone(), now.plus_ms(VISIBILITY_MS)));
            received.push(Received { pointer: message.pointer.clone(), receipt });
        }
        received
    }
}
