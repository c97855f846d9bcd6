//! What has become of a write.

use domain::{
    MapId, RecordKey, WriteId,
    lane::{Answer, Echoes, Head, LaneVersion, MarkerState},
};

use crate::{
    ports::{Config, LaneKey, Lanes, PortError, Ports},
    write::{Told, WriteError, side_names, standing},
};

/// What has become of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is being executed at this moment.
    InFlight(LaneVersion),
    /// This is what its caller would be told now.
    Known(Answer),
    /// Nothing is known of it: it never came, was refused before it was kept, or is long over.
    Unknown,
}

/// Looks a write up by its id. The record's key is needed for a write that was never queued: its answer is kept in the
/// record's lane alone, for as long as it is among the last of them.
///
/// # Errors
/// There is no such map, or the journal cannot be reached.
pub async fn fate<P: Ports>(
    ports: &P,
    map: &MapId,
    key: Option<&RecordKey>,
    id: WriteId,
) -> Result<Told<Fate>, WriteError> {
    let found = ports.config().map(map).await?.ok_or_else(|| WriteError::UnknownMap(map.clone()))?;
    Ok(Told { what: find(ports, map, key, id).await?, sides: side_names(&found) })
}

async fn find<P: Ports>(ports: &P, map: &MapId, key: Option<&RecordKey>, id: WriteId) -> Result<Fate, PortError> {
    let lanes = ports.lanes();
    let marker = lanes.marker(map, id).await?;
    let Some(key) = key.or(marker.as_ref().map(|marker| &marker.key)) else { return Ok(Fate::Unknown) };
    let lane = LaneKey { map: map.clone(), key: key.clone() };
    let Some((head, echoes)) = lanes.head(&lane).await? else { return Ok(Fate::Unknown) };
    if let Some(fate) = in_lane(&head, &echoes, id) {
        return Ok(fate);
    }
    let Some(marker) = marker.as_ref().filter(|marker| marker.key == *key) else { return Ok(Fate::Unknown) };
    Ok(match &marker.state {
        MarkerState::Final { outcome, .. } => {
            Fate::Known(Answer::replay(outcome, head.version_of(marker.seq), Some(marker.entry)))
        }
        MarkerState::Open | MarkerState::WrittenBackLater => match lanes.entry(&lane, marker.seq).await? {
            Some(entry) => Fate::Known(standing(&head, &entry, marker)),
            None => Fate::InFlight(head.version_of(marker.seq)), // it is coming to its end at this moment
        },
    })
}

fn in_lane(head: &Head, echoes: &Echoes, id: WriteId) -> Option<Fate> {
    if let Some(inflight) = &head.inflight
        && inflight.direct_id().is_some_and(|direct| direct.value() == id.value())
    {
        return Some(Fate::InFlight(head.version_of(inflight.seq)));
    }
    if let Some(known) = head.recent.get(id) {
        return Some(Fate::Known(Answer::replay(&known.outcome, head.version_of(known.seq), None)));
    }
    echoes.get(id).map(|echo| Fate::Known(Answer::Skipped(echo.reason())))
}
