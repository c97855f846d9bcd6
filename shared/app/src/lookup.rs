//! Looking up the status of a write by its id.

use domain::{
    MapId, RecordKey, WriteId,
    lane::{Answer, ArchiveCause, Echoes, Head, LaneVersion, Marker, MarkerState, Outcome},
};

use crate::{
    ports::{Config, LaneKey, Lanes, PortError, Ports},
    write::{WithSideNames, WriteError, answer_standing, canonical_key, side_names},
};

/// The status of a write.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteStatus {
    /// It is being executed.
    InFlight(LaneVersion),
    /// The answer that its caller would get now.
    Known(Answer),
    /// Tandem has no record of it: it never arrived, was refused before it was kept, or ended long ago.
    Unknown,
}

/// Looks a write up by its id. The record's key is needed for a write that was never queued: its answer is kept in the
/// record's lane alone, for as long as it is among the last of them.
///
/// # Errors
/// There is no such map, or the journal cannot be reached.
pub async fn find_write<P: Ports>(
    ports: &P,
    map: &MapId,
    key: Option<&RecordKey>,
    id: WriteId,
) -> Result<WithSideNames<WriteStatus>, WriteError> {
    let found = ports.config().map(map).await?.ok_or_else(|| WriteError::UnknownMap(map.clone()))?;
    let key = key.map(|key| canonical_key(&found.config, key)).transpose()?;
    Ok(WithSideNames { what: find_status(ports, map, key.as_ref(), id).await?, sides: side_names(&found) })
}

async fn find_status<P: Ports>(
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
    if let Some(status) = status_in_lane(&head, &echoes, id) {
        return Ok(status);
    }
    let Some(marker) = marker.as_ref().filter(|marker| marker.key == *key) else { return Ok(WriteStatus::Unknown) };
    Ok(match &marker.state {
        MarkerState::Final { outcome, .. } => {
            WriteStatus::Known(Answer::replay(outcome, head.version_of(marker.seq), Some(marker.entry)))
        }
        MarkerState::Open | MarkerState::WrittenBackLater => match lanes.entry(&lane, marker.seq).await? {
            Some(entry) => WriteStatus::Known(answer_standing(&head, &entry, marker)),
            None => status_without_entry(lanes, map, &head, marker).await?,
        },
    })
}

/// The status of a write whose entry is gone although its marker says that it waits: it is being finished, or it could not be
/// read, so that its end could not be noted under its id.
async fn status_without_entry<L: Lanes>(
    lanes: &L,
    map: &MapId,
    head: &Head,
    marker: &Marker,
) -> Result<WriteStatus, PortError> {
    let version = head.version_of(marker.seq);
    if head.done_seq < marker.seq || lanes.marker(map, marker.id).await?.as_ref() != Some(marker) {
        return Ok(WriteStatus::InFlight(version));
    }
    let outcome = Outcome::Archived { cause: ArchiveCause::Skipped };
    Ok(WriteStatus::Known(Answer::replay(&outcome, version, Some(marker.entry))))
}

fn status_in_lane(head: &Head, echoes: &Echoes, id: WriteId) -> Option<WriteStatus> {
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
