//! What is stored is read back as it was.

use app::ports::{Commit, JournalOp, LaneKey, Lanes};
use domain::{
    lane::{Entry, Head, Marker, MarkerState, Outcome},
    limits::MAX_KEY_BYTES,
    record::Image,
};
use serde_json::{Value, json};

use super::values::{AT, deletion, entry, full_entry, full_head, head, lane, marker, refused, restore};
use crate::Rng;

/// Bytes of the large record: with its bookkeeping an item of DynamoDB ends at 400 KB.
const LARGE_BYTES: usize = 200 * 1024;
/// Numbers tried.
const NUMBERS: u64 = 500;

/// Keys that a careless adapter would mix up.
fn keys() -> Vec<String> {
    let long = |text: &str| text.repeat(MAX_KEY_BYTES / text.len());
    let plain = ["C-1", "#", "C#1", "C#1#H", "a/b", "'", "\"", "''", " ", "%2F", "\\", "Ünï 北京 🙂", "e\u{301}", "é"];
    plain.iter().map(|key| (*key).to_owned()).chain([long("x"), long("🙂"), long("#/")]).collect()
}

/// Every field of heads, entries and markers comes back, under every key.
///
/// # Panics
/// The journal breaks the contract.
pub async fn everything_is_read_back_as_it_was_stored<L: Lanes>(lanes: &L) {
    for (n, key) in (1..).zip(keys()) {
        let lane = lane("customers", &key);
        let entries = [full_entry(n, 10 * n), deletion(n + 1, 10 * n + 1), restore(n + 2)];
        let states =
            [MarkerState::WrittenBackLater, MarkerState::Final { outcome: refused(), at: AT }, MarkerState::Open];
        let marked: Vec<_> =
            entries.iter().zip(states).map(|(entry, state)| (entry.clone(), entry.marker(&lane.key, state))).collect();
        store(lanes, &lane, full_head(1, full_entry(n, 10 * n + 2)), &marked).await;
    }
    for (n, key) in (1..).zip(keys()) {
        let lane = lane("customers", &key);
        let stored = lanes.head(&lane).await.map(|found| found.map(|(head, _)| head));
        assert_eq!(stored, Ok(Some(full_head(1, full_entry(n, 10 * n + 2)))), "{key}");
        for entry in [full_entry(n, 10 * n), deletion(n + 1, 10 * n + 1), restore(n + 2)] {
            assert_eq!(lanes.entry(&lane, entry.seq).await, Ok(Some(entry)), "{key}");
        }
        let refusal = marker(&lane, &deletion(n + 1, 10 * n + 1), MarkerState::Final { outcome: refused(), at: AT });
        assert_eq!(lanes.marker(&lane.map, refusal.id).await, Ok(Some(refusal)), "{key}");
    }
}

/// A record of the size that a write may have is kept, in the journal and in flight.
///
/// # Panics
/// The journal breaks the contract.
pub async fn large_records_are_kept<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let large = entry(1, 1, json!({ "text": noise(LARGE_BYTES) }));
    let in_flight = full_head(1, entry(1, 2, json!({ "text": noise(LARGE_BYTES) })));
    store(lanes, &lane, in_flight.clone(), &[(large.clone(), None)]).await;
    assert_eq!(lanes.entry(&lane, 1).await, Ok(Some(large)));
    assert_eq!(lanes.head(&lane).await.map(|found| found.map(|(head, _)| head)), Ok(Some(in_flight)));
}

/// Amounts go through untouched: the last digit of a balance is not Tandem's to change.
///
/// # Panics
/// The journal breaks the contract.
pub async fn numbers_are_kept_to_the_last_digit<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let mut rng = Rng::new(11);
    let mut numbers: Vec<f64> = (0..NUMBERS).map(|_| f64::from_bits(rng.bits())).filter(|n| n.is_finite()).collect();
    numbers.extend([0.1, 1e-7, 31.245_270_191_439_438, f64::MAX, f64::MIN_POSITIVE, 9_007_199_254_740_993.0]);
    let stored = entry(1, 1, json!({ "numbers": numbers }));
    store(lanes, &lane, head(1), &[(stored.clone(), None)]).await;
    let read = lanes.entry(&lane, 1).await.ok().flatten().expect("the entry is there");
    let (before, after) = (floats(&stored), floats(&read));
    let changed: Vec<_> = before.iter().zip(&after).filter(|(was, is)| was.to_bits() != is.to_bits()).collect();
    assert!(before.len() == after.len() && changed.is_empty(), "{} changed: {changed:?}", changed.len());
    assert_eq!(head(1), lanes.head(&lane).await.ok().flatten().map(|(head, _)| head).expect("the head is there"));
    let written = MarkerState::Final { outcome: Outcome::Written { crossing: None }, at: AT };
    assert!(stored.marker(&lane.key, written).is_some(), "it is a caller's write");
}

async fn store<L: Lanes>(lanes: &L, lane: &LaneKey, head: Head, entries: &[(Entry, Option<Marker>)]) {
    let ops = entries.iter().map(|(entry, marker)| JournalOp::Append(entry.clone(), marker.clone())).collect();
    assert_eq!(lanes.commit(lane, Commit { head, expected: 0, ops }).await, Ok(()), "{}", lane.key);
}

fn floats(entry: &Entry) -> Vec<f64> {
    let Some(Image::Present(record)) = entry.write().map(|write| &write.image) else { return Vec::new() };
    record["numbers"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

/// Text that does not get smaller when it is packed.
fn noise(bytes: usize) -> String {
    let mut rng = Rng::new(5);
    (0..bytes).map(|_| char::from(b' ' + u8::try_from(rng.below(95)).unwrap_or(0))).collect()
}
