//! Reads a record on both sides.

use domain::{
    Failure, RecordKey,
    lane::content,
    map::SideIx,
    mapping::{passes, translate},
    record::{Image, Record},
    sync::{Difference, find_differences},
};

use crate::{
    attempt::{mapping_failure, read_record},
    ports::{Ports, SyncMap},
};

/// What both sides have of a record.
pub(super) enum Both {
    /// The record, and what the other side has.
    Records(Record, Image),
    /// The side that it is copied from does not have it (any more).
    Gone,
    /// The filter of that side keeps it out.
    Filtered,
}

/// Reads what both sides have of a record.
pub(super) async fn read_both<P: Ports>(
    ports: &P,
    map: &SyncMap,
    key: &RecordKey,
    from: SideIx,
) -> Result<Both, (SideIx, Failure)> {
    let (here, there) = futures::join!(read_record(ports, map, key, from), read_record(ports, map, key, from.other()));
    let here = here.map_err(|failure| (from, failure))?;
    let there = there.map_err(|failure| (from.other(), failure))?;
    let passes = passes(&map.config.side(from).filter, &here);
    Ok(match here {
        Image::Present(record) if passes => Both::Records(record, there),
        Image::Present(_) => Both::Filtered,
        Image::Absent => Both::Gone,
    })
}

/// How the other side differs from what would be written there; `None`: it does not.
pub(super) fn difference(
    map: &SyncMap,
    from: SideIx,
    record: &Record,
    there: &Image,
) -> Result<Option<Difference>, Failure> {
    let (config, to) = (&map.config, from.other());
    let wanted = translate(config, from, &Image::Present(record.clone())).map_err(|error| mapping_failure(&error))?;
    if content(config, to, &wanted) == content(config, to, there) {
        return Ok(None);
    }
    let missing = *there == Image::Absent;
    Ok(Some(Difference { missing, fields: find_differences(config, to, &wanted, there) }))
}
