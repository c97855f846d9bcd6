//! Items that an earlier release stored are read as they were meant, and written in a form that it reads.

use serde_json::Value;

use crate::{
    failure::{CallEffect, ErrorClass},
    lane::{Archived, Mode, ParkReason},
    map::PerSide,
};

/// An archived entry with something in every field, as the release of commit `10959b6` wrote it.
const ARCHIVED: &str = include_str!("stored/archived-10959b6.json");

#[test]
fn an_archived_entry_of_the_previous_release_is_read_field_by_field() {
    let archived: Archived = serde_json::from_str(ARCHIVED).unwrap();
    let entry = archived.entry;
    assert!(entry.needs_resync && entry.outcome_unknown && entry.crossing.is_some());
    assert_eq!((entry.seq, entry.attempts, entry.done), (4, 3, PerSide([true, false])));
    assert_eq!(entry.parked, Some(ParkReason::HalfWritten));
    let failure = entry.last_failure.as_ref().unwrap().failure.clone();
    assert_eq!((failure.class, failure.effect), (ErrorClass::Throttled, CallEffect::NotApplied));
    assert_eq!((failure.code.as_deref(), failure.message.as_str()), (Some("429"), "slow"));
    assert_eq!(entry.write().unwrap().mode, Mode::Committed);
    let handling = entry.handling.unwrap();
    let stamps = [entry.cancelled, handling.acknowledged, handling.retried, archived.recovered.map(|(by, _)| by)];
    assert!(stamps.iter().all(|by| by.as_ref() == Some(&archived.by)), "{stamps:?}");
    assert_eq!((handling.assigned_to.as_deref(), handling.notes), (Some("kim"), vec![archived.by]));
}

/// During a deployment functions of both releases run at once.
#[test]
fn an_archived_entry_is_written_with_the_names_that_the_previous_release_reads() {
    let archived: Archived = serde_json::from_str(ARCHIVED).unwrap();
    let stored: Value = serde_json::from_str(ARCHIVED).unwrap();
    assert_eq!(serde_json::to_value(archived).unwrap(), stored);
}
