//! JSON REST: a record is at `{base}{entity}/{key}`.

use app::ports::RecordAddress;
use domain::Record;

/// The record with its key: what makes a record, or replaces it, has all of it.
pub(crate) fn with_key(mut record: Record, address: &RecordAddress) -> Record {
    record.extend(address.fixed_key.clone());
    record.insert(address.key_field.clone(), address.key.as_str().into());
    record
}
