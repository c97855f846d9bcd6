//! The sweep: once a minute, everything of every map that has something to do.

use domain::{MapState, Timestamp, map::Intake};
use futures::{StreamExt, stream};

use super::{
    map::{Drained, drain_map},
    resend::resend,
};
use crate::ports::{Config, Gauges, MapWithSides, PortError, Ports, Queues, Sample};

/// Maps worked on at the same time: one whose app is slow must not hold up the others.
const MAPS_AT_ONCE: usize = 8;

/// Goes on with every lane of every map that writes, and looks after the queues of those that are paused.
///
/// # Errors
/// The configuration cannot be read. What goes wrong in one map is logged and does not stop the others.
pub async fn sweep<P: Ports>(ports: &P, until: Timestamp) -> Result<Drained, PortError> {
    let maps = ports.config().maps().await?;
    let runs = stream::iter(maps).map(|map| async move { (Box::pin(sweep_map(ports, &map, until)).await, map) });
    let mut runs = std::pin::pin!(runs.buffer_unordered(MAPS_AT_ONCE));
    let mut all = Drained::default();
    while let Some((run, map)) = runs.next().await {
        match run {
            Ok(drained) => all = all.plus(drained),
            Err(error) => tracing::error!(map.id = %map.map.id, %error, "the lanes of a map could not be swept"),
        }
    }
    Ok(all)
}

async fn sweep_map<P: Ports>(ports: &P, map: &MapWithSides, until: Timestamp) -> Result<Drained, PortError> {
    if map.map.state == MapState::Paused {
        let depth = ports.queues().depth(&map.map).await?;
        ports.lanes().note_depth(&map.map, Sample { at: ports.now(), depth }).await?;
        resend(ports, &map.map, until).await?;
    }
    match map.map.state.intake() {
        Intake::Write => drain_map(ports, &map.map.id, until).await,
        Intake::Keep | Intake::Skip => Ok(Drained::default()),
    }
}
