//! What the crash matrix does not crash, with the reason. A new use case or method does not belong here, but in the matrix.

/// A crash of what only reads leaves nothing behind.
pub(crate) const READS: [&str; 47] = [
    "Apps.sample",
    "Archive.conflicts",
    "Gauges.catch_up",
    "Gauges.depths",
    "Log.activities",
    "Log.gone",
    "Tokens.token",
    "admin::archive::get",
    "admin::archive::list",
    "admin::backlog::all",
    "admin::backlog::entry",
    "admin::backlog::list",
    "admin::backlog::status",
    "admin::conflicts::get",
    "admin::conflicts::list",
    "admin::document::export",
    "admin::document::plan",
    "admin::parked::choose_targets",
    "admin::parked::list",
    "admin::parked::preview",
    "admin::incidents::get",
    "admin::logs::activities",
    "admin::logs::errors",
    "admin::logs::failed::failed",
    "admin::logs::groups::groups",
    "admin::maps::get",
    "admin::open_lanes::list",
    "admin::preview::preview",
    "admin::rules::dry_run",
    "admin::rules::explain",
    "admin::rules::get",
    "admin::sides::get",
    "admin::sides::get_with_health",
    "admin::sides::list",
    "admin::sides::test::test_connection",
    "admin::map_commands::find_in_flight_writes",
    "admin::syncs::check",
    "admin::syncs::findings",
    "admin::syncs::get",
    "admin::syncs::list",
    "admin::syncs::reruns",
    "admin::syncs::wait_for_end",
    "admin::tokens::authenticate",
    "admin::tokens::list",
    "alerts::evaluate::decide_rule",
    "lookup::find_write",
    "backlog_age::oldest",
];

/// Never called by a use case of `app`: by a function alone, or by the connectors.
pub(crate) const ELSEWHERE: [&str; 4] =
    ["AdminPorts.failed_batches", "Alerts.incidents", "Log.add_failed", "Secrets.get"];

/// Parts of use cases: what they are called by has, or lacks, its own case.
pub(crate) const PARTS: [&str; 4] =
    ["admin::parked::command_each", "alerts::act::act", "alerts::evaluate::evaluate", "alerts::notify::notify"];
