//! Which side's value is taken where both sides have a record and differ in a field.
//!
//! Each side wins some fields. What one side wins is written to the other, in a *merged record*: there, the fields that the other
//! side wins keep the values that it has. So the two directions change different fields: whichever comes first, or alone, leaves
//! what the other one is about.

use std::collections::BTreeMap;

use serde_json::json;

use super::{FieldMapping, MappingError, as_written, canonical_fields, normalized, translate_fields};
use crate::{
    map::{MapConfig, SideIx},
    record::{ContentHash, Record},
    side::Mistake,
};

/// Who wins each field of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldWinners {
    /// In the order of the map's fields.
    of_field: Vec<SideIx>,
}

impl FieldWinners {
    /// One side wins all fields.
    #[must_use]
    pub fn all(map: &MapConfig, winner: SideIx) -> Self {
        Self { of_field: vec![winner; map.fields.len()] }
    }

    /// One side wins all fields but some, which are named as on either side.
    ///
    /// # Errors
    /// Every name that is no field, is not certain, or is of a field whose values the chosen winner cannot give, at
    /// `winner_of_field.<name>`.
    pub fn choose(map: &MapConfig, winner: SideIx, of_field: &BTreeMap<String, SideIx>) -> Result<Self, Vec<Mistake>> {
        let mut winners = Self::all(map, winner);
        let mut mistakes = Vec::new();
        let mut named: BTreeMap<usize, &String> = BTreeMap::new();
        for (name, side) in of_field {
            let found = find_field(map, name).and_then(|at| {
                find_obstacle(map, &map.fields[at], *side)?;
                match named.insert(at, name) {
                    Some(other) => Err(format!("is the field {other}, too: name it once")),
                    None => Ok(at),
                }
            });
            match found {
                Ok(at) => winners.of_field[at] = *side,
                Err(message) => mistakes.push(Mistake { field: format!("winner_of_field.{name}"), message }),
            }
        }
        if mistakes.is_empty() { Ok(winners) } else { Err(mistakes) }
    }

    /// Whether a side wins a field that is written to the other side.
    #[must_use]
    pub fn wins_any(&self, map: &MapConfig, side: SideIx) -> bool {
        map.fields.iter().enumerate().any(|(at, field)| self.decides(map, side, at, field))
    }

    /// Whether a side's value of a field is taken, and the other side's is compared with it.
    fn decides(&self, map: &MapConfig, from: SideIx, at: usize, field: &FieldMapping) -> bool {
        let to = &map.side(from.other()).side;
        self.of_field[at] == from && field.is_written_to(to) && field.only_to.is_none()
    }

    /// Whether a side keeps its own value of a field that is written to it.
    fn keeps(&self, map: &MapConfig, to: SideIx, at: usize, field: &FieldMapping) -> bool {
        let (own, other) = (&map.side(to).side, &map.side(to.other()).side);
        self.of_field[at] == to && field.is_written_to(own) && field.is_written_to(other)
    }

    /// The fields that a side wins, as they would be on the other side and as they are there: in the names of the other side, by
    /// the map's comparison rules.
    ///
    /// # Errors
    /// One of the fields cannot be mapped.
    pub fn compare(
        &self,
        map: &MapConfig,
        from: SideIx,
        record: &Record,
        there: &Record,
    ) -> Result<(Record, Record), MappingError> {
        Ok((self.won(map, from, record)?, self.lost(map, from.other(), there)))
    }

    /// The fields that a side wins, as they are compared on the other side.
    fn won(&self, map: &MapConfig, from: SideIx, record: &Record) -> Result<Record, MappingError> {
        let wanted = translate_fields(map, from, record, |at, field| self.decides(map, from, at, field))?;
        Ok(self.lost(map, from.other(), &wanted))
    }

    /// The fields of a side that the other one wins, as they are compared.
    fn lost(&self, map: &MapConfig, of: SideIx, record: &Record) -> Record {
        let decided = |at: usize, field: &FieldMapping| self.decides(map, of.other(), at, field);
        normalized(map, of, canonical_fields(map, of, record, decided))
    }

    /// A fingerprint that the records of both sides share if no side lacks anything that the other one wins.
    ///
    /// # Errors
    /// A field that the side wins cannot be mapped.
    pub fn fingerprint(&self, map: &MapConfig, side: SideIx, record: &Record) -> Result<ContentHash, MappingError> {
        let (won, lost) = (self.won(map, side, record)?, self.lost(map, side, record));
        Ok(ContentHash::of_value(&match side {
            SideIx::First => json!([won, lost]),
            SideIx::Second => json!([lost, won]),
        }))
    }

    /// The record of a side with what the other side wins, in its own names: what it is to have. `None`: it keeps nothing of its
    /// own, so it gets the other side's record.
    ///
    /// # Errors
    /// A value cannot be mapped, or not be written.
    pub fn merge(
        &self,
        map: &MapConfig,
        from: SideIx,
        record: &Record,
        there: &Record,
    ) -> Result<Option<Record>, MappingError> {
        let to = from.other();
        let keeps = |at: usize, field: &FieldMapping| self.keeps(map, to, at, field);
        let kept = canonical_fields(map, to, there, keeps);
        if kept.is_empty() {
            return Ok(None);
        }
        let mut merged = translate_fields(map, from, record, |at, field| !keeps(at, field))?;
        merged.extend(as_written(map, to, kept)?);
        Ok(Some(merged))
    }
}

/// The place of the field that has this name on either side.
fn find_field(map: &MapConfig, name: &str) -> Result<usize, String> {
    let mut found = map.fields.iter().enumerate().filter(|(_, field)| field.names.values().any(|known| known == name));
    let Some((at, _)) = found.next() else { return Err("is no field of the map".to_owned()) };
    if found.next().is_some() {
        return Err("is a name of two fields: name the field as on the other side".to_owned());
    }
    Ok(at)
}

/// Why a side cannot win a field: its value never gets to the other side.
fn find_obstacle(map: &MapConfig, field: &FieldMapping, winner: SideIx) -> Result<(), String> {
    let (own, other) = (&map.side(winner).side, &map.side(winner.other()).side);
    let flows = field.names.contains_key(own) && field.is_written_to(other) && !field.constant.contains_key(other);
    if !flows {
        return Err(format!("is not written from {own} to {other}: {own} cannot win it"));
    }
    if field.constant.contains_key(own) {
        return Err(format!("is the constant of the map on {own}: {own} cannot win it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
