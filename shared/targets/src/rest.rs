//! JSON REST: a record is at `{base}{entity}/{key}`.

use app::ports::RecordAddress;
use domain::{Failure, Record, map::KeyPart};

use crate::plan::unwritable;

/// The record with its key: what makes a record, or replaces it, has all of it.
pub(crate) fn with_key(mut record: Record, address: &RecordAddress) -> Result<Record, Failure> {
    record.extend(key_parts(address)?.into_iter().map(|part| (part.field.clone(), part.json())));
    Ok(record)
}

/// The fields of a record's key. Keys that do not fit the map are refused before they get here.
pub(crate) fn key_parts(address: &RecordAddress) -> Result<Vec<KeyPart>, Failure> {
    address.parts().map_err(|says| unwritable(&format!("the key `{}` {says}", address.key)))
}
