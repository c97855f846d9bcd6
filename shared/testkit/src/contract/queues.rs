//! What every paused-write queue must do.

use app::ports::{Pointer, PortError, Queues, Received};
use domain::{EntryId, Map, id::MapUid};

use super::values::AT;
use crate::sample;

fn pointer(key: &str, seq: u64) -> Pointer {
    let key = key.parse().expect("a good key");
    Pointer { key, seq, entry: EntryId((u128::from(AT.0) << 80) | u128::from(seq)) }
}

fn named(received: &[Received]) -> Vec<(String, u64)> {
    received.iter().map(|one| (one.pointer.key.to_string(), one.pointer.seq)).collect()
}

fn of(key: &str, seqs: &[u64]) -> Vec<(String, u64)> {
    seqs.iter().map(|seq| (key.to_owned(), *seq)).collect()
}

async fn delete<Q: Queues>(queues: &Q, map: &Map, received: &[Received]) {
    let receipts: Vec<_> = received.iter().map(|one| one.receipt.clone()).collect();
    assert_eq!(queues.delete(map, &receipts).await, Ok(()));
}

/// Pointers to one record come in order, and wait while one of them is being worked on; those of others do not.
///
/// # Panics
/// The queues break the contract.
pub async fn pointers_of_a_record_come_in_order_one_batch_after_the_other<Q: Queues>(queues: &Q, uid: u128) {
    let map = map(uid);
    assert_eq!(queues.create(&map).await, Ok(()));
    assert_eq!(queues.create(&map).await, Ok(()), "making it again changes nothing");
    let nasty = "北京 #/'\"";
    let all: Vec<_> = (1..=12).map(|seq| pointer(nasty, seq)).collect();
    assert_eq!(queues.send(&map, &all).await, Ok(()), "more than one request takes");
    assert_eq!(queues.send(&map, &all[..1]).await, Ok(()), "the second pointer to an entry is dropped");
    assert_eq!(queues.depth(&map).await, Ok(Some(12)));
    let first = queues.receive(&map).await.expect("it can be read");
    assert_eq!(named(&first), of(nasty, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    assert_eq!(queues.receive(&map).await, Ok(Vec::new()), "the rest waits behind them");
    assert_eq!(queues.send(&map, &[pointer("other", 50)]).await, Ok(()));
    let other = queues.receive(&map).await.expect("it can be read");
    assert_eq!(named(&other), of("other", &[50]));
    assert_eq!(queues.depth(&map).await, Ok(Some(13)), "what is being worked on counts");
    delete(queues, &map, &first).await;
    let rest = queues.receive(&map).await.expect("it can be read");
    assert_eq!(named(&rest), of(nasty, &[11, 12]));
    delete(queues, &map, &rest).await;
    delete(queues, &map, &other).await;
    assert_eq!(queues.depth(&map).await, Ok(Some(0)));
}

/// A map has its own queue, for as long as it is there.
///
/// # Panics
/// The queues break the contract.
pub async fn a_queue_is_made_and_removed_with_its_map<Q: Queues>(queues: &Q, uid: u128) {
    let (one, other) = (map(uid), map(uid + 1));
    assert_eq!((queues.receive(&one).await, queues.depth(&one).await), (Ok(Vec::new()), Ok(None)), "there is none yet");
    let lost = queues.send(&one, &[pointer("C-1", 1)]).await;
    assert!(matches!(lost, Err(PortError::Permanent(_))), "whoever sends is told: {lost:?}");
    assert_eq!((queues.create(&one).await, queues.create(&other).await), (Ok(()), Ok(())));
    assert_eq!(queues.send(&one, &[pointer("C-1", 1)]).await, Ok(()));
    assert_eq!((queues.depth(&one).await, queues.depth(&other).await), (Ok(Some(1)), Ok(Some(0))));
    assert_eq!((queues.remove(&one).await, queues.remove(&one).await), (Ok(()), Ok(())));
    assert_eq!(queues.receive(&one).await, Ok(Vec::new()));
    assert_eq!(queues.depth(&one).await, Ok(None), "how much waits is not known");
}

fn map(uid: u128) -> Map {
    Map::new("customers".parse().expect("a good name"), MapUid(uid), sample::customers(), "test", AT)
}
