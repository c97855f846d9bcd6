//! What has become of a write.

use domain::{
    MapId, RecordKey, WriteId,
    lane::{Answer, Echoes, Head, LaneVersion, MarkerState},
};

use crate::{
    ports::{Config, LaneKey, Lanes, PortError, Ports},
    write::{WithSideNames, WriteError, side_names, standing},
};

/// What has become of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteStatus {
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
) -> Result<WithSideNames<WriteStatus>, WriteError> {
    let found = ports.config().map(map).await?.ok_or_else(|| WriteError::UnknownMap(map.clone()))?;
    Ok(WithSideNames { what: find(ports, map, key, id).await?, sides: side_names(&found) })
}

async fn find<P: Ports>(
    ports: &P,
    map: &MapId,
    key: Option<&RecordKey>,
    id: WriteId,
) -> Result<WriteStatus, PortError> {
    let lanes = ports.lanes();
    let marker = lanes.marker(map, id).await?;
    let Some(key) = key.or(marker.as_ref().map(|marker| &marker.key)) else { return Ok(WriteStatus::Unknown) };
    let lane = LaneKey { map: map.clone(), key: key.clone() };
    let Some((head, echoes)) = lanes.head(&lane).await? else { return Ok(WriteStatus::Unknown) };
    if let Some(fate) = in_lane(&head, &echoes, id) {
        return Ok(fate);
    }
    let Some(marker) = marker.as_ref().filter(|marker| marker.key == *key) else { return Ok(WriteStatus::Unknown) };
    Ok(match &marker.state {
        MarkerState::Final { outcome, .. } => {
            WriteStatus::Known(Answer::replay(outcome, head.version_of(marker.seq), Some(marker.entry)))
        }
        MarkerState::Open | MarkerState::WrittenBackLater => match lanes.entry(&lane, marker.seq).await? {
            Some(entry) => WriteStatus::Known(standing(&head, &entry, marker)),
            None => WriteStatus::InFlight(head.version_of(marker.seq)), // it is coming to its end at this moment
        },
    })
}

fn in_lane(head: &Head, echoes: &Echoes, id: WriteId) -> Option<WriteStatus> {
    if let Some(inflight) = &head.inflight
        && inflight.direct_id().is_some_and(|direct| direct.value() == id.value())
    {
        return Some(WriteStatus::InFlight(head.version_of(inflight.seq)));
    }
    if let Some(known) = head.recent.get(id) {
        return Some(WriteStatus::Known(Answer::replay(&known.outcome, head.version_of(known.seq), None)));
    }
    echoes.get(id).map(|echo| WriteStatus::Known(Answer::Skipped(echo.reason())))
}
