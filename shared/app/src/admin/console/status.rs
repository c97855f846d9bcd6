//! How a map is doing.

use domain::{Map, Timestamp, rule::Incident};
use futures::join;

use crate::{
    admin::{
        AdminPorts, backlog,
        logs::{ErrorFilter, Errors},
        view,
    },
    error::AppError,
    ports::{Lanes, OpenRange},
};

/// Errors, and catch-up errors, that are counted of one map at most.
const COUNT_UP_TO: usize = 100;
/// How far back errors are counted, in milliseconds.
const ERRORS_OF_MS: u64 = 60 * 60 * 1_000;

/// A number that was counted up to a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many were found.
    pub count: u64,
    /// There may be more.
    pub more: bool,
}

/// How a map is doing.
pub struct MapStatus {
    /// The map.
    pub map: view::Map,
    /// Its backlog, if it is paused or catches up and the backlog could be read.
    pub backlog: Option<view::BacklogView>,
    /// Its catch-up errors: changes that wait for a person. `None`: they could not be read.
    pub for_you: Option<Counted>,
    /// Errors of the last hour. `None`: the log could not be read.
    pub errors: Option<Counted>,
    /// Its incident that is not over.
    pub incident: Option<view::Incident>,
}

impl MapStatus {
    /// The names of its sides, in map order.
    #[must_use]
    pub fn sides(&self) -> [String; 2] {
        self.map.config.sides.each_ref().map(|end| end.side.to_string())
    }
}

/// Reads how a map is doing. What cannot be read is left out: it must not hide the rest.
pub(super) async fn read_status<P: AdminPorts>(ports: &P, map: Map, incidents: &[Incident]) -> MapStatus {
    let incident = incidents.iter().rfind(|incident| incident.map == map.id && incident.recovered.is_none());
    let backlog = async { if map.state.queues() { Some(backlog::measure(ports, &map).await) } else { None } };
    let (backlog, for_you, errors) = join!(backlog, count_parked(ports, &map), count_errors(ports, &map));
    MapStatus {
        backlog: backlog.and_then(left_out).map(view::BacklogView::from),
        for_you: left_out(for_you),
        errors: left_out(errors),
        incident: incident.cloned().map(view::Incident::from),
        map: map.into(),
    }
}

async fn count_parked<P: AdminPorts>(ports: &P, map: &Map) -> Result<Counted, AppError> {
    let parked = ports.lanes().open(map, OpenRange::parked(), COUNT_UP_TO).await?;
    Ok(counted(parked.len(), parked.len() >= COUNT_UP_TO))
}

async fn count_errors<P: AdminPorts>(ports: &P, map: &Map) -> Result<Counted, AppError> {
    let from = Timestamp(ports.now().0.saturating_sub(ERRORS_OF_MS));
    let filter = ErrorFilter { maps: vec![map.id.clone()], from, ..ErrorFilter::default() };
    let page = Errors::open(ports, filter, None).await?.page(ports, COUNT_UP_TO, COUNT_UP_TO).await?;
    Ok(counted(page.lines.len(), page.next.is_some()))
}

fn counted(count: usize, more: bool) -> Counted {
    Counted { count: count as u64, more }
}

fn left_out<T>(read: Result<T, AppError>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "could not read a part of a map's status; it is left out")).ok()
}
