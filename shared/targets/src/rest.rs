//! JSON REST apps: a record is at `{base}{entity}/{key}`.

use app::ports::RecordAddress;
use domain::{Failure, Record, map::KeyPart};

use crate::plan::unwritable;

/// Adds the key to a record, for a request that creates or replaces it.
pub(crate) fn with_key(mut record: Record, address: &RecordAddress) -> Result<Record, Failure> {
    record.extend(key_parts(address)?.into_iter().map(|part| (part.field.clone(), part.json())));
    Ok(record)
}

/// The fields of a record's key. The use cases refuse a key that does not fit the map before they call an app.
pub(crate) fn key_parts(address: &RecordAddress) -> Result<Vec<KeyPart>, Failure> {
    address.parts().map_err(|says| unwritable(&format!("the key `{}` {says}", address.key)))
}
