//! Reads a record on both sides.

use domain::{
    Failure, RecordKey,
    map::SideIx,
    mapping::{FieldWinners, passes, translate},
    record::{ContentHash, Image, Record},
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

/// What the other side has of a record, as the winners see it.
pub(super) enum Compared {
    /// All that it is to have.
    Same,
    /// All that this side wins; it wins fields itself in which the two differ.
    Loses,
    /// Something else.
    Differs(Difference),
}

/// Compares what would be written to the other side with what is there.
pub(super) fn compare(
    map: &SyncMap,
    winners: &FieldWinners,
    from: SideIx,
    record: &Record,
    there: &Image,
) -> Result<Compared, Failure> {
    let config = &map.config;
    let Image::Present(there) = there else {
        let found = translate(config, from, &Image::Present(record.clone()));
        found.map_err(|error| mapping_failure(&error))?;
        return Ok(Compared::Differs(Difference { missing: true, fields: Vec::new() }));
    };
    let same = |(wanted, there): &(Record, Record)| {
        ContentHash::of(&Image::Present(wanted.clone())) == ContentHash::of(&Image::Present(there.clone()))
    };
    let compared = winners.compare(config, from, record, there).map_err(|error| mapping_failure(&error))?;
    if !same(&compared) {
        let fields = find_differences(config, from.other(), &compared.0, &compared.1);
        return Ok(Compared::Differs(Difference { missing: false, fields }));
    }
    // What cannot be mapped is no value of this side.
    let back = winners.compare(config, from.other(), there, record);
    Ok(if back.is_ok_and(|back| same(&back)) { Compared::Same } else { Compared::Loses })
}
