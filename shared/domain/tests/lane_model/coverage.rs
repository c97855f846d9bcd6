//! The rules of the lane, and the cases that show each of them. A rule whose mutants are gone would be a rule that
//! nothing checks.

use std::collections::BTreeSet;

use crate::case::{Case, Expected};
use crate::cases;
use crate::production;

struct Rule {
    number: u8,
    /// Cases without the rule: each is found broken.
    mutants: &'static [&'static str],
    /// Cases that show what the rule makes possible, or what it need not ask for.
    enough: &'static [&'static str],
}

const RULES: &[Rule] = &[
    // The head changes only by compare-and-set on its version.
    Rule { number: 1, mutants: &["without_compare_and_set_the_lane_goes_back"], enough: &[] },
    // A pointer is only a wake-up: run `done_seq + 1`, and never leave a message because it is early.
    Rule {
        number: 2,
        mutants: &[
            "an_early_pointer_left_in_a_fifo_queue_blocks_its_group_for_ever",
            "a_worker_that_runs_what_its_pointer_names_forgets_an_earlier_entry",
            "a_worker_that_runs_what_its_pointer_names_sticks_the_lane",
        ],
        enough: &["an_early_pointer_wakes_the_lane_of_a_fifo_queue"],
    },
    // The sweep is required; the second look at the map after an append only saves time.
    Rule {
        number: 3,
        mutants: &[
            "without_the_sweep_a_crash_sticks_the_lane",
            "without_the_sweep_one_lost_pointer_sticks_the_lane",
            "without_the_sweep_and_the_second_look_the_lane_sticks",
        ],
        enough: &["the_sweep_makes_the_second_look_at_the_map_optional"],
    },
    // After an unknown outcome a plain target's entry stays in flight until its call can no longer land.
    Rule {
        number: 4,
        mutants: &["plain_target_released_at_timeout_lets_an_old_call_land_on_a_newer_one"],
        enough: &["idempotent_target_may_be_released_at_timeout", "versioned_target_may_be_released_at_timeout"],
    },
    // An expired lease is taken over under the same bound.
    Rule {
        number: 5,
        mutants: &["plain_target_taken_over_too_early_gets_an_old_call_after_a_newer_one"],
        enough: &["versioned_target_bears_zombies"],
    },
    // 422 only from the first, direct call of an entry whose lease is still the writer's own.
    // A refused write-back parks.
    Rule {
        number: 6,
        mutants: &[
            "a_refusal_in_a_drain_loses_an_acknowledged_write",
            "a_422_for_an_appended_entry_may_come_after_its_effect",
            "a_422_without_the_lease_is_not_true",
            "a_refused_write_back_answered_422_comes_after_the_effect",
        ],
        enough: &[
            "a_refusal_parks_or_is_answered_422",
            "idempotent_target_may_refuse_zombies",
            "a_refused_write_back_parks",
        ],
    },
    // An id is looked up in flight, in `recent` and among the open entries; it enters `recent` in every step that
    // leaves the entry open; ids of open entries are not evicted; an evicted id is kept without its answer.
    Rule {
        number: 7,
        mutants: &[
            "a_retry_that_looks_only_in_recent_misses_the_one_in_flight",
            "a_release_that_does_not_remember_its_id_loses_it",
            "a_ring_that_evicts_open_ids_loses_them",
            "a_ring_without_a_floor_takes_an_old_retry_for_a_new_write",
            "a_floor_refuses_a_new_id_that_comes_out_of_order",
        ],
        enough: &[
            "a_ring_with_a_floor_refuses_an_old_retry",
            "a_ring_that_keeps_evicted_ids_refuses_an_old_retry",
            "a_ring_that_keeps_evicted_ids_takes_new_ids_in_any_order",
        ],
    },
    // A retry of an id in flight waits, and is never told 202.
    Rule {
        number: 8,
        mutants: &["a_retry_answered_202_while_the_original_is_in_flight_may_be_wrong"],
        enough: &["a_retry_waits_for_the_original_and_ids_are_kept_in_every_step"],
    },
    // A skip waits for the bound of the entry's calls, and is followed by a restore entry.
    Rule {
        number: 9,
        mutants: &[
            "a_skip_of_an_idempotent_entry_that_does_not_wait_is_overtaken",
            "a_skip_of_a_versioned_entry_that_does_not_wait_is_overtaken",
            "a_restore_entry_alone_is_not_enough_for_an_idempotent_target",
            "a_skip_after_an_unknown_outcome_leaves_its_effect",
        ],
        enough: &["a_skip_that_waits_and_restores_holds"],
    },
    // A head made anew starts a new generation.
    Rule {
        number: 10,
        mutants: &["without_a_new_generation_a_write_is_taken_for_an_old_one"],
        enough: &["a_new_generation_follows_an_expired_head"],
    },
    // A write is written back to its own app when the lane has written to that app since the write's base, or when
    // the base is in doubt (plain targets), or when the head has lost its memory.
    Rule {
        number: 11,
        mutants: &[
            "without_a_crossing_rule_the_apps_swap_their_values",
            "a_rule_that_looks_at_open_entries_misses_a_crossing",
            "a_rule_that_looks_at_the_last_entry_misses_a_crossing",
            "the_base_of_a_plain_app_is_not_enough_as_a_retry_lands_after_it",
            "doubt_about_open_entries_alone_forgets_that_a_base_was_written_twice",
            "doubt_about_marked_entries_alone_overlooks_a_base_that_is_still_open",
            "a_takeover_that_leaves_no_mark_forgets_that_a_base_was_written_twice",
            "a_head_that_forgets_what_it_wrote_misses_a_crossing",
        ],
        enough: &[
            "writing_back_since_the_base_converges",
            "writing_back_once_the_lane_ever_wrote_converges",
            "plain_apps_converge_when_doubt_counts",
            "a_base_from_before_the_expiry_of_the_head_counts_as_crossed",
        ],
    },
    // A refusal of a write that its origin had committed parks, or restores the origin.
    Rule {
        number: 12,
        mutants: &["a_422_that_restores_nothing_leaves_the_origin_alone_with_its_value"],
        enough: &["a_422_with_a_restore_entry_puts_the_origin_back"],
    },
    // One app sends the writes of one record in commit order.
    Rule {
        number: 13,
        mutants: &["one_app_that_sends_out_of_order_ends_with_its_older_value"],
        enough: &["one_app_may_send_out_of_order_when_every_write_is_written_back"],
    },
    // A target's "older version" counts as success. (That owners are unique per attempt is given here: an actor is
    // its own owner id.)
    Rule { number: 14, mutants: &["an_older_version_taken_for_a_refusal_parks_the_lane_for_ever"], enough: &[] },
    // What an app shows while one of its callers may still commit decides no copy.
    Rule {
        number: 15,
        mutants: &[
            "a_copy_that_does_not_wait_brings_the_older_record",
            "a_copy_that_waits_too_little_brings_the_older_record",
            "a_change_that_loses_before_its_commit_stays",
        ],
        enough: &["a_copy_waits_for_the_caller_that_commits_late", "a_change_that_loses_waits_for_its_own_commit"],
    },
    // What a silent app reports is a change. A report that does not say what was before, and comes after another change, may
    // be one: the record is copied.
    Rule {
        number: 16,
        mutants: &[
            "an_app_that_is_not_set_to_be_silent_loses_the_older_value",
            "a_report_after_another_change_that_is_taken_for_an_echo_is_lost",
        ],
        enough: &["a_silent_app_goes_back_to_an_older_value", "a_report_after_another_change_is_copied"],
    },
    // A side that reports the same content for the third time, each time soon after a change of the other side, is stopped.
    Rule {
        number: 17,
        mutants: &[
            "apps_that_nobody_stops_bounce_a_record_for_ever",
            "a_user_who_saves_again_is_stopped_without_a_change_of_the_other_app",
            "users_are_stopped_when_their_time_does_not_count",
        ],
        enough: &[
            "apps_that_bounce_a_record_are_stopped",
            "a_user_who_saves_again_at_once_does_not_bounce",
            "users_who_take_their_time_do_not_bounce",
        ],
    },
    // A deletion that waits yields to a change of the other app behind it that wins.
    Rule {
        number: 18,
        mutants: &["a_deletion_that_does_not_yield_destroys_what_no_mapping_carries"],
        enough: &["a_deletion_that_waits_yields_to_a_change_that_wins", "a_deletion_of_the_primary_yields_to_nothing"],
    },
    // A row that was read before a caller's longest transaction was over decides nothing.
    Rule {
        number: 19,
        mutants: &[
            "a_row_that_is_read_while_a_caller_may_commit_brings_the_older_record",
            "a_row_that_is_read_a_little_too_early_brings_the_older_record",
            "a_row_that_counts_as_read_when_it_is_applied_brings_the_older_record",
            "an_absence_that_is_read_while_a_caller_may_commit_destroys_its_record",
        ],
        enough: &[
            "a_row_is_read_again_when_its_caller_has_committed",
            "a_row_is_read_again_when_the_other_caller_has_committed",
        ],
    },
    // A row is applied only to the lane as it was before the row was read.
    Rule {
        number: 20,
        mutants: &[
            "a_row_that_is_applied_to_another_head_brings_the_older_record",
            "a_row_that_is_read_before_the_head_brings_the_older_record",
            "a_row_that_is_applied_to_another_head_brings_a_deleted_record_back",
            "two_runs_that_do_not_compare_heads_swap_the_records",
            "a_second_row_that_does_not_compare_heads_undoes_a_change",
            "a_deletion_that_is_applied_to_another_head_destroys_a_record_that_came_back",
            "an_absence_that_is_read_before_the_head_destroys_a_record_that_came_back",
        ],
        enough: &["a_row_gives_way_to_live_changes_of_its_app", "two_runs_copy_a_record_once"],
    },
    // A row is copied, and a record deleted, only when the other app has shown the same for as long as its reports may take.
    Rule {
        number: 21,
        mutants: &[
            "a_row_that_is_copied_at_the_first_look_undoes_a_change_that_is_reported_later",
            "a_row_that_is_copied_at_the_first_look_undoes_a_deletion_that_is_reported_later",
            "a_row_that_is_copied_at_the_first_look_undoes_a_change_of_a_silent_app",
            "an_answer_that_counts_from_the_question_confirms_a_change_that_is_reported_later",
            "a_deletion_after_one_look_destroys_a_record_whose_report_is_on_its_way",
        ],
        enough: &["a_row_gives_way_to_a_change_that_is_reported_later"],
    },
    // What a copy brings is noted in the head before its call is made.
    Rule {
        number: 22,
        mutants: &["an_echo_of_a_copy_that_is_not_announced_is_taken_for_a_change"],
        enough: &["an_echo_of_a_copy_is_known_before_the_copy_is_settled", "an_echo_of_a_copy_is_known_across_a_crash"],
    },
    // Where each side wins something, a row brings what its side wins, and leaves the rest as it was found with it.
    Rule {
        number: 23,
        mutants: &[
            "records_that_are_not_merged_lose_what_an_app_wins",
            "a_record_that_is_merged_from_an_earlier_look_undoes_a_change",
        ],
        enough: &["each_app_gets_what_the_other_one_wins", "a_merged_row_gives_way_to_a_live_change_of_its_app"],
    },
    // A record is deleted only when the app that lacks it was asked again.
    Rule {
        number: 24,
        mutants: &["a_deletion_of_a_record_that_came_back_is_no_repair"],
        enough: &["a_deletion_is_carried_out", "a_deletion_gives_way_to_a_record_that_came_back"],
    },
];

