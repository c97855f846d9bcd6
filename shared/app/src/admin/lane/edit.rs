//! The `edit` command: the new record of an entry.

use domain::{Record, lane::Entry, limits::MAX_BODY_BYTES, map::MapConfig, record::Image};
use serde_json::Value;

use crate::error::{AppError, StateConflict};

/// Returns the record of an entry with some fields changed.
pub(super) fn edit_record(config: &MapConfig, entry: &Entry, patch: &Record) -> Result<Image, AppError> {
    let Some(write) = entry.write() else { return Err(AppError::Conflict(StateConflict::NotAWrite)) };
    let Image::Present(mut record) = write.image.clone() else {
        return Err(AppError::mistake("record", "cannot be edited: the entry deletes the record"));
    };
    let side = config.side(write.shape);
    for (name, value) in patch {
        let known = config.fields.iter().any(|field| field.is_called(&side.side, name));
        if !known {
            let message = format!("is not a mapped field of {}", side.side);
            return Err(AppError::mistake(&format!("record.{name}"), &message));
        }
        if *value == Value::String(domain::redact::REDACTED.to_owned()) {
            return Err(AppError::mistake(
                &format!("record.{name}"),
                "is the redaction placeholder, not a value; leave the field out to keep it",
            ));
        }
        record.insert(name.clone(), value.clone());
    }
    let bytes = serde_json::to_vec(&record).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_BODY_BYTES {
        let message = format!("would have {bytes} bytes with these fields; a record has {MAX_BODY_BYTES} at most");
        return Err(AppError::mistake("record", &message));
    }
    let image = Image::Present(record);
    domain::mapping::translate(config, write.shape, &image).map_err(AppError::Mapping)?;
    Ok(image)
}
