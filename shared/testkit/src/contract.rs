//! What every journal must do: run against the one in memory and the one in DynamoDB.
//!
//! Each function is one part of the contract and needs a journal that has nothing in it yet. It panics when the journal
//! breaks the contract.

mod archive;
mod commits;
mod damage;
mod due;
mod echoes;
mod journal;
mod log;
mod pages;
mod queues;
mod races;
mod round_trips;
mod values;

use app::ports::{Archive, Gauges, Lanes, Queues};

pub use self::{
    archive::{
        a_conflict_keeps_both_values_and_is_reversed_once, an_archived_entry_leaves_the_journal_for_the_archive,
        figures_are_kept_for_people, one_run_at_a_time_says_that_it_drains_a_map, the_health_of_a_side_is_noted,
    },
    commits::{
        a_commit_from_another_version_stores_nothing, a_first_commit_makes_the_head, a_known_marker_stores_nothing,
    },
    damage::what_cannot_be_read_is_there_and_says_so,
    due::{only_open_lanes_of_the_map_are_due_and_the_oldest_come_first, open_lanes_come_page_by_page},
    echoes::echoes_and_head_change_independently,
    journal::{a_finished_entry_leaves_its_marker, an_updated_entry_keeps_an_open_marker},
    log::{
        a_reported_error_is_kept_once_by_its_own_id, activities_noisy_maps_and_failed_events_are_kept,
        an_incident_changes_with_its_watch_or_not_at_all, errors_are_kept_once_and_listed_newest_first,
        errors_of_a_record_are_resolved_up_to_a_time, errors_that_are_named_are_resolved,
        rules_and_groups_change_by_their_version,
    },
    pages::{PagedApp, listing, pages_contract},
    queues::{a_queue_is_made_and_removed_with_its_map, pointers_of_a_record_come_in_order_one_batch_after_the_other},
    races::of_many_commits_from_one_version_one_wins,
    round_trips::{
        everything_is_read_back_as_it_was_stored, large_records_are_kept, numbers_are_kept_to_the_last_digit,
    },
};

/// The whole contract.
///
/// # Panics
/// A journal breaks it.
pub async fn lanes_contract<L: Lanes + Archive + Gauges>(empty: impl Fn() -> L) {
    a_first_commit_makes_the_head(&empty()).await;
    a_commit_from_another_version_stores_nothing(&empty()).await;
    a_known_marker_stores_nothing(&empty()).await;
    an_updated_entry_keeps_an_open_marker(&empty()).await;
    a_finished_entry_leaves_its_marker(&empty()).await;
    everything_is_read_back_as_it_was_stored(&empty()).await;
    large_records_are_kept(&empty()).await;
    numbers_are_kept_to_the_last_digit(&empty()).await;
    echoes_and_head_change_independently(&empty()).await;
    only_open_lanes_of_the_map_are_due_and_the_oldest_come_first(&empty()).await;
    of_many_commits_from_one_version_one_wins(&empty()).await;
    open_lanes_come_page_by_page(&empty()).await;
    an_archived_entry_leaves_the_journal_for_the_archive(&empty()).await;
    a_conflict_keeps_both_values_and_is_reversed_once(&empty()).await;
    figures_are_kept_for_people(&empty()).await;
    the_health_of_a_side_is_noted(&empty()).await;
    one_run_at_a_time_says_that_it_drains_a_map(&empty()).await;
}

/// The whole contract of queues. `uid` names maps that have no queue yet: this one and the two behind it.
///
/// # Panics
/// Queues break it.
pub async fn queues_contract<Q: Queues>(queues: &Q, uid: u128) {
    pointers_of_a_record_come_in_order_one_batch_after_the_other(queues, uid).await;
    a_queue_is_made_and_removed_with_its_map(queues, uid + 1).await;
}

#[cfg(test)]
mod tests {
    use domain::{
        Timestamp,
        record::Image,
        side::{Capability, Side},
    };
    use serde_json::Value;

    use super::*;
    use crate::{Executor, MemoryLanes, MemoryQueues, apps::FakeApps, pages::PageHabits, sample};

    #[tokio::test]
    async fn the_journal_in_memory_keeps_the_contract() {
        lanes_contract(|| MemoryLanes::new(Executor::new(1, Timestamp(0)))).await;
    }

    #[tokio::test]
    async fn the_journal_in_memory_tells_what_is_damaged() {
        let now = Timestamp(1_795_428_000_001);
        let lanes = MemoryLanes::new(Executor::new(1, now));
        what_cannot_be_read_is_there_and_says_so(&lanes, async |item| lanes.damage(&item, now)).await;
    }

    /// The app `crm` of a world without a map.
    struct Fake(FakeApps, Side);

    impl PagedApp for Fake {
        type Apps = FakeApps;

        fn apps(&self) -> &FakeApps {
            &self.0
        }
        fn side(&self) -> &Side {
            &self.1
        }
        fn put(&self, key: &str, fields: Value) {
            let Value::Object(record) = fields else { panic!("a record is an object") };
            let key = key.parse().expect("a key");
            self.0.with(&self.1.id, |app| app.change(&key, Image::Present(record), Timestamp(0)));
        }
        fn remove(&self, key: &str) {
            let key = key.parse().expect("a key");
            self.0.with(&self.1.id, |app| app.change(&key, Image::Absent, Timestamp(0)));
        }
        fn put_raw(&self, place: &str, row: &str) {
            self.0.with(&self.1.id, |app| app.odd_rows.insert(place.to_owned(), row.to_owned()));
        }
        fn set_habits(&self, habits: PageHabits) {
            self.0.with(&self.1.id, |app| app.pages = habits);
        }
        fn tells_total(&self) -> bool {
            true
        }
        fn tells_etags(&self) -> bool {
            true
        }
        fn names_next_page(&self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn the_apps_in_memory_keep_the_contract_of_pages() {
        pages_contract(async || {
            let [finance, crm] = sample::running(Capability::Plain).sides;
            Fake(FakeApps::new(Executor::new(1, Timestamp(0)), [finance.id, crm.id.clone()]), crm)
        })
        .await;
    }

    #[tokio::test]
    async fn the_queues_in_memory_keep_the_contract() {
        queues_contract(&MemoryQueues::new(Executor::new(1, Timestamp(1_795_428_000_000))), 1).await;
    }
}