struct Listed {
    name: &'static str,
    expected: Expected,
}

fn list<S>(cases: &'static [Case<S>]) -> impl Iterator<Item = Listed> {
    cases.iter().map(|case| Listed { name: case.name, expected: case.expected })
}

fn all_cases() -> impl Iterator<Item = Listed> {
    let of_the_protocol = [
        cases::expiry::CASES,
        cases::lane::CASES,
        cases::outcomes::CASES,
        cases::queue::CASES,
        cases::refusals::CASES,
        cases::retries::CASES,
        cases::skips::CASES,
        cases::two_origins::CASES,
        cases::two_origins_doubt::CASES,
        cases::two_origins_refusals::CASES,
    ];
    let of_the_functions = [
        production::cases::bouncing::CASES,
        production::cases::copied_rows::CASES,
        production::cases::copies::CASES,
        production::cases::deletions::CASES,
        production::cases::late_commits::CASES,
        production::cases::merged_rows::CASES,
        production::cases::missing_records::CASES,
        production::cases::silent_apps::CASES,
    ];
    of_the_protocol.into_iter().flat_map(list).chain(of_the_functions.into_iter().flat_map(list))
}

#[test]
fn every_rule_has_its_mutants() {
    assert!(RULES.iter().map(|rule| rule.number).eq(1..=24), "the rules are numbered 1 to 24");
    for rule in RULES {
        let mutant =
            |case: &Listed| matches!(case.expected, Expected::Breaks { rule: broken, .. } if broken == rule.number);
        let found: BTreeSet<_> = all_cases().filter(mutant).map(|case| case.name).collect();
        let named: BTreeSet<_> = rule.mutants.iter().copied().collect();
        assert_eq!(found, named, "the mutants of rule {}", rule.number);
        assert!(!named.is_empty(), "nothing fails without rule {}", rule.number);
    }
}

#[test]
fn every_case_that_shows_a_rule_to_be_enough_holds() {
    let holding: BTreeSet<_> =
        all_cases().filter(|case| matches!(case.expected, Expected::Holds { .. })).map(|case| case.name).collect();
    for rule in RULES {
        for name in rule.enough {
            assert!(holding.contains(name), "rule {} names {name}, which is no case that holds", rule.number);
        }
    }
}

#[test]
fn no_case_was_lost() {
    let count = |is_such: fn(&Expected) -> bool| all_cases().filter(|case| is_such(&case.expected)).count();
    let holds = count(|expected| matches!(expected, Expected::Holds { .. }));
    let breaks = count(|expected| matches!(expected, Expected::Breaks { .. }));
    let limited = count(|expected| matches!(expected, Expected::IsLimited { .. }));
    assert_eq!((holds, breaks, limited), (129, 64, 2));
}
