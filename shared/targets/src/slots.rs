//! A cache that fetches each value on demand and keeps it until it expires or is refused. It fetches a value only once,
//! however many callers wait for it.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::Failure;
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::limits::RENEWAL_PAUSE;

/// A value and its number in the slot. A caller whose value was refused passes the number. Of many callers that were
/// refused at the same time, only the first one fetches a new value.
#[derive(Clone, Debug)]
pub(crate) struct Kept<V> {
    pub(crate) value: V,
    pub(crate) number: u64,
}

#[derive(Debug)]
struct Slot<V> {
    kept: Kept<V>,
    until: Instant,
    /// The time of the last fetch after a refusal.
    renewed: Option<Instant>,
}

/// A slot. It may be empty, and is locked while its value is fetched.
type Shared<V> = Arc<AsyncMutex<Option<Slot<V>>>>;

/// The slots by key.
#[derive(Debug)]
pub(crate) struct Slots<K, V>(Mutex<BTreeMap<K, Shared<V>>>);

impl<K, V> Default for Slots<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone, V: Clone> Slots<K, V> {
    /// Returns the cached value, or fetches one. `refused` is the number of the refused value. The result has the same
    /// number if the value was renewed less than [`RENEWAL_PAUSE`] ago.
    pub(crate) async fn get(
        &self,
        key: &K,
        refused: Option<u64>,
        fetch: impl Future<Output = Result<(V, Duration), Failure>>,
    ) -> Result<Kept<V>, Failure> {
        let slot = self.slot(key);
        let mut slot = slot.lock().await; // waiting callers find the value that the first one has fetched
        let now = Instant::now();
        let last = slot.as_ref().map_or(0, |slot| slot.kept.number);
        let renews = refused == Some(last);
        if let Some(slot) = slot.as_ref()
            && now < slot.until
            && (!renews || slot.renewed.is_some_and(|at| now < at + RENEWAL_PAUSE))
        {
            return Ok(slot.kept.clone());
        }
        let (value, life) = fetch.await?;
        let kept = Kept { value, number: last + 1 };
        *slot = Some(Slot { kept: kept.clone(), until: Instant::now() + life, renewed: renews.then_some(now) });
        Ok(kept)
    }

    fn slot(&self, key: &K) -> Shared<V> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(key.clone()).or_insert_with(|| Arc::new(AsyncMutex::new(None))).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const LIFE: Duration = Duration::from_secs(300);

    struct Source(AtomicU64);

    impl Source {
        async fn fetch(&self) -> Result<(u64, Duration), Failure> {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok((self.0.fetch_add(1, Ordering::Relaxed), LIFE))
        }
    }

    async fn get(slots: &Slots<&str, u64>, source: &Source, refused: Option<u64>) -> (u64, u64) {
        let kept = slots.get(&"key", refused, source.fetch()).await.unwrap();
        (kept.value, kept.number)
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_fetched_once_however_many_ask_and_again_when_it_expired() {
        let (slots, source) = (Slots::default(), Source(AtomicU64::new(0)));
        let all = tokio::join!(get(&slots, &source, None), get(&slots, &source, None), get(&slots, &source, None));
        assert_eq!(all, ((0, 1), (0, 1), (0, 1)));
        tokio::time::advance(LIFE).await;
        assert_eq!(get(&slots, &source, None).await, (1, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_were_refused_at_once_renew_it_once_and_not_again_for_a_while() {
        let (slots, source) = (Slots::default(), Source(AtomicU64::new(0)));
        assert_eq!(get(&slots, &source, None).await, (0, 1));
        let both = tokio::join!(get(&slots, &source, Some(1)), get(&slots, &source, Some(1)));
        assert_eq!(both, ((1, 2), (1, 2)));
        assert_eq!(get(&slots, &source, Some(2)).await, (1, 2), "renewed a moment ago");
        tokio::time::advance(RENEWAL_PAUSE).await;
        assert_eq!(get(&slots, &source, Some(2)).await, (2, 3));
    }

    #[tokio::test]
    async fn a_failed_fetch_leaves_what_was_there() {
        let slots = Slots::<&str, u64>::default();
        let failure = Failure::new(domain::ErrorClass::Auth, domain::failure::CallEffect::NotApplied, None, "no");
        let failed = slots.get(&"key", None, async { Err(failure.clone()) }).await;
        assert_eq!(failed.unwrap_err(), failure);
        assert_eq!(slots.get(&"key", None, async { Ok((7, LIFE)) }).await.unwrap().number, 1);
    }
}
