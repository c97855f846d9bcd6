//! A pause has no time limit, but SQS forgets a message after 14 days: pointers are sent again before that.

use domain::{Map, Timestamp};

use crate::ports::{Gauges, Lanes, OpenRange, Pointer, PortError, Ports, Queues};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// A pointer is sent again at this age, a day before SQS forgets it.
const RESEND_AFTER_MS: u64 = 13 * DAY_MS;
/// How often it is looked for pointers that grew old.
const LOOK_EVERY_MS: u64 = 60 * 60 * 1_000;
/// Lanes, and entries of one lane, that are looked at at a time.
const PAGE: usize = 100;

/// Whether an entry's pointer came of age between two looks. It does so every 13 days.
fn of_age(accepted: Timestamp, last: Timestamp, now: Timestamp) -> bool {
    now.ms_since(accepted) / RESEND_AFTER_MS > last.ms_since(accepted) / RESEND_AFTER_MS
}

/// Sends pointers again that SQS is about to forget. Costs one look into the index while a pause is younger than that.
pub(super) async fn resend<P: Ports>(ports: &P, map: &Map, until: Timestamp) -> Result<u64, PortError> {
    let now = ports.now();
    let old = OpenRange { from: Timestamp(0), until: now.minus_ms(RESEND_AFTER_MS), after: None };
    let mut lanes = ports.lanes().open(map, old.clone(), PAGE).await?;
    if lanes.is_empty() {
        return Ok(0);
    }
    let last = ports.lanes().resent(map).await?;
    if now.ms_since(last) < LOOK_EVERY_MS {
        return Ok(0);
    }
    let mut sent = 0;
    while !lanes.is_empty() {
        for open in &lanes {
            if ports.now() >= until {
                return Ok(sent); // not noted: the next sweep begins again
            }
            let Some((head, _)) = ports.lanes().head(&open.lane).await? else { continue };
            let mut from = head.done_seq + 1;
            loop {
                let entries = ports.lanes().entries(&open.lane, from, PAGE).await?;
                let aged = entries.iter().filter(|entry| of_age(entry.accepted_at, last, now));
                let pointers: Vec<_> =
                    aged.map(|entry| Pointer { key: open.lane.key.clone(), seq: entry.seq, entry: entry.id }).collect();
                ports.queues().send(map, &pointers).await?;
                sent += pointers.len() as u64;
                match entries.last() {
                    Some(entry) if entries.len() == PAGE => from = entry.seq + 1,
                    _ => break,
                }
            }
        }
        let range = OpenRange { after: lanes.pop(), ..old.clone() };
        lanes = ports.lanes().open(map, range, PAGE).await?;
    }
    ports.lanes().note_resent(map, now).await?;
    tracing::info!(map.id = %map.id, pointers = sent, "pointers were sent again before the queue forgets them");
    Ok(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_comes_of_age_once_in_thirteen_days() {
        let day = |n: u64| Timestamp(1_000 * DAY_MS + n * DAY_MS);
        assert!(!of_age(day(0), Timestamp(0), day(12)));
        assert!(of_age(day(0), Timestamp(0), day(13)));
        assert!(!of_age(day(0), day(13), day(14)));
        assert!(of_age(day(0), day(13), day(26)) && of_age(day(0), day(25), day(27)));
    }
}
