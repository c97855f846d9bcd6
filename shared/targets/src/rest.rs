//! JSON REST: `PUT`, `GET` and `DELETE` of `{base}{entity}/{key}`.

use app::ports::Call;
use domain::Record;

/// What a `PUT` sends. It replaces the whole resource, so the key, which is part of it, goes along.
pub(crate) fn full(record: &Record, call: &Call) -> Record {
    let mut full = record.clone();
    full.insert(call.key_field.clone(), call.key.as_str().into());
    full
}
