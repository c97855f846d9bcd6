//! What a record becomes on the other side. Nothing is written, and neither app is asked.

use domain::{
    MapId, Record, RecordKey, SideId,
    mapping::{MappingError, passes, translate},
    record::Image,
};

use super::{AdminPorts, maps};
use crate::error::AppError;

/// What a record becomes on the other side.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The other side.
    pub to: SideId,
    /// The entity there.
    pub entity: String,
    /// The field that holds the key there.
    pub key_field: String,
    /// The record's key.
    pub key: RecordKey,
    /// The record, by the other side's names.
    pub record: Record,
    /// Whether the reporting side's filter lets it through.
    pub passes_filter: bool,
    /// Fields that no mapping carries, by the reporting side's names.
    pub not_carried: Vec<String>,
}

/// What a record of side `from` becomes on the other side.
///
/// # Errors
/// There is no such map, the side is none of its two, or the record cannot be mapped.
pub async fn preview<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    from: &SideId,
    key: RecordKey,
    record: Record,
) -> Result<Preview, AppError> {
    let map = maps::get(ports, id).await?;
    let Some(from) = map.config.side_ix(from) else {
        let [one, other] = map.config.sides.each_ref().map(|end| &end.side);
        return Err(AppError::mistake("from", &format!("must be one of the map's two sides, {one} or {other}")));
    };
    let (source, target) = (map.config.side(from), map.config.side(from.other()));
    let not_carried = record.keys().filter(|name| {
        let carried = map.config.fields.iter().any(|field| {
            field.is_called(&source.side, name) && field.only_to.as_ref().is_none_or(|only| *only == target.side)
        });
        !carried && !source.is_key(name)
    });
    let not_carried = not_carried.cloned().collect();
    let image = Image::Present(record);
    let passes_filter = passes(&source.filter, &image);
    let translated = translate(&map.config, from, &image).map_err(|error| {
        AppError::Mapping(MappingError { field: format!("record.{}", error.field), message: error.message })
    })?;
    let record = match translated {
        Image::Present(record) => record,
        Image::Absent => Record::new(),
    };
    let (to, entity, key_field) = (target.side.clone(), target.entity.clone(), target.key_field.clone());
    Ok(Preview { to, entity, key_field, key, record, passes_filter, not_carried })
}
