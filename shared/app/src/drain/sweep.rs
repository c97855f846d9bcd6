//! The sweep: once a minute, it goes on with everything that is due in any map.

use domain::{Map, MapState, Timestamp, map::Intake};
use futures::{StreamExt, stream};

use super::{
    drained::Drained,
    map::drain_map,
    resend_pointers::{resend, resend_all},
};
use crate::{
    ports::{Config, Gauges, PortError, Ports, Queues, Sample, SyncMap},
    rotation::rotate_fairly,
};

/// Maps worked on at the same time: a slow app must not hold up the other maps.
const MAPS_AT_ONCE: usize = 8;

/// Goes on with every lane of every map that writes, and looks after the queues of paused maps. Each map has its share of
/// the time. A map with a long backlog schedules another run, so no map waits for the others.
///
/// # Errors
/// The configuration cannot be read. A failure in one map is logged and does not stop the others.
pub async fn sweep<P: Ports>(ports: &P, until: Timestamp) -> Result<Drained, PortError> {
    let mut maps = ports.config().maps().await?;
    let began = ports.now();
    // Calls may outlast their map's share, so each sweep begins with other maps: those at the end have their turn, too.
    rotate_fairly(&mut maps, began, MAPS_AT_ONCE);
    let share_ms = until.ms_since(began) / maps.len().div_ceil(MAPS_AT_ONCE).max(1) as u64;
    let runs = stream::iter(maps).map(|map| async move {
        let until = ports.now().plus_ms(share_ms).min(until);
        (Box::pin(sweep_map(ports, &map, until)).await, map)
    });
    let mut runs = std::pin::pin!(runs.buffer_unordered(MAPS_AT_ONCE));
    let mut all = Drained::default();
    while let Some((run, map)) = runs.next().await {
        match run {
            Ok(drained) => all = all.plus(drained),
            Err(error) => {
                tracing::error!(map.id = %map.id, %error, "could not sweep the lanes of a map; the next sweep tries again")
            }
        }
    }
    Ok(all)
}

async fn sweep_map<P: Ports>(ports: &P, map: &SyncMap, until: Timestamp) -> Result<Drained, PortError> {
    if map.state == MapState::Paused {
        match ports.queues().depth(&map.map).await {
            Ok(Some(depth)) => ports.lanes().note_depth(&map.map, Sample { at: ports.now(), depth }).await?,
            Ok(None) => restore_queue(ports, &map.map, until).await,
            Err(error) => {
                tracing::warn!(map.id = %map.id, %error, "could not read the depth of the queue; the figure stays as it was")
            }
        }
        resend(ports, &map.map, until).await?;
    }
    match map.state.intake() {
        Intake::Write => drain_map(ports, &map.id, until).await,
        Intake::Keep | Intake::Skip => Ok(Drained::default()),
    }
}

/// Creates the queue of a paused map again: it may have been removed, or have another prefix now. Entries that were kept
/// while it was missing are in the index of open lanes.
async fn restore_queue<P: Ports>(ports: &P, map: &Map, until: Timestamp) {
    let made = match ports.queues().create(map).await {
        Ok(()) => resend_all(ports, map, until).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(pointers) => tracing::warn!(map.id = %map.id, pointers, "created the map's queue again: it was missing"),
        Err(error) => {
            tracing::warn!(map.id = %map.id, %error, "could not restore the map's queue; the index has its lanes")
        }
    }
}
