//! Sending pointers again: a pause has no time limit, but SQS forgets a message after 14 days.

use domain::{Map, Timestamp};

use crate::ports::{Gauges, LaneKey, Lanes, OpenRange, Pointer, PortError, Ports, Queues, Resent};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// A pointer is sent again at this age, a day before SQS forgets it.
const RESEND_AFTER_MS: u64 = 13 * DAY_MS;
/// How often the sweep looks for old pointers.
const LOOK_EVERY_MS: u64 = 60 * 60 * 1_000;
/// Lanes, and entries of one lane, that are read at a time.
const PAGE: usize = 100;

/// Whether an entry's pointer came of age between two looks. A pointer comes of age every 13 days.
fn of_age(accepted: Timestamp, last: Timestamp, now: Timestamp) -> bool {
    now.ms_since(accepted) / RESEND_AFTER_MS > last.ms_since(accepted) / RESEND_AFTER_MS
}

/// Sends the pointers again that SQS is about to forget. While a pause is younger than that, it costs one read of the
/// index. The next sweep goes on with a round that did not finish in its time.
pub(super) async fn resend<P: Ports>(ports: &P, map: &Map, until: Timestamp) -> Result<u64, PortError> {
    let mut range = OpenRange { until: ports.now().minus_ms(RESEND_AFTER_MS), ..OpenRange::unparked() };
    if ports.lanes().open(map, range.clone(), 1).await?.is_empty() {
        return Ok(0);
    }
    let Resent { at: last, round } = ports.lanes().resent(map).await?;
    let now = round.as_ref().map_or(ports.now(), |(began, _)| *began);
    if round.is_none() && now.ms_since(last) < LOOK_EVERY_MS {
        return Ok(0);
    }
    range.until = now.minus_ms(RESEND_AFTER_MS);
    range.after = round.map(|(_, done)| done);
    let mut sent = 0;
    loop {
        let lanes = ports.lanes().open(map, range.clone(), PAGE).await?;
        let full = lanes.len() == PAGE;
        for open in lanes {
            let more = match ports.now() >= until {
                true => None,
                false => Some(resend_lane(ports, map, &open.lane, |accepted| of_age(accepted, last, now)).await),
            };
            let Some(Ok(more)) = more else {
                let round = range.after.map(|done| (now, done));
                ports.lanes().note_resent(map, &Resent { at: last, round }).await?;
                return more.unwrap_or(Ok(0)).map(|_| sent);
            };
            sent += more;
            range.after = Some(open);
        }
        if !full {
            break;
        }
    }
    ports.lanes().note_resent(map, &Resent { at: now, round: None }).await?;
    tracing::info!(map.id = %map.id, pointers = sent, "sent pointers again before the queue forgets them");
    Ok(sent)
}

/// Sends a pointer to every waiting entry to a queue that was created again, whose depth then says how much waits. Lanes
/// for which there is no time are in the index of open lanes all the same.
pub(super) async fn resend_all<P: Ports>(ports: &P, map: &Map, until: Timestamp) -> Result<u64, PortError> {
    let (mut range, mut sent) = (OpenRange::unparked(), 0);
    loop {
        let lanes = ports.lanes().open(map, range.clone(), PAGE).await?;
        let full = lanes.len() == PAGE;
        for open in lanes {
            if ports.now() >= until {
                return Ok(sent);
            }
            sent += resend_lane(ports, map, &open.lane, |_| true).await?;
            range.after = Some(open);
        }
        if !full {
            return Ok(sent);
        }
    }
}

/// Sends pointers again to the entries of one lane that are of age.
async fn resend_lane<P: Ports>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    of_age: impl Fn(Timestamp) -> bool,
) -> Result<u64, PortError> {
    let Some((head, _)) = ports.lanes().head(lane).await? else { return Ok(0) };
    let (mut from, mut sent) = (head.done_seq + 1, 0);
    loop {
        let entries = ports.lanes().entries(lane, from, PAGE).await?;
        let aged = entries.iter().filter(|entry| of_age(entry.accepted_at));
        let pointers: Vec<_> =
            aged.map(|entry| Pointer { key: lane.key.clone(), seq: entry.seq, entry: entry.id }).collect();
        ports.queues().send(map, &pointers).await?;
        sent += pointers.len() as u64;
        match entries.last() {
            Some(entry) if entries.len() == PAGE => from = entry.seq + 1,
            _ => return Ok(sent),
        }
    }
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
